import type { Broker } from './broker.js'
import type { SimulatedClock } from './clock.js'
import type { Market } from './market/market.js'

/** Real time between two batches. */
export const TICK_MS = 10
/** Steps caught up in one batch, so that connections are served meanwhile. */
const MAX_STEPS_PER_TICK = 25
/** Further behind than this, steps are left out. */
const MAX_STEPS_BEHIND = 500

/** Moves the market along with the clock, in batches. */
export class Pacemaker {
  private timer: NodeJS.Timeout | undefined

  constructor(
    private readonly market: Market,
    private readonly broker: Broker,
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
    if (due > MAX_STEPS_BEHIND) market.skip(due - MAX_STEPS_PER_TICK)
    for (let step = 0; step < Math.min(due, MAX_STEPS_PER_TICK); step++) {
      market.step()
      this.broker.turn(market.nowMs)
    }
  }
}
