import { concerns } from '../feeds/exchange-feeds.js'
import type { Json, JsonObject } from '../../../../simulator/json.js'
import { DAY_MS } from '../../../../simulator/market/calendar.js'
import { RESOLUTIONS } from '../resolutions.js'
import { isPerpetual } from '../../../../simulator/market/instruments.js'
import { round } from '../../../../simulator/market/index-price.js'
import type { Listing } from '../../../../simulator/market/listing.js'
import type { Level } from '../../../../simulator/market/order-book.js'
import { pastCandles } from '../../../../simulator/market/past-candles.js'
import { fixedChance } from '../../../../simulator/market/random.js'
import { statsFields, tickerFields, underlyingIndexOf } from '../ticker.js'
import { lastExpiryDay } from '../calendar.js'
import { quoteOf } from '../instrument-fields.js'
import { CATEGORIES } from '../instrument-names.js'
import { invalidParam } from '../rpc-error.js'
import { currencyOf, indexOf, instrumentOf, ordinary, spanOf, type Call, type Methods } from './method.js'
import { dateOf } from '../../../../platform/utc-date.js'

const DEPTHS = [1, 5, 10, 20, 50, 100, 1000, 10_000]
const DEFAULT_DEPTH = 5
/** Rows that a call with times answers at most. */
const MAX_ROWS = 5_000

function orderBook(call: Call, listing: Listing): Json {
  const asked = call.params.optionalInteger('depth') ?? DEFAULT_DEPTH
  const depth = DEPTHS.find(allowed => allowed >= asked) ?? 10_000
  const { market } = call.exchange
  const rows = (levels: readonly Level[]) =>
    levels.slice(0, depth).map(({ ticks, units }) => [listing.priceOf(ticks), listing.amountOf(units)])
  const { bids, asks, changeId } = listing.book
  const ticker = tickerFields(listing, market, market.nowMs)
  return { asks: rows(asks), bids: rows(bids), change_id: changeId, ...ticker }
}

function orderBookById(call: Call): Json {
  const id = call.params.integer('instrument_id')
  const listing = [...call.exchange.market.listings.values()].find(({ instrument }) => instrument.id === id)
  if (!listing) throw invalidParam('instrument not found', 'instrument_id')
  return orderBook(call, listing)
}

function ticker(call: Call): Json {
  const { market } = call.exchange
  return tickerFields(instrumentOf(call), market, market.nowMs)
}

function chartData(call: Call): Json {
  const listing = instrumentOf(call)
  call.exchange.routedSpot.refuseInstrument(listing.name)
  const { fromMs, toMs } = spanOf(call)
  const resolution = call.params.text('resolution')
  const width = RESOLUTIONS.get(resolution)
  if (width === undefined) throw invalidParam('invalid resolution', 'resolution')
  const { nowMs, options } = call.exchange.market
  const own = listing.candles.range(width, fromMs, Math.min(toMs, nowMs)).slice(-MAX_ROWS)
  const past = pastCandles(listing, options.seed, width, fromMs, MAX_ROWS - own.length)
  const bars = [...past.filter(({ tickMs }) => tickMs <= toMs), ...own]
  return {
    close: bars.map(({ close }) => close),
    cost: bars.map(({ cost }) => round(cost, 8)),
    high: bars.map(({ high }) => high),
    low: bars.map(({ low }) => low),
    open: bars.map(({ open }) => open),
    status: bars.length > 0 ? 'ok' : 'no_data',
    ticks: bars.map(({ tickMs }) => BigInt(tickMs)),
    volume: bars.map(({ volume }) => round(volume, 8)),
  }
}

function perpetualOf(call: Call): Listing {
  const listing = instrumentOf(call)
  if (!isPerpetual(listing.instrument)) throw invalidParam('instrument is not a perpetual', 'instrument_name')
  return listing
}

function fundingHours(call: Call) {
  const { instrument } = perpetualOf(call)
  const { fromMs, toMs } = spanOf(call)
  const { funding, nowMs } = call.exchange.market
  return funding.history(instrument, fromMs, toMs, nowMs)
}

function fundingHistory(call: Call): Json {
  return fundingHours(call).map(hour => ({
    timestamp: hour.timestampMs,
    index_price: hour.indexPrice,
    prev_index_price: hour.prevIndexPrice,
    interest_1h: hour.interest1h,
    interest_8h: hour.interest8h,
  }))
}

