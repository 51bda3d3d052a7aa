/** Beyond this difference between wall and monotonic clock the wall clock was set, not slewed. */
export const STEP_THRESHOLD_US = 500_000

export interface WallAndMonotonic {
  /** Wall clock, µs since the epoch. */
  wallUs(): number
  /** Never goes back, µs from an arbitrary start. */
  monotonicUs(): number
}

const systemClocks: WallAndMonotonic = {
  wallUs: () => Date.now() * 1000,
  monotonicUs: () => performance.now() * 1000,
}

/**
 * Receive stamps: µs since the epoch, from the monotonic clock plus an anchor, so that setting the wall clock cannot
 * disturb them between two checks.
 */
export class ReceiveClock {
  readonly #clocks: WallAndMonotonic
  #anchorUs: number

  constructor(clocks: WallAndMonotonic = systemClocks) {
    this.#clocks = clocks
    this.#anchorUs = anchorOf(clocks)
  }

  /** µs since the epoch, whole. */
  nowUs(): number {
    return Math.floor(this.#anchorUs + this.#clocks.monotonicUs())
  }

  /**
   * Compares the clocks, to be called about once a second, and follows the wall clock where it was set. Returns how far
   * (µs), or 0. After a negative step stamps go back: the caller ends its connections, since theirs may not.
   */
  checkForStep(): number {
    const driftUs = this.#clocks.wallUs() - (this.#anchorUs + this.#clocks.monotonicUs())
    if (Math.abs(driftUs) < STEP_THRESHOLD_US) return 0
    this.#anchorUs += driftUs
    return Math.round(driftUs)
  }
}

/** Looks enough to see the wall clock turn to its next millisecond, a few ms. */
const ANCHOR_LOOKS = 20_000

/**
 * How far the wall clock is ahead of the monotonic one, µs. The wall clock shows whole milliseconds only, so that one
 * look is up to 1 ms short: the largest of many is right to some µs.
 */
function anchorOf(clocks: WallAndMonotonic): number {
  let anchorUs = -Infinity
  for (let look = 0; look < ANCHOR_LOOKS; look++) anchorUs = Math.max(anchorUs, clocks.wallUs() - clocks.monotonicUs())
  return anchorUs
}
