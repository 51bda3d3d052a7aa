// Imported, since the global is looked up anew for each stamp.
import { performance } from 'node:perf_hooks'

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
  #aheadUs = 0

  constructor(clocks: WallAndMonotonic = systemClocks) {
    this.#clocks = clocks
    this.#anchorUs = anchorOf(clocks)
  }

  /** µs since the epoch, whole. */
  nowUs(): number {
    return Math.floor(this.#anchorUs + this.#clocks.monotonicUs())
  }

  /** How far receive stamps are ahead of the monotonic clock now, µs. */
  get anchorUs(): number {
    return this.#anchorUs
  }

  /** How far the wall clock is ahead of receive stamps now, µs. */
  get wallAheadUs(): number {
    return Math.round(this.#clocks.wallUs() - (this.#anchorUs + this.#clocks.monotonicUs()))
  }

  /** How far the wall clock moved against the monotonic one since the last call, µs; steps are left out. */
  takeDriftUs(): number {
    const aheadUs = this.wallAheadUs
    const driftUs = aheadUs - this.#aheadUs
    this.#aheadUs = aheadUs
    return driftUs
  }

  /** Stamps for one connection, which never go back. */
  stamps(): Stamps {
    return new Stamps(this, this.#clocks)
  }

  /**
   * Compares the clocks, to be called about once a second, and follows the wall clock where it was set. Returns how far
   * (µs), or 0. After a negative step `nowUs` goes back; stamps of connections go on as before, and so are ahead of the
   * wall clock until these connections are renewed.
   */
  checkForStep(): number {
    const driftUs = this.#clocks.wallUs() - (this.#anchorUs + this.#clocks.monotonicUs())
    if (Math.abs(driftUs) < STEP_THRESHOLD_US) return 0
    // One look may be late, where the machine stood still within it: the anchor is that of many, as at the start.
    const anchorUs = anchorOf(this.#clocks)
    const stepUs = anchorUs - this.#anchorUs
    if (Math.abs(stepUs) < STEP_THRESHOLD_US) return 0
    this.#anchorUs = anchorUs
    return Math.round(stepUs)
  }
}

/** Receive stamps of one connection: a step forward of the wall clock is followed, a step back is not. */
export class Stamps {
  readonly #clock: ReceiveClock
  readonly #clocks: WallAndMonotonic
  #anchorUs: number

  constructor(clock: ReceiveClock, clocks: WallAndMonotonic) {
    this.#clock = clock
    this.#clocks = clocks
    this.#anchorUs = clock.anchorUs
  }

  /** µs since the epoch, whole. */
  nowUs(): number {
    if (this.#clock.anchorUs > this.#anchorUs) this.#anchorUs = this.#clock.anchorUs
    return Math.floor(this.#anchorUs + this.#clocks.monotonicUs())
  }

  /** How far these stamps are ahead of the receive clock, µs: 0 but after a step back. */
  get aheadUs(): number {
    return Math.max(0, Math.round(this.#anchorUs - this.#clock.anchorUs))
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
