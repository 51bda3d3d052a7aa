import type { JsonObject } from '../../../simulator/json.js'
import type { Faults } from '../../../simulator/faults.js'
import { NEVER_MS } from '../../../simulator/market/calendar.js'
import type { Listing } from '../../../simulator/market/listing.js'
import type { Market } from '../../../simulator/market/market.js'
import type { Mark } from '../../../simulator/market/pricing.js'
import { CATEGORIES, type Category } from '../names.js'
import { announcement, isRpi, sideOf, type BookFeed } from './feeds.js'
import { amountText, plainText, priceText } from './text-numbers.js'
import { tickerOf } from './ticker.js'

/** What a method knows of the market. */
export interface MethodWorld {
  market: Market
  faults: Faults
  nowMs: () => number
  /** The book of all levels of a pair. */
  fullBook: (symbol: string) => BookFeed | undefined
}

export type Query = Readonly<Record<string, string>>

/** The exchange says no. */
export class MethodError extends Error {
  constructor(
    readonly retCode: number,
    message: string,
  ) {
    super(message)
  }
}

const PARAMS_ERROR = 10001
/** Levels of each side in an answer with the book of all levels. */
const FULL_LEVELS_MAX = 10_000

/** What methods there are, below `/v5/`: each gives a `result`. */
export const METHODS: Readonly<Record<string, (query: Query, world: MethodWorld) => JsonObject>> = {
  'market/time': (_query, { nowMs }) => ({
    timeSecond: String(Math.floor(nowMs() / 1000)),
    timeNano: String(nowMs() * 1e6),
  }),
  'market/instruments-info': instruments,
  'market/recent-trade': recentTrades,
  'market/funding/history': fundingHistory,
  'market/open-interest': openInterest,
  'market/mark-price-kline': (query, world) => priceBars(query, world, ({ exact }) => exact),
  'market/index-price-kline': (query, world) => priceBars(query, world, ({ index }) => index),
  'market/premium-index-price-kline': (query, world) =>
    priceBars(query, world, ({ exact, index }) => exact / index - 1),
  'market/account-ratio': accountRatio,
  'market/delivery-price': deliveries,
  'market/insurance': (_query, { market }) => ({
    updatedTime: String(market.nowMs),
    list: [{ coin: 'USDT', symbols: '', balance: '123456789.123456', value: '123456789.12' }],
  }),
  'system/status': (_query, { nowMs }) => ({ list: [announcement(nowMs())] }),
  'market/tickers': (query, { market }) => {
    const category = categoryIn(query)
    return { category, list: chosen(query, market, category).map(listing => tickerOf(market, listing)) }
  },
  'market/full_orderbook': (query, { nowMs, fullBook }) => {
    const book = categoryIn(query) === 'spot' ? fullBook(query['symbol'] ?? '') : undefined
    if (!book) throw new MethodError(10029, 'The requested symbol is invalid.')
    return book.whole(nowMs(), FULL_LEVELS_MAX)
  },
  'market/orderbook': (query, { market }) => {
    const listing = oneOf(query, market)
    const limit = Number(query['limit'] ?? 25)
    const side = (name: 'bids' | 'asks') =>
      listing.book[name]
        .slice(0, limit)
        .map(({ ticks, units }) => [
          priceText(listing, listing.priceOf(ticks)),
          amountText(listing, listing.amountOf(units)),
        ])
    const { changeId, changedMs } = listing.book
    return {
      s: listing.instrument.symbol,
      b: side('bids'),
      a: side('asks'),
      ts: market.nowMs,
      u: 1,
      seq: changeId,
      cts: changedMs,
    }
  },
}

function categoryIn(query: Query): Category {
  const found = CATEGORIES.find(category => category === query['category'])
  if (!found) throw new MethodError(PARAMS_ERROR, 'params error: Category is invalid')
  return found
}

/** By default those of options are of BTC alone. */
function chosen(
  query: Query,
  market: Market,
  category: Category,
  among: Iterable<Listing> = market.listings.values(),
): Listing[] {
  const { symbol, baseCoin = category === 'option' && symbol === undefined ? 'BTC' : undefined } = query
  return [...among].filter(
    ({ instrument }) =>
      instrument.category === category &&
      (symbol === undefined || instrument.symbol === symbol) &&
      (baseCoin === undefined || instrument.base === baseCoin),
  )
}

