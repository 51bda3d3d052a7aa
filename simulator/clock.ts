import type { Clock } from '../platform/clock.js'

/** What time it is at the exchange. */
export interface ExchangeClock {
  /** µs since the epoch. */
  nowUs(): number
  nowMs(): number
}

/** The exchange's clock: starts where it is told and runs `speed` times as fast as the real one. */
export class SimulatedClock implements ExchangeClock {
  private readonly startedUs: number

  constructor(
    private readonly real: Clock,
    readonly startMs: number,
    private readonly speed: number,
  ) {
    this.startedUs = real.monotonicUs()
  }

  nowUs(): number {
    return Math.floor(this.startMs * 1000 + (this.real.monotonicUs() - this.startedUs) * this.speed)
  }

  nowMs(): number {
    return Math.floor(this.nowUs() / 1000)
  }
}
