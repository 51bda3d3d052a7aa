import { blockRfqFields, concerns } from '../feeds/exchange-feeds.js'
import type { Json } from '../../../../simulator/json.js'
import { DAY_MS } from '../../../../simulator/market/calendar.js'
import { isCombo } from '../../../../simulator/market/instruments.js'
import type { Trade } from '../../../../simulator/market/trades.js'
import type { Params } from '../params.js'
import { tradeFields } from '../trade-fields.js'
import { invalidParam, rpcError } from '../rpc-error.js'
import { currencyOf, instrumentOf, ordinary, type Call, type Methods } from './method.js'

const NOTHING = { trades: [], has_more: false }
const DEFAULT_COUNT = 10
const MAX_COUNT = 1000
const SORTINGS = ['default', 'asc', 'desc'] as const
/** Calls by currency and time find nothing where they begin further back than this, and say no word of it. */
const REACHES_BACK_MS = DAY_MS
const TRADE_KINDS = ['future', 'option', 'spot', 'future_combo', 'option_combo', 'combo', 'any'] as const

/** What a call for trades is recognised by. */
interface Numbered {
  tradeSeq: number
  timestampMs: number
}

interface Page<T> {
  rows: readonly T[]
  /** Some were cut off. */
  hasMore: boolean
}

/** The newest `count` rows, or from the oldest on. */
function page<T>(params: Params, found: readonly T[], order: Order): Page<T> {
  const count = params.bounded('count', 1, MAX_COUNT, DEFAULT_COUNT)
  const asked = params.oneOf('sorting', SORTINGS, 'default')
  const ascending = (asked === 'default' ? order : asked) === 'asc'
  const rows = ascending ? found.slice(0, count) : found.slice(-count).reverse()
  return { rows, hasMore: found.length > count }
}

const pageJson = ({ rows, hasMore }: Page<Trade>): Json => ({ trades: rows.map(tradeFields), has_more: hasMore })

type Order = 'asc' | 'desc'

export interface Span {
  fromMs: number | undefined
  toMs: number | undefined
  holds(trade: Numbered): boolean
  /** Where the call does not say: with a beginning, from there on. */
  order: Order
}

/** The times of a call; by time it must give at least one of them. */
export function spanOf(params: Params, byTime: boolean): Span {
  const fromMs = params.optionalInteger('start_timestamp')
  const toMs = params.optionalInteger('end_timestamp')
  if (byTime && fromMs === undefined && toMs === undefined) params.integer('start_timestamp')
  if (fromMs !== undefined && toMs !== undefined && fromMs > toMs) {
    throw invalidParam('start_timestamp must not be after end_timestamp', 'start_timestamp')
  }
  return {
    fromMs,
    toMs,
    holds: ({ timestampMs }) => timestampMs >= (fromMs ?? 0) && timestampMs <= (toMs ?? Infinity),
    order: byTime && fromMs !== undefined ? 'asc' : 'desc',
  }
}

function byInstrument(call: Call, byTime: boolean): Json {
  const { params } = call
  const listing = instrumentOf(call)
  call.exchange.routedSpot.refuseInstrument(listing.name)
  if (isCombo(listing.instrument) && !call.exchange.combosByInstrument) throw rpcError(10020)
  if (call.exchange.faults.hidesHistory(listing.name)) return NOTHING
  return pageJson(pageOfInstrument(params, listing.trades.all, spanOf(params, byTime)))
}

/** What a call by instrument finds among its trades, which are in their order. */
export function pageOfInstrument<T extends Numbered>(params: Params, trades: readonly T[], span: Span): Page<T> {
  const first = params.optionalInteger('start_seq') ?? 0
  const last = params.optionalInteger('end_seq') ?? Infinity
  const found = trades.filter(trade => trade.tradeSeq >= first && trade.tradeSeq <= last && span.holds(trade))
  // With nothing but a first sequence number, storage order begins there.
  const fromFirst = first > 0 && params.optionalText('sorting') === undefined && last === Infinity
  return page(params, found, fromFirst ? 'asc' : span.order)
}

function byCurrency(call: Call, byTime: boolean): Json {
  const { exchange, params } = call
  const currency = currencyOf(call)
  const kind = params.oneOf('kind', TRADE_KINDS, 'any')
  exchange.routedSpot.refuseCurrency(currency, kind)
  const span = spanOf(params, byTime)
  if (byTime && (span.fromMs ?? Infinity) < exchange.market.nowMs - REACHES_BACK_MS) return NOTHING
  const startId = params.optionalText('start_id')
  const endId = params.optionalText('end_id')
  const found = exchange.market.tradesOf(currency).filter(trade => {
    const listing = exchange.market.find(trade.instrumentName)
    if (!listing) return false
    const ofKind = kind === 'combo' ? listing.instrument.legs !== undefined : concerns(listing, kind, 'any')
    return ofKind && span.holds(trade) && idWithin(trade.tradeId, startId, endId)
  })
  return pageJson(page(params, found, span.order))
}

/** Ids are compared by their number; ids of another family do not match. */
function idWithin(id: string, startId: string | undefined, endId: string | undefined): boolean {
  const [family, number] = splitId(id)
  for (const [bound, sign] of [
    [startId, 1],
    [endId, -1],
  ] as const) {
    if (bound === undefined) continue
    const [boundFamily, boundNumber] = splitId(bound)
    if (boundFamily !== family || sign * (number - boundNumber) < 0) return false
  }
  return true
}

function splitId(id: string): [string, number] {
  const dash = id.lastIndexOf('-')
  return [id.slice(0, Math.max(dash, 0)), Number(id.slice(dash + 1))]
}

function blockRfqTrades(call: Call): Json {
  const { exchange, params } = call
  const currency = currencyOf(call, 'any')
  const count = params.bounded('count', 1, MAX_COUNT, 20)
  const tapes = currency === 'any' ? ['BTC', 'ETH', 'USDC'] : [currency]
  const blocks = tapes.flatMap(each => exchange.market.tradesOf(each).filter(trade => trade.rfqId !== undefined))
  const before = Number(params.optionalText('continuation')?.split(':')[0] ?? Infinity)
  const found = blocks.filter(trade => trade.timestampMs < before).sort((a, b) => b.timestampMs - a.timestampMs)
  const rows = found.slice(0, count)
  const last = rows.at(-1)
  const more = found.length > count && last !== undefined
  return {
    continuation: more ? `${last.timestampMs}:${last.rfqId ?? 0}` : null,
    block_rfqs: rows.map(trade => blockRfqFields(trade, exchange.market)),
  }
}

/** Methods that answer with trades, from the bounded history the market keeps. */
export const tradeMethods: Methods = {
  'public/get_last_trades_by_instrument': ordinary(call => byInstrument(call, false)),
  'public/get_last_trades_by_instrument_and_time': ordinary(call => byInstrument(call, true)),
  'public/get_last_trades_by_currency': ordinary(call => byCurrency(call, false)),
  'public/get_last_trades_by_currency_and_time': ordinary(call => byCurrency(call, true)),
  'public/get_block_rfq_trades': ordinary(blockRfqTrades),
}