function fundingValue(call: Call): Json {
  // A float in every case, also where it is 0.
  return fundingHours(call).reduce((sum, { interest1h }) => sum + interest1h, 0) || 1e-9
}

const CHART_LENGTH_HOURS = { '8h': 8, '24h': 24, '1m': 720 } as const

function fundingChart(call: Call): Json {
  const { instrument } = perpetualOf(call)
  const length = call.params.oneOf('length', ['8h', '24h', '1m'])
  const { funding, nowMs } = call.exchange.market
  const hours = funding.history(instrument, nowMs - CHART_LENGTH_HOURS[length] * 3_600_000, nowMs, nowMs)
  return {
    current_interest: funding.current(instrument),
    interest_8h: funding.eightHours(instrument, nowMs),
    data: hours.map(hour => ({
      index_price: hour.indexPrice,
      interest_8h: hour.interest8h,
      timestamp: hour.timestampMs,
    })),
  }
}

function bookSummary(call: Call): Json {
  const currency = currencyOf(call)
  const kind = call.params.oneOf('kind', [...CATEGORIES, 'any'], 'any')
  const listings = [...call.exchange.market.listings.values()]
  return listings.filter(listing => concerns(listing, kind, currency)).map(listing => summary(call, listing))
}

/** Empty sides are null here, not 0 as in the ticker. */
function summary({ exchange: { market } }: Call, listing: Listing): JsonObject {
  const { instrument, book, day } = listing
  const mark = market.pricing.mark(instrument, market.nowMs)
  const bid = book.bestBid ? listing.priceOf(book.bestBid.ticks) : null
  const ask = book.bestAsk ? listing.priceOf(book.bestAsk.ticks) : null
  const stats = statsFields(listing)
  return {
    instrument_name: listing.name,
    base_currency: instrument.base,
    quote_currency: quoteOf(instrument),
    bid_price: bid,
    ask_price: ask,
    mid_price: bid !== null && ask !== null ? round((bid + ask) / 2, 8) : null,
    mark_price: mark.price,
    last: listing.lastPrice ?? null,
    high: day.high ?? null,
    low: day.low ?? null,
    volume: round(day.volume, 8),
    volume_usd: round(day.volumeUsd, 2),
    ...(instrument.linear && { volume_notional: round(day.volumeUsd, 2) }),
    open_interest: listing.openInterest,
    price_change: stats['price_change'] ?? null,
    estimated_delivery_price: mark.index,
    creation_timestamp: market.nowMs,
    ...(isPerpetual(instrument) && {
      current_funding: market.funding.current(instrument),
      funding_8h: market.funding.eightHours(instrument, market.nowMs),
    }),
    ...(instrument.kind === 'option' && {
      mark_iv: round((mark.iv ?? 0) * 100, 2),
      interest_rate: 0,
      underlying_index: underlyingIndexOf(instrument, market),
      underlying_price: round(mark.forward, 4),
    }),
  }
}

const VOLATILITY_RESOLUTIONS = ['1', '60', '3600', '43200', '1D'] as const
const MAX_VOLATILITY_ROWS = 1000

/** Depends on seed and time alone, so that the past reads the same twice. */
function volatilityData(call: Call): Json {
  const { market } = call.exchange
  const currency = currencyOf(call)
  const { fromMs, toMs } = spanOf(call)
  const resolution = call.params.oneOf('resolution', VOLATILITY_RESOLUTIONS)
  const widthMs = resolution === '1D' ? DAY_MS : Number(resolution) * 1000
  const end = Math.floor(Math.min(toMs, market.nowMs) / widthMs)
  const start = Math.ceil(fromMs / widthMs)
  const first = Math.max(start, end - MAX_VOLATILITY_ROWS + 1)
  const mean = currency === 'ETH' ? 62 : 41
  const at = (bar: number) => round(mean + 8 * (fixedChance(market.options.seed, mean, bar) - 0.5), 4)
  const rows: Json[] = []
  for (let bar = first; bar <= end; bar++) {
    const [open, close] = [at(bar), at(bar + 1)]
    rows.push([BigInt(bar * widthMs), open, Math.max(open, close) + 0.25, Math.min(open, close) - 0.25, close])
  }
  return { data: rows, continuation: first > start ? BigInt((first - 1) * widthMs) : null }
}

const DELIVERY_DAYS = 730

