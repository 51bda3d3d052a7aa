import { barStart, MINUTE_MS, type BarWidth, type Candle } from './candles.js'
import type { Listing } from './listing.js'
import { fixedChance } from './random.js'

/** How far prices of the past lie from the first one that is known, as a fraction of it. */
const SWING = 0.02
const WICK_TICKS = 3
const UNITS_A_MINUTE = 40

/**
 * Bars from before the market began: made of seed and time alone, so that they read the same whenever and in whatever
 * width they are asked for. They begin with the instrument, and end where its own trades begin.
 */
export function pastCandles(listing: Listing, seed: number, bars: BarWidth, fromMs: number, limit: number): Candle[] {
  const first = listing.candles.first
  if (!first) return []
  const { instrument } = listing
  const { grid } = instrument
  const center = grid.toTicks(first.open)
  const priceAt = (ms: number) => {
    const chance = fixedChance(seed, instrument.id, Math.floor(ms / MINUTE_MS))
    const ticks = center * (1 + SWING * (chance - 0.5))
    return Math.max(grid.snap(ticks, 'floor'), grid.stepAt(ticks))
  }
  const width = bars.minutes * MINUTE_MS
  const endMs = barStart(bars, first.tickMs)
  const beginMs = Math.max(barStart(bars, Math.max(fromMs, instrument.createdMs)), endMs - limit * width)
  const candles: Candle[] = []
  for (let tickMs = beginMs; tickMs < endMs; tickMs += width) {
    const [open, close] = [priceAt(tickMs), priceAt(tickMs + width)]
    const high = Math.max(open, close) + WICK_TICKS * grid.stepAt(open)
    candles.push({
      tickMs,
      open: listing.priceOf(open),
      high: listing.priceOf(high),
      low: listing.priceOf(Math.min(open, close)),
      close: listing.priceOf(close),
      ...listing.turnover(listing.amountOf(UNITS_A_MINUTE * bars.minutes), listing.priceOf(close)),
    })
  }
  return candles
}
