import type { SimulatedClock } from './clock.js'
import type { Market } from './market/market.js'

/** Real time between two batches. */
export const TICK_MS = 10
/** Real time that a batch may take when it has to catch up: sockets are only served between batches. */
const MAX_BATCH_MS = 8
/** Further behind than this, steps are left out. */
const MAX_STEPS_BEHIND = 500

/** Moves the market along with the clock, in batches. */
export class Pacemaker {
  private timer: NodeJS.Timeout | undefined

  constructor(
    private readonly market: Market,
    /** Sends what is due at a time of the market. */
    private readonly turn: (ms: number) => void,
    private readonly clock: SimulatedClock,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.tick(), TICK_MS)
  }

  stop(): void {
    clearInterval(this.timer)
  }

  private tick(): void {
    const { market } = this
    const due = Math.floor((this.clock.nowMs() - market.nowMs) / market.options.stepMs)
    if (due > MAX_STEPS_BEHIND) market.skip(due - 1)
    const endMs = performance.now() + MAX_BATCH_MS
    for (let step = 0; step < Math.min(due, MAX_STEPS_BEHIND); step++) {
      market.step()
      this.turn(market.nowMs)
      if (performance.now() > endMs) return
    }
  }
}