function oneOf(query: Query, market: Market): Listing {
  const [listing] = chosen(query, market, categoryIn(query))
  if (!listing || query['symbol'] === undefined) throw new MethodError(10029, 'The requested symbol is invalid.')
  return listing
}

/** Only those that trade, unless asked otherwise; spot knows no pages. */
function instruments(query: Query, { market, faults }: MethodWorld): JsonObject {
  const category = categoryIn(query)
  const { status = 'Trading', cursor = '' } = query
  if (status !== 'Trading') return { category, list: [], nextPageCursor: '' }
  const all = faults.distort(category, chosen(query, market, category).map(definition), row =>
    typeof row['symbol'] === 'string' ? row['symbol'] : '',
  )
  if (category === 'spot') return { category, list: all }
  const limit = Math.min(1000, Number(query['limit'] ?? 500))
  const from = Number(cursor.split(',')[0] ?? 0) || 0
  const next = from + limit < all.length ? `${from + limit},${limit}` : ''
  return { category, nextPageCursor: next, list: all.slice(from, from + limit) }
}

function definition(listing: Listing): JsonObject {
  const { instrument } = listing
  const { category, symbol, base, quote, settle, createdMs, expiryMs, kind, grid, minAmount, id } = instrument
  const common = { symbol, status: 'Trading', baseCoin: base, quoteCoin: quote }
  const tickSize = plainText(grid.tickSize)
  const least = plainText(minAmount)
  if (category === 'spot') {
    const lotSizeFilter = {
      basePrecision: least,
      quotePrecision: '0.0000001',
      minOrderQty: least,
      maxOrderQty: '230',
      minOrderAmt: '5',
    }
    return {
      symbolId: id,
      ...common,
      innovation: '0',
      marginTrading: 'utaOnly',
      stTag: '0',
      lotSizeFilter,
      priceFilter: { tickSize },
      symbolType: '',
    }
  }
  const times = {
    launchTime: String(createdMs),
    deliveryTime: expiryMs === NEVER_MS ? '0' : String(expiryMs),
    deliveryFeeRate: '',
  }
  const lotSizeFilter = { maxOrderQty: '500', minOrderQty: least, qtyStep: least }
  const own = {
    settleCoin: settle,
    priceFilter: { minPrice: tickSize, maxPrice: '1999999', tickSize },
    lotSizeFilter,
    displayName: '',
  }
  if (kind === 'option') return { ...common, ...times, optionsType: instrument.call ? 'Call' : 'Put', ...own }
  const contractType = `${category === 'inverse' ? 'Inverse' : 'Linear'}${kind === 'perpetual' ? 'Perpetual' : 'Futures'}`
  return {
    ...{ contractType, ...common, ...times, priceScale: '2' },
    ...own,
    ...{ unifiedMarginTrade: true, fundingInterval: kind === 'perpetual' ? 480 : 0, copyTrading: 'both' },
    ...{ isPreListing: false, preListingInfo: null, symbolType: '', forbidUplWithdrawal: false, symbolId: id },
  }
}

/** The newest first; no times, no pages. */
function recentTrades(query: Query, { market, faults }: MethodWorld): JsonObject {
  const category = categoryIn(query)
  const limit = Math.min(category === 'spot' ? 60 : 1000, Number(query['limit'] ?? 500))
  const listings = chosen(query, market, category)
  if (listings.length === 0) throw new MethodError(10029, 'The requested symbol is invalid.')
  // By coin also those that ended, as far as anybody knows.
  const ended = query['symbol'] === undefined ? chosen(query, market, category, market.expired.values()) : []
  const rows = [...listings, ...ended]
    .flatMap(listing =>
      faults.hidesHistory(listing.name) ? [] : listing.trades.all.map(trade => ({ listing, trade })),
    )
    .sort((a, b) => b.trade.timestampMs - a.trade.timestampMs || Number(b.trade.matchId - a.trade.matchId))
    .slice(0, limit)
  const list = rows.map(({ listing, trade }) => ({
    execId: trade.tradeId,
    symbol: listing.instrument.symbol,
    price: priceText(listing, trade.price),
    size: amountText(listing, trade.amount),
    side: sideOf(trade),
    time: String(trade.timestampMs),
    isBlockTrade: trade.blockId !== undefined,
    isRPITrade: listing.instrument.category !== 'option' && isRpi(trade),
    seq: String(trade.matchId),
    ...(category === 'option'
      ? {
          mP: plainText(trade.markPrice),
          iP: plainText(trade.indexPrice),
          mIv: plainText((trade.iv ?? 0) / 100, 4),
          iv: plainText((trade.iv ?? 0) / 100, 4),
        }
      : {}),
  }))
  return { category, list }
}

