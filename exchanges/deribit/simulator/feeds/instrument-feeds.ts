import type { Json, JsonObject } from '../../../../simulator/json.js'
import type { BarWidth, Candle } from '../../../../simulator/market/candles.js'
import type { MarketEvent } from '../../../../simulator/market/events.js'
import { isPerpetual } from '../../../../simulator/market/instruments.js'
import { round } from '../../../../simulator/market/index-price.js'
import type { Listing } from '../../../../simulator/market/listing.js'
import type { Market } from '../../../../simulator/market/market.js'
import { best, tickerFields } from '../ticker.js'
import type { Trade } from '../../../../simulator/market/trades.js'
import { tradeFields } from '../trade-fields.js'
import { Feed, SUBJECTS } from '../../../../simulator/feed.js'
import { AGG2_MS, AT_ONCE, EVERY_100_MS } from '../intervals.js'

/** `trades.{instrument}.…` and `trades.{kind}.{currency}.…`: nothing at first, then every trade. */
export class TradesFeed extends Feed {
  private pending: Trade[] = []

  constructor(
    market: Market,
    readonly subjects: readonly string[],
    paceMs: number,
  ) {
    super(market, paceMs)
  }

  override first(): Json[] {
    return []
  }

  override take(event: MarketEvent): boolean {
    if (event.type !== 'trades') return false
    this.pending.push(...event.trades)
    return true
  }

  override drain(): Json | undefined {
    if (this.pending.length === 0) return undefined
    const trades = this.pending.map(tradeFields)
    this.pending = []
    return trades
  }
}

/** `quote.{instrument}`: at each change of the best level, never thinned out. */
export class QuoteFeed extends Feed {
  readonly subjects: readonly string[]

  constructor(
    market: Market,
    private readonly listing: Listing,
  ) {
    super(market, AT_ONCE)
    this.subjects = [listing.name]
  }

  override first(): Json[] {
    return [this.drain()]
  }

  override take(event: MarketEvent): boolean {
    return event.type === 'book' && event.bestChanged
  }

  override drain(): Json {
    return { timestamp: this.listing.book.changedMs, instrument_name: this.listing.name, ...best(this.listing) }
  }
}

/** A quiet ticker is sent again after this. */
const TICKER_REPEAT_MS = 5_000

/** `ticker.{instrument}.{interval}`: the whole ticker each time. */
export class TickerFeed extends Feed {
  readonly subjects: readonly string[]

  constructor(
    market: Market,
    private readonly listing: Listing,
    paceMs: number,
  ) {
    super(market, paceMs)
    this.subjects = isPerpetual(listing.instrument) ? [listing.name, SUBJECTS.second] : [listing.name]
  }

  override first(ms: number): Json[] {
    return [this.drain(ms)]
  }

  override take(event: MarketEvent): boolean {
    return event.type !== 'book' || event.bestChanged
  }

  override drain(ms: number): Json {
    return tickerFields(this.listing, this.market, ms)
  }

  override get repeatAfterMs(): number | undefined {
    return this.listing.state === 'open' ? TICKER_REPEAT_MS : undefined
  }
}

/** Whole again when nothing changed for so long. */
const INCREMENTAL_REPEAT_MS = 62_000

/** `incremental_ticker.{instrument}`: a snapshot, then only what changed, at most one a second. */
export class IncrementalTickerFeed extends Feed {
  readonly subjects: readonly string[]
  private known: JsonObject = {}
  private changedMs = 0

  constructor(
    market: Market,
    private readonly listing: Listing,
  ) {
    super(market, AGG2_MS)
    this.subjects = [listing.name, SUBJECTS.second]
  }

  override first(ms: number): Json[] {
    const ticker = tickerFields(this.listing, this.market, ms)
    if (this.changedMs === 0) this.remember(ticker, ms)
    return [{ type: 'snapshot', ...ticker }]
  }

  override take(): boolean {
    return true
  }

  override drain(ms: number): Json | undefined {
    const ticker = tickerFields(this.listing, this.market, ms)
    const changed = difference(this.known, ticker)
    delete changed['timestamp']
    if (Object.keys(changed).length === 0) {
      if (ms - this.changedMs < INCREMENTAL_REPEAT_MS) return undefined
      this.remember(ticker, ms)
      return { type: 'snapshot', ...ticker }
    }
    this.remember(ticker, ms)
    return { type: 'change', timestamp: ms, instrument_name: this.listing.name, ...changed }
  }

  private remember(ticker: JsonObject, ms: number): void {
    this.known = ticker
    this.changedMs = ms
  }
}

/** Keys of `after` whose value is another one than in `before`; objects inside are thinned out the same way. */
function difference(before: JsonObject, after: JsonObject): Record<string, Json> {
  const changed: Record<string, Json> = {}
  for (const [key, value] of Object.entries(after)) {
    const old = before[key]
    if (old === value) continue
    if (isObject(value) && isObject(old)) {
      const inner = difference(old, value)
      if (Object.keys(inner).length > 0) changed[key] = inner
    } else changed[key] = value
  }
  return changed
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Funding is sent at most this often; the live service sends it 83 to 105 times a minute. */
const FUNDING_EVERY_MS = 560

/** `perpetual.{instrument}.{interval}`: funding, sent as its book goes on; names no instrument. */
export class PerpetualFeed extends Feed {
  readonly subjects: readonly string[]
  private sentMs = 0

  constructor(
    market: Market,
    private readonly listing: Listing,
    paceMs: number,
  ) {
    super(market, paceMs)
    this.subjects = [listing.name, SUBJECTS.second]
  }

  override first(ms: number): Json[] {
    return isPerpetual(this.listing.instrument) ? [this.content(ms)] : []
  }

  /** Other instruments than perpetuals are accepted and never say anything. */
  override take(event: MarketEvent): boolean {
    return isPerpetual(this.listing.instrument) && event.ms - this.sentMs >= FUNDING_EVERY_MS
  }

  override drain(ms: number): Json {
    this.sentMs = ms
    return this.content(ms)
  }

  private content(ms: number): JsonObject {
    const { instrument } = this.listing
    const interest = this.market.pricing.premium(instrument.underlying)
    return { index_price: this.market.indices.price(instrument.index), interest, timestamp: ms }
  }
}

/** `chart.trades.{instrument}.{resolution}`: the running bar, many times; a flat one when a new bar starts empty. */
export class ChartFeed extends Feed {
  readonly subjects: readonly string[]
  private sentTickMs = 0

  constructor(
    market: Market,
    private readonly listing: Listing,
    private readonly width: BarWidth,
  ) {
    super(market, EVERY_100_MS)
    this.subjects = [listing.name, SUBJECTS.second]
  }

  override first(ms: number): Json[] {
    const bar = this.bar(ms)
    return bar ? [candleFields(bar)] : []
  }

  override take(event: MarketEvent): boolean {
    return event.type === 'trades' || (event.type === 'second' && this.bar(event.ms)?.tickMs !== this.sentTickMs)
  }

  override drain(ms: number): Json | undefined {
    const bar = this.bar(ms)
    if (!bar) return undefined
    this.sentTickMs = bar.tickMs
    return candleFields(bar)
  }

  private bar(ms: number): Candle | undefined {
    return this.listing.candles.bar(this.width, ms)
  }
}

export function candleFields(bar: Candle): JsonObject {
  const { tickMs, open, high, low, close, volume, cost } = bar
  return { tick: tickMs, open, high, low, close, volume: round(volume, 8), cost: round(cost, 8) }
}
