import type { JsonObject } from '../../../simulator/json.js'
import type { Faults } from '../../../simulator/faults.js'
import { NEVER_MS } from '../../../simulator/market/calendar.js'
import type { Listing } from '../../../simulator/market/listing.js'
import type { Market } from '../../../simulator/market/market.js'
import { CATEGORIES, type Category } from '../names.js'
import { isRpi, sideOf } from './feeds.js'
import { amountText, plainText, priceText } from './text-numbers.js'
import { tickerOf } from './ticker.js'

/** What a method knows of the market. */
export interface MethodWorld {
  market: Market
  faults: Faults
  nowMs: () => number
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

/** What methods there are, by the last part of their path: each gives a `result`. */
export const METHODS: Readonly<Record<string, (query: Query, world: MethodWorld) => JsonObject>> = {
  time: (_query, { nowMs }) => ({ timeSecond: String(Math.floor(nowMs() / 1000)), timeNano: String(nowMs() * 1e6) }),
  'instruments-info': instruments,
  'recent-trade': recentTrades,
  'funding/history': fundingHistory,
  'open-interest': openInterest,
  tickers: (query, { market }) => {
    const category = categoryIn(query)
    return { category, list: chosen(query, market, category).map(listing => tickerOf(market, listing)) }
  },
  orderbook: (query, { market }) => {
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
function chosen(query: Query, market: Market, category: Category): Listing[] {
  const { symbol, baseCoin = category === 'option' && symbol === undefined ? 'BTC' : undefined } = query
  return [...market.listings.values()].filter(
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
  const rows = listings
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
