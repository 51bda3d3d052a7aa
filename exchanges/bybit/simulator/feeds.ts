import type { Json, JsonObject } from '../../../simulator/json.js'
import { SUBJECTS, Feed, tradesSubject } from '../../../simulator/feed.js'
import type { MarketEvent } from '../../../simulator/market/events.js'
import { barStart, type BarWidth } from '../../../simulator/market/candles.js'
import type { Listing } from '../../../simulator/market/listing.js'
import type { Market } from '../../../simulator/market/market.js'
import type { Trade } from '../../../simulator/market/trades.js'
import { tickerOf } from './ticker.js'
import { amountText, plainText, priceText } from './text-numbers.js'

/** What channels remember over the end of their subscribers, and what they are ordered to do. */
export interface FeedState {
  /** The last `u` of each channel. */
  updates: Map<string, number>
  /** Whether a channel's book is ordered to begin anew. */
  beginsAnew: (channel: string) => boolean
  /** Books of all levels that are open, by channel: methods answer from them. */
  fullBooks: Map<string, BookFeed>
}

/** A pushed frame but for its topic: what stands beside the data is part of it. */
const pushed = (type: 'snapshot' | 'delta', ts: number, data: Json, more: JsonObject = {}): JsonObject => ({
  type,
  ts,
  data,
  ...more,
})

type Side = 'bids' | 'asks'
const SIDES = ['bids', 'asks'] as const

/** One in so many prices and trades has orders that only retail orders may take. */
const RPI_EVERY = 5
export const isRpi = ({ tradeSeq }: Trade) => tradeSeq % RPI_EVERY === 0

const levelsOf = (side: ReadonlyMap<string, readonly string[]>) =>
  [...side].map(([price, amounts]) => [price, ...amounts])

/** `orderbook.{depth}.{symbol}`: a window of the book. What leaves it is sent as deleted; a snapshot may come at any time. */
export class BookFeed extends Feed {
  readonly subjects: readonly string[]
  override readonly lateAfterSnapshot: boolean = false
  #sent: Record<Side, Map<string, readonly string[]>> = { bids: new Map(), asks: new Map() }

  constructor(
    market: Market,
    private readonly channel: string,
    private readonly listing: Listing,
    private readonly depth: number,
    paceMs: number,
    private readonly state: FeedState,
    /** `rpi`: levels also show what only retail orders may take. `full`: changes alone, the book is asked for. */
    private readonly form: 'plain' | 'rpi' | 'full' = 'plain',
  ) {
    super(market, paceMs)
    this.subjects = [listing.name]
    for (const side of SIDES) this.#sent[side] = this.#window(side)
  }

  /** Level 1 is always whole, and sent again where nothing changes. */
  override get repeatAfterMs(): number | undefined {
    return this.depth === 1 ? 3000 : undefined
  }