function deliveryPrices(call: Call): Json {
  const { market } = call.exchange
  const index = indexOf(call)
  const offset = call.params.bounded('offset', 0, DELIVERY_DAYS, 0)
  const count = call.params.bounded('count', 1, 1000, 10)
  const today = lastExpiryDay(market.nowMs)
  const data: Json[] = []
  for (let back = offset; back < Math.min(offset + count, DELIVERY_DAYS); back++) {
    const chance = fixedChance(market.options.seed, index.length, today - back)
    const price = round(market.indices.range(index).open * (0.8 + 0.4 * chance), 2)
    data.push({ date: dateOf((today - back) * DAY_MS), delivery_price: price })
  }
  return { records_total: DELIVERY_DAYS, data }
}

function indexPrice(call: Call): Json {
  const price = call.exchange.market.indices.price(indexOf(call))
  return { index_price: price, estimated_delivery_price: price }
}

function indexNames({ exchange, params }: Call): Json {
  const { names } = exchange.market.indices
  if (!params.flag('extended')) return names
  return names.map(name => {
    const combos = name.endsWith('_usd')
    return { name, future_combo_creation_enabled: combos, option_combo_creation_enabled: combos }
  })
}

function supportedIndexNames({ exchange, params }: Call): Json {
  params.oneOf('type', ['all', 'spot', 'derivative'], 'all')
  return exchange.market.indices.names
}

const CHART_RANGES = { '1h': 3_600_000, '1d': DAY_MS, '2d': 2 * DAY_MS, '1m': 30 * DAY_MS, '1y': 365 * DAY_MS } as const
const CHART_POINTS = 300

/** The past of an index is made of seed and time alone, around the price that the market opened with. */
function indexChart(call: Call): Json {
  const { market } = call.exchange
  const index = indexOf(call)
  const range = call.params.oneOf('range', ['1h', '1d', '2d', '1m', '1y', 'all'])
  const widthMs = CHART_RANGES[range === 'all' ? '1y' : range] / CHART_POINTS
  const last = Math.floor(market.nowMs / widthMs)
  return Array.from({ length: CHART_POINTS }, (_, point) => {
    const at = last - CHART_POINTS + 1 + point
    const price = market.indices.range(index).open * (0.99 + 0.02 * fixedChance(market.options.seed, index.length, at))
    return [BigInt(Math.round(at * widthMs)), round(price, 4)]
  })
}

const VOLATILITY_DAYS = 15

function historicalVolatility(call: Call): Json {
  const currency = currencyOf(call)
  const { seed } = call.exchange.market.options
  const today = Math.floor(call.exchange.market.nowMs / DAY_MS)
  return Array.from({ length: VOLATILITY_DAYS }, (_, back) => {
    const day = today - VOLATILITY_DAYS + 1 + back
    return [BigInt(day * DAY_MS), round(35 + 25 * fixedChance(seed, currency.length, day), 4)]
  })
}

const EMPTY_PAGE = { settlements: [], continuation: null }

/** Methods that answer with prices, from the market's state. */
export const priceMethods: Methods = {
  'public/get_order_book': ordinary(call => orderBook(call, instrumentOf(call))),
  'public/get_order_book_by_instrument_id': ordinary(orderBookById),
  'public/ticker': ordinary(ticker),
  'public/get_tradingview_chart_data': ordinary(chartData),
  'public/get_funding_rate_history': ordinary(fundingHistory),
  'public/get_funding_rate_value': ordinary(fundingValue),
  'public/get_funding_chart_data': ordinary(fundingChart),
  'public/get_book_summary_by_currency': ordinary(bookSummary),
  'public/get_book_summary_by_instrument': ordinary(call => [summary(call, instrumentOf(call))]),
  'public/get_volatility_index_data': ordinary(volatilityData),
  'public/get_delivery_prices': ordinary(deliveryPrices),
  'public/get_index_price': ordinary(indexPrice),
  'public/get_index_price_names': ordinary(indexNames),
  'public/get_supported_index_names': ordinary(supportedIndexNames),
  'public/get_index_chart_data': ordinary(indexChart),
  'public/get_historical_volatility': ordinary(historicalVolatility),
  'public/get_mark_price_history': ordinary(call => (instrumentOf(call), [])),
  'public/get_last_settlements_by_currency': ordinary(call => (currencyOf(call), EMPTY_PAGE)),
  'public/get_last_settlements_by_instrument': ordinary(call => (instrumentOf(call), EMPTY_PAGE)),
  'public/get_announcements': ordinary(() => []),
}
