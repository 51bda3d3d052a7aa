import type { Kind } from '../../coverage/channel-target.js'

/** What is tabled of one kind of instrument in one hour of a day. */
export interface HourOfKind {
  kind: Kind
  /** 0 to 23, UTC. */
  hour: number
  rows: number
  /** Part of the hour's minutes with data, and without a gap in the journal, 0 to 1. */
  share: number
}

export interface CoverageDay {
  date: string
  /** When this was computed, ms since the epoch. */
  atMs: number
  /** Hours that have rows of any kind, in their order. */
  hours: HourOfKind[]
}

/** Rows of one kind in one minute, counted from midnight. */
export interface MinuteOfKind {
  kind: Kind
  minute: number
  rows: number
}

/** Seconds from midnight. */
export interface SecondsSpan {
  from: number
  to: number
}

/**
 * How much of each hour is there. A minute counts when it has any row of the kind; what the journal calls a gap never
 * counts, and neither does an hour in which a kind has nothing while others have. Pure.
 */
export function hoursOf(minutes: readonly MinuteOfKind[], gaps: readonly SecondsSpan[]): HourOfKind[] {
  const kinds = [...new Set(minutes.map(({ kind }) => kind))]
  const hours = [...new Set(minutes.map(({ minute }) => Math.floor(minute / 60)))].sort((a, b) => a - b)
  return kinds.flatMap(kind =>
    hours.map(hour => {
      const own = minutes.filter(one => one.kind === kind && Math.floor(one.minute / 60) === hour)
      const gapSeconds = secondsInside(gaps, 3600 * hour, 3600 * (hour + 1))
      const share = Math.min(new Set(own.map(({ minute }) => minute)).size / 60, 1 - gapSeconds / 3600)
      return { kind, hour, rows: own.reduce((sum, { rows }) => sum + rows, 0), share: Math.max(0, share) }
    }),
  )
}

/** Seconds within the bounds that any of the spans covers. */
function secondsInside(spans: readonly SecondsSpan[], from: number, to: number): number {
  let covered = 0
  let end = from
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const start = Math.max(end, span.from)
    const stop = Math.min(to, span.to)
    if (stop > start) covered += stop - start
    end = Math.max(end, Math.min(to, span.to))
  }
  return covered
}
