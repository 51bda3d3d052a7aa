import type { Clock } from '../platform/clock.js'

/** The exchange's clock: starts where it is told and runs `speed` times as fast as the real one. */
export class SimulatedClock {
  private readonly startedUs: number

  constructor(
    private readonly real: Clock,
    readonly startMs: number,
    private readonly speed: number,
  ) {
    this.startedUs = real.monotonicUs()
  }

  /** µs since the epoch. */
  nowUs(): number {
    return Math.floor(this.startMs * 1000 + (this.real.monotonicUs() - this.startedUs) * this.speed)
  }

  nowMs(): number {
    return Math.floor(this.nowUs() / 1000)
  }
}