const HISTORY_ROWS = 200
const FUNDING_HOURS = 8

function fundingHistory(query: Query, { market, nowMs }: MethodWorld): JsonObject {
  const category = categoryIn(query)
  const { instrument } = oneOf(query, market)
  const { startTime, endTime = String(nowMs()) } = query
  const toMs = Number(endTime)
  const fromMs = startTime === undefined ? toMs - HISTORY_ROWS * 3_600_000 : Number(startTime)
  const list = market.funding
    .history(instrument, fromMs, toMs, nowMs())
    .filter(({ timestampMs }) => (timestampMs / 3_600_000) % FUNDING_HOURS === 0)
    .reverse()
    .slice(0, HISTORY_ROWS)
    .map(({ timestampMs, interest8h }) => ({
      symbol: instrument.symbol,
      fundingRate: plainText(interest8h),
      fundingRateTimestamp: String(timestampMs),
    }))
  return { category, list }
}

const STEP_MINUTES: Readonly<Record<string, number>> = {
  '5min': 5,
  '15min': 15,
  '30min': 30,
  '1h': 60,
  '4h': 240,
  '1d': 1440,
}

function openInterest(query: Query, { market, nowMs }: MethodWorld): JsonObject {
  const category = categoryIn(query)
  const listing = oneOf(query, market)
  const stepMs = (STEP_MINUTES[query['intervalTime'] ?? ''] ?? 60) * 60_000
  const toMs = Math.min(Number(query['endTime'] ?? nowMs()), nowMs())
  const fromMs = Number(query['startTime'] ?? toMs - HISTORY_ROWS * stepMs)
  const list: JsonObject[] = []
  for (let ms = Math.floor(toMs / stepMs) * stepMs; ms >= fromMs && list.length < HISTORY_ROWS; ms -= stepMs) {
    const single = listing.openInterest
    list.push({
      openInterest: amountText(listing, single * 2),
      singleOpenInterest: amountText(listing, single),
      timestamp: String(ms),
    })
  }
  return { symbol: listing.instrument.symbol, category, list, nextPageCursor: '' }
}

const MINUTE_MS = 60_000

/** Steps of an answer, the newest first. */
function stepsOf({ startTime, endTime, limit }: Query, nowMs: number, stepMs: number, most: number): number[] {
  const toMs = Math.min(Number(endTime ?? nowMs), nowMs)
  const fromMs = Number(startTime ?? toMs - most * stepMs)
  const steps: number[] = []
  for (let ms = Math.floor(toMs / stepMs) * stepMs; ms >= fromMs && steps.length < Number(limit ?? most); ms -= stepMs)
    steps.push(ms)
  return steps
}

/** Bars that do not move: what the market remembers of prices is what traded. */
function priceBars(query: Query, { market, nowMs }: MethodWorld, price: (mark: Mark) => number): JsonObject {
  const category = categoryIn(query)
  const { instrument } = oneOf(query, market)
  const text = plainText(price(market.pricing.mark(instrument, nowMs())), 8)
  const list = stepsOf(query, nowMs(), MINUTE_MS, 1000).map(ms => [String(ms), text, text, text, text])
  return { symbol: instrument.symbol, category, list }
}

function accountRatio(query: Query, { market, nowMs }: MethodWorld): JsonObject {
  const { symbol } = oneOf(query, market).instrument
  const list = stepsOf(query, nowMs(), 5 * MINUTE_MS, 500).map(ms => ({
    ...{ symbol, buyRatio: '0.5012', sellRatio: '0.4988', timestamp: String(ms) },
  }))
  return { list, nextPageCursor: '' }
}

function deliveries(query: Query, { market }: MethodWorld): JsonObject {
  const category = categoryIn(query)
  const list = chosen(query, market, category).flatMap(({ deliveryPrice, instrument: { symbol, expiryMs } }) =>
    deliveryPrice === undefined
      ? []
      : [{ symbol, deliveryPrice: plainText(deliveryPrice), deliveryTime: String(expiryMs) }],
  )
  return { category, nextPageCursor: '', list }
}