  override first(ms: number): Json[] {
    return this.form === 'full' ? [] : [this.#snapshot(ms)]
  }

  override take(event: MarketEvent): boolean {
    return event.type === 'book'
  }

  /** The book of the last change, as methods answer it. */
  whole(ms: number, levelsMax: number): JsonObject {
    const [b, a] = SIDES.map(side => levelsOf(this.#sent[side]).slice(0, levelsMax))
    const { book, instrument } = this.listing
    return { s: instrument.symbol, b: b ?? [], a: a ?? [], ts: ms, u: this.#u, seq: book.changeId, cts: book.changedMs }
  }

  override drain(ms: number): Json | undefined {
    const beginsAnew = this.state.beginsAnew(this.channel)
    if (beginsAnew) this.state.updates.set(this.channel, this.form === 'full' ? 0 : 1)
    if (beginsAnew && this.form !== 'full') {
      for (const side of SIDES) this.#sent[side] = this.#window(side)
      return this.#snapshot(ms)
    }
    const changes = Object.fromEntries(SIDES.map(side => [side, this.#changes(side)])) as Record<Side, string[][]>
    if (changes.bids.length + changes.asks.length === 0 && !beginsAnew)
      return this.depth === 1 ? this.#snapshot(ms) : undefined
    this.state.updates.set(this.channel, this.#u + 1)
    return this.depth === 1 ? this.#snapshot(ms) : this.#frame('delta', ms, changes.bids, changes.asks)
  }

  get #u(): number {
    return this.state.updates.get(this.channel) ?? 1000
  }

  /** What stands behind each price. */
  #window(side: Side): Map<string, readonly string[]> {
    const levels = this.listing.book[side].slice(0, this.depth)
    const amount = (units: number) => amountText(this.listing, this.listing.amountOf(units))
    return new Map(
      levels.map(({ ticks, units }) => {
        const rpi = this.form === 'rpi' ? [ticks % RPI_EVERY === 0 ? amount(units) : '0'] : []
        return [priceText(this.listing, this.listing.priceOf(ticks)), [amount(units), ...rpi]]
      }),
    )
  }

  /** What changed of the window since the last frame, in the order of prices. */
  #changes(side: Side): string[][] {
    const before = this.#sent[side]
    const now = this.#window(side)
    this.#sent[side] = now
    const changed = levelsOf(now).filter(([price = '', ...amounts]) => before.get(price)?.join() !== amounts.join())
    const gone = [...before.keys()]
      .filter(price => !now.has(price))
      .map(price => (this.form === 'rpi' ? [price, '0', '0'] : [price, '0']))
    const sign = side === 'bids' ? -1 : 1
    return [...changed, ...gone].sort(([a], [b]) => sign * (Number(a) - Number(b)))
  }

  #snapshot(ms: number): Json {
    return this.#frame('snapshot', ms, levelsOf(this.#sent.bids), levelsOf(this.#sent.asks))
  }

  #frame(type: 'snapshot' | 'delta', ms: number, b: readonly string[][], a: readonly string[][]): Json {
    const { book, instrument } = this.listing
    const data = { s: instrument.symbol, b, a, u: this.#u, seq: book.changeId }
    return pushed(type, ms, data, { cts: Math.min(ms, book.changedMs) })
  }
}

/** `publicTrade.{symbol}`, of options `publicTrade.{coin}`; `allLiquidation.{symbol}` shares its sorting of events. */
export class TradesFeed extends Feed {
  readonly subjects: readonly string[]
  #pending: { listing: Listing; trade: Trade }[] = []

  constructor(
    market: Market,
    private readonly wants: { listing: Listing } | { coin: string },
  ) {
    super(market, 0)
    this.subjects = ['listing' in wants ? wants.listing.name : tradesSubject('option', 'any')]
  }

  override first(): Json[] {
    return []
  }

  override take(event: MarketEvent): boolean {
    if (event.type !== 'trades') return false
    const { listing, trades } = event
    if ('coin' in this.wants && listing.instrument.base !== this.wants.coin) return false
    this.#pending.push(...trades.map(trade => ({ listing, trade })))
    return this.#pending.length > 0
  }

  override drain(ms: number): Json | undefined {
    const rows = this.#pending.splice(0).map(({ listing, trade }) => tradeRow(listing, trade))
    return rows.length > 0 ? pushed('snapshot', ms, rows) : undefined
  }
}

const TICKS = ['PlusTick', 'ZeroPlusTick', 'MinusTick', 'ZeroMinusTick'] as const
export const sideOf = ({ direction }: Trade) => (direction === 'buy' ? 'Buy' : 'Sell')

function tradeRow(listing: Listing, trade: Trade): JsonObject {
  const { instrument } = listing
  const { category, symbol } = instrument
  const [p, v] = [priceText(listing, trade.price), amountText(listing, trade.amount)]
  const [T, S, i, BT] = [trade.timestampMs, sideOf(trade), trade.tradeId, trade.blockId !== undefined]
  const seq = Number(trade.matchId)
  if (category === 'spot') return { i, T, p, v, S, seq, s: symbol, BT, RPI: isRpi(trade) }
  if (category !== 'option')
    return { T, s: symbol, S, v, p, L: TICKS[trade.tickDirection] ?? 'PlusTick', i, BT, RPI: isRpi(trade), seq }
  const iv = plainText((trade.iv ?? 0) / 100, 4)
  const [mP, iP] = [plainText(trade.markPrice), plainText(trade.indexPrice)]
  return { i, T, p, v, S, seq, s: symbol, BT, mP, iP, mIv: iv, iv }
}

/** One liquidation in so many trades. */
const LIQUIDATED = 40

/** `allLiquidation.{symbol}`: all of the last half second. `S` is the side of the position. */
export class LiquidationFeed extends Feed {
  readonly subjects: readonly string[]
  #pending: Trade[] = []

  constructor(
    market: Market,
    private readonly listing: Listing,
  ) {
    super(market, 500)
    this.subjects = [listing.name]
  }

  override first(): Json[] {
    return []
  }

  override take(event: MarketEvent): boolean {
    if (event.type !== 'trades') return false
    this.#pending.push(...event.trades.filter(({ tradeSeq }) => tradeSeq % LIQUIDATED === 0))
    return this.#pending.length > 0
  }

  override drain(ms: number): Json | undefined {
    const rows = this.#pending.splice(0).map(trade => ({
      T: trade.timestampMs,
      s: this.listing.instrument.symbol,
      // A long is liquidated by a sale.
      S: trade.direction === 'sell' ? 'Buy' : 'Sell',
      v: amountText(this.listing, trade.amount),
      p: priceText(this.listing, trade.price),
    }))
    return rows.length > 0 ? pushed('snapshot', ms, rows) : undefined
  }
}

/** `tickers.{symbol}`: whole at spot and of options; of others a snapshot, then what changed. */
export class TickerFeed extends Feed {
  readonly subjects: readonly string[]
  #sent: JsonObject = {}

