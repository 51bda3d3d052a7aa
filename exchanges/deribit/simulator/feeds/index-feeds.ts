import type { Json, JsonObject } from '../../../../simulator/json.js'
import type { MarketEvent } from '../../../../simulator/market/events.js'
import { nextExpiryHour } from '../calendar.js'
import { round } from '../../../../simulator/market/index-price.js'
import type { Market } from '../../../../simulator/market/market.js'
import { Feed, SUBJECTS } from '../../../../simulator/feed.js'
import { AGG2_MS, AT_ONCE } from '../intervals.js'

/** What an index feed shows: `data` at a time, from the market alone. */
export type IndexContent = (market: Market, index: string, ms: number) => Json

/** A channel about one index: whole at first, then again every `everySeconds`. */
export class IndexFeed extends Feed {
  readonly subjects = [SUBJECTS.second]
  private sentMs = 0

  constructor(
    market: Market,
    private readonly index: string,
    private readonly content: IndexContent,
    private readonly everySeconds = 1,
  ) {
    super(market, AT_ONCE)
  }

  override first(ms: number): Json[] {
    return [this.content(this.market, this.index, ms)]
  }

  override take(event: MarketEvent): boolean {
    return event.ms - this.sentMs >= this.everySeconds * 1000
  }

  override drain(ms: number): Json {
    this.sentMs = ms
    return this.content(this.market, this.index, ms)
  }
}

export const priceIndex: IndexContent = (market, index, ms) => ({
  timestamp: ms,
  price: market.indices.price(index),
  index_name: index,
})

const SOURCES = ['bitstamp', 'coinbase', 'gemini', 'itbit', 'kraken', 'lmax', `proxy_usd`] as const

/** One source is always down, and shows nulls. */
export const priceRanking: IndexContent = (market, index, ms) =>
  SOURCES.map((identifier, position) => {
    const up = position !== 3
    const price = round(market.indices.price(index) * (1 + (position - 3) * 1e-5), 4)
    return {
      identifier,
      enabled: up,
      weight: up ? round(100 / (SOURCES.length - 1), 4) : 0,
      price: up ? price : null,
      original_price: up ? price : null,
      timestamp: up ? ms - position * 37 : null,
    }
  })

export const priceStatistics: IndexContent = (market, index) => {
  const { low, high, open } = market.indices.range(index)
  const change = round((market.indices.price(index) / open - 1) * 100, 4)
  return { index_name: index, low24h: low, high24h: high, change24h: change, high_volatility: false }
}

/** Thirty days ahead. */
const DVOL_YEARS = 30 / 365

export const volatilityIndex: IndexContent = (market, index, ms) => ({
  timestamp: ms,
  volatility: round(market.pricing.volatility(index.split('_')[0]?.toUpperCase() ?? '', DVOL_YEARS) * 100, 4),
  index_name: index,
})

/** The delivery price is averaged over the last half hour before 08:00. */
const AVERAGING_SECONDS = 1800
const TICKS_PER_SECOND = 0.25

export const expirationEstimate: IndexContent = (market, index, ms) => {
  const seconds = Math.floor((nextExpiryHour(ms) - ms) / 1000)
  const price = market.indices.price(index)
  if (seconds > AVERAGING_SECONDS) return { seconds, price, is_estimated: false }
  const ticks = {
    left_ticks: Math.floor(seconds * TICKS_PER_SECOND),
    total_ticks: AVERAGING_SECONDS * TICKS_PER_SECOND,
  }
  return { seconds, price, is_estimated: true, ...ticks }
}

/** `markprice.options.{index}`: all options at first, then those whose mark moved. IV is a fraction here. */
export class OptionMarksFeed extends Feed {
  readonly subjects = [SUBJECTS.second]
  private readonly known = new Map<string, string>()

  constructor(
    market: Market,
    private readonly index: string,
  ) {
    super(market, AGG2_MS)
  }

  override first(ms: number): Json[] {
    return [this.marks(ms, false)]
  }

  override take(): boolean {
    return true
  }

  override drain(ms: number): Json | undefined {
    const changed = this.marks(ms, true)
    return changed.length > 0 ? changed : undefined
  }

  private marks(ms: number, changedOnly: boolean): JsonObject[] {
    const rows: JsonObject[] = []
    for (const { instrument, name } of this.market.listings.values()) {
      if (instrument.kind !== 'option' || instrument.index !== this.index) continue
      const mark = this.market.pricing.mark(instrument, ms)
      const iv = round(mark.iv ?? 0, 4)
      const figures = `${mark.price} ${iv}`
      if (changedOnly && this.known.get(name) === figures) continue
      if (changedOnly) this.known.set(name, figures)
      rows.push({ timestamp: ms, iv, instrument_name: name, mark_price: mark.price })
    }
    return rows
  }
}
