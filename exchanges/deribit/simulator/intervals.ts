/** How often channels speak at most, ms; they speak of what happened since. */
export const AT_ONCE = 0
export const EVERY_100_MS = 100
/** About every second. */
export const AGG2_MS = 1000

/** The intervals that channel names end with. */
export const INTERVALS: ReadonlyMap<string, number> = new Map([
  ['raw', AT_ONCE],
  ['100ms', EVERY_100_MS],
  ['agg2', AGG2_MS],
])