  constructor(
    market: Market,
    private readonly listing: Listing,
  ) {
    super(market, listing.instrument.kind === 'spot' ? 50 : 100)
    this.subjects = [listing.name, SUBJECTS.second]
    this.#sent = tickerOf(market, listing)
  }

  override first(ms: number): Json[] {
    return [this.#frame('snapshot', ms, this.#sent)]
  }

  override take(event: MarketEvent): boolean {
    return event.type === 'book' || event.type === 'trades' || event.type === 'second'
  }

  override drain(ms: number): Json | undefined {
    const now = tickerOf(this.market, this.listing)
    const changed = Object.entries(now).filter(([name, value]) => this.#sent[name] !== value)
    this.#sent = now
    if (changed.length === 0) return undefined
    const { category, symbol } = this.listing.instrument
    const isWhole = category === 'spot' || category === 'option'
    return isWhole
      ? this.#frame('snapshot', ms, now)
      : this.#frame('delta', ms, { symbol, ...Object.fromEntries(changed) })
  }

  #frame(type: 'snapshot' | 'delta', ms: number, data: JsonObject): Json {
    const { category } = this.listing.instrument
    return pushed(type, ms, data, category === 'option' ? {} : { cs: this.listing.book.changeId })
  }
}

/** `kline.{interval}.{symbol}`: the bar as it grows; the old one as confirmed together with the new one, at spot alone. */
export class KlineFeed extends Feed {
  readonly subjects: readonly string[]
  #startMs: number | undefined

  constructor(
    market: Market,
    private readonly listing: Listing,
    private readonly interval: string,
    private readonly width: BarWidth,
  ) {
    super(market, 1000)
    this.subjects = [listing.name]
  }

  override first(ms: number): Json[] {
    const bar = this.#bar(ms, false)
    return bar ? [pushed('snapshot', ms, [bar])] : []
  }

  override take(event: MarketEvent): boolean {
    return event.type === 'trades'
  }

  override drain(ms: number): Json | undefined {
    const startMs = barStart(this.width, ms)
    const before = this.#startMs
    this.#startMs = startMs
    const old = before !== undefined && before < startMs ? this.#bar(before, true) : undefined
    const bar = this.#bar(ms, false)
    const all = [old, bar].flatMap(row => row ?? [])
    const rows = this.listing.instrument.kind === 'spot' ? all.slice(0, 1) : all
    return rows.length > 0 ? pushed('snapshot', ms, rows) : undefined
  }

  #bar(ms: number, confirm: boolean): JsonObject | undefined {
    const bar = this.listing.candles.bar(this.width, ms)
    if (!bar) return undefined
    const isInverse = this.listing.instrument.category === 'inverse'
    const price = (value: number) => priceText(this.listing, value)
    return {
      start: bar.tickMs,
      end: bar.tickMs + this.width.minutes * 60_000 - 1,
      interval: this.interval,
      open: price(bar.open),
      close: price(bar.close),
      high: price(bar.high),
      low: price(bar.low),
      volume: plainText(isInverse ? bar.cost : bar.volume),
      turnover: plainText(isInverse ? bar.volume : bar.cost),
      confirm,
      timestamp: Math.min(ms, bar.tickMs + this.width.minutes * 60_000 - 1),
    }
  }
}

/** How something stands, again and again. */
export class PeriodicFeed extends Feed {
  readonly subjects = [SUBJECTS.second]
  readonly #everyMs: number
  readonly #make: (ms: number) => JsonObject
  #sentMs = -Infinity

  constructor(market: Market, everyMs: number, make: (ms: number) => JsonObject) {
    super(market, 0)
    this.#everyMs = everyMs
    this.#make = make
  }

  override first(ms: number): Json[] {
    return [this.#make(ms)]
  }

  override take({ ms }: MarketEvent): boolean {
    return ms - this.#sentMs >= this.#everyMs
  }

  override drain(ms: number): Json {
    this.#sentMs = ms
    return this.#make(ms)
  }
}

/** Orders are taken within two of a hundred of the mark price. */
export function limitOf(market: Market, listing: Listing, ms: number): JsonObject {
  const { exact } = market.pricing.mark(listing.instrument, ms)
  const at = (factor: number) => priceText(listing, exact * factor)
  return { symbol: listing.instrument.symbol, buyLmt: at(1.02), sellLmt: at(0.98) }
}

const DAY_MS = 86_400_000

/** Maintenance at the end of the day. */
export function announcement(ms: number): JsonObject {
  const dayMs = ms - (ms % DAY_MS)
  return {
    ...{ id: '4d95b2a0-587f-11f0-bcc9-56f28c94d6ea', title: 'System maintenance', state: 'scheduled' },
    ...{ begin: String(dayMs + DAY_MS), end: String(dayMs + DAY_MS + 600_000), href: '' },
    ...{ serviceTypes: [2, 3, 4, 5], product: [1, 2], uidSuffix: [], maintainType: 1, env: 1 },
  }
}
