/** Rows asked for again: the last ones of an answer may not have been final. */
const OVERLAP_ROWS = 2

/** Something that only a method gives, asked for again and again. */
export interface Poll {
  /** Says what is asked. */
  id: string
  everyMs: number
  /** How far back rows are asked for; undefined where an answer is of this moment. */
  history?: { backMs: number; rowMs: number; rowsMax: number }
}

/** What one question is about; without `fromMs` this moment. */
export interface AskedSpan {
  fromMs?: number
  /** What is covered after the answer. */
  toMs: number
}

/**
 * When a poll is next due (ms since the epoch): at once where it was never answered, else in the next period; periods
 * begin at whole multiples of `everyMs`, so that a restart asks for nothing that was answered in this one.
 */
export function dueMs({ everyMs }: Poll, answeredMs: number | undefined): number {
  return answeredMs === undefined ? 0 : (Math.floor(answeredMs / everyMs) + 1) * everyMs
}

/**
 * The questions that bring a poll up to date: rows since the last answer, or as far back as configured, in spans that fit
 * one answer, oldest first. An answer from the future, noted before the clock was set back, says nothing.
 */
export function spansFor({ history }: Poll, answeredMs: number | undefined, nowMs: number): AskedSpan[] {
  if (!history) return [{ toMs: nowMs }]
  const { backMs, rowMs, rowsMax } = history
  const earliest = nowMs - backMs
  const isKnown = answeredMs !== undefined && answeredMs <= nowMs
  const since = isKnown ? Math.max(earliest, answeredMs - OVERLAP_ROWS * rowMs) : earliest
  const spans: AskedSpan[] = []
  for (let fromMs = since; fromMs < nowMs; fromMs += rowsMax * rowMs)
    spans.push({ fromMs, toMs: Math.min(nowMs, fromMs + rowsMax * rowMs) })
  return spans
}
