/** Time as every part sees it, passed in so that tests move it by hand. */
export interface Clock {
  /** Wall clock, ms since the epoch. */
  nowMs(): number
  /** Never goes back; µs from an arbitrary start. */
  monotonicUs(): number
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicUs: () => Math.floor(performance.now() * 1000),
}

/**
 * Whether less than `ms` lie between two moments of the wall clock, whichever comes first: of a clock that was set back, what
 * was noted before lies ahead, and whoever waited for it would wait for hours or years. Pure.
 */
export const isNear = (atMs: number, nowMs: number, ms: number): boolean => Math.abs(nowMs - atMs) < ms
