import type { Span } from '../../platform/spans.js'

/** Moments of a span, so far apart that a chart can show each of them. */
export interface Grid {
  fromMs: number
  toMs: number
  stepMs: number
  /** The begin of each step. */
  starts: readonly number[]
}

const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900]
const PLACES_MAX = 300

/** At least a step, whole ones. Pure. */
export function gridOf({ fromUs, toUs }: Span): Grid {
  const seconds = (toUs - fromUs) / 1e6
  const stepMs = 1000 * (STEPS_S.find(step => seconds / step <= PLACES_MAX) ?? 900)
  const fromMs = Math.floor(fromUs / 1000 / stepMs) * stepMs
  const places = Math.max(1, Math.ceil((toUs / 1000 - fromMs) / stepMs))
  const starts = Array.from({ length: places }, (_, index) => fromMs + index * stepMs)
  return { fromMs, toMs: fromMs + places * stepMs, stepMs, starts }
}

/** A value for each step; null, which stays blank, where there is none. Pure. */
export function onGrid<Row, Value>(
  grid: Grid,
  rows: readonly Row[],
  placeOf: (row: Row) => number,
  valueOf: (row: Row) => Value,
): (Value | null)[] {
  const values: (Value | null)[] = grid.starts.map(() => null)
  for (const row of rows) {
    const at = placeOf(row)
    if (at >= 0 && at < values.length) values[at] = valueOf(row)
  }
  return values
}
