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
