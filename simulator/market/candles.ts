import type { Trade } from './trades.js'

/** One-minute bars kept per instrument; longer ones are put together from them. */
export const CANDLE_MINUTES_KEPT = 1_500
export const MINUTE_MS = 60_000

export interface Candle {
  /** Start of the bar, ms. */
  tickMs: number
  open: number
  high: number
  low: number
  close: number
  /** In base coin. */
  volume: number
  /** In quote currency. */
  cost: number
}

/** How long a bar is, and when the first one of a day opens. */
export interface BarWidth {
  minutes: number
  /** After midnight UTC. */
  opensAtMs: number
}

/** When the bar opened that holds a moment. */
export function barStart({ minutes, opensAtMs }: BarWidth, ms: number): number {
  const width = minutes * MINUTE_MS
  return Math.floor((ms - opensAtMs) / width) * width + opensAtMs
}

/** Bars of one instrument, made from its trades. */
export class CandleTape {
  private minutes: Candle[] = []

  add(trade: Trade, volume: number, cost: number): void {
    const tickMs = Math.floor(trade.timestampMs / MINUTE_MS) * MINUTE_MS
    const last = this.minutes.at(-1)
    const { price } = trade
    if (last && last.tickMs >= tickMs) {
      last.high = Math.max(last.high, price)
      last.low = Math.min(last.low, price)
      last.close = price
      last.volume += volume
      last.cost += cost
      return
    }
    this.minutes.push({ tickMs, open: price, high: price, low: price, close: price, volume, cost })
    if (this.minutes.length >= CANDLE_MINUTES_KEPT * 2) this.minutes = this.minutes.slice(-CANDLE_MINUTES_KEPT)
  }

  /** The bar that holds `ms`: without a trade in it, flat at the last close; undefined before the first trade. */
  bar(width: BarWidth, ms: number): Candle | undefined {
    return this.range(width, ms, ms)[0]
  }

  /** The oldest minute with a trade that is still known. */
  get first(): Candle | undefined {
    return this.minutes[0]
  }

  /** Bars whose start lies between that of `fromMs` and `toMs`, gaps filled flat from the last close. */
  range(bars: BarWidth, fromMs: number, toMs: number): Candle[] {
    const width = bars.minutes * MINUTE_MS
    const first = this.minutes[0]
    if (!first) return []
    const start = barStart(bars, Math.max(fromMs, first.tickMs))
    const found: Candle[] = []
    let index = this.minutes.findIndex(minute => minute.tickMs >= start)
    if (index < 0) index = this.minutes.length
    let close = this.minutes[index - 1]?.close
    for (let tickMs = start; tickMs <= toMs; tickMs += width) {
      const bar = { tickMs, open: close ?? 0, high: close ?? 0, low: close ?? 0, close: close ?? 0, volume: 0, cost: 0 }
      let filled = close !== undefined
      for (let minute = this.minutes[index]; minute && minute.tickMs < tickMs + width; minute = this.minutes[++index]) {
        if (!filled || bar.volume === 0) Object.assign(bar, { open: minute.open, high: minute.high, low: minute.low })
        filled = true
        bar.high = Math.max(bar.high, minute.high)
        bar.low = Math.min(bar.low, minute.low)
        bar.close = minute.close
        bar.volume += minute.volume
        bar.cost += minute.cost
      }
      close = bar.close
      if (filled) found.push(bar)
    }
    return found
  }
}
