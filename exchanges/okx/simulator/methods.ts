import type { Faults } from '../../../simulator/faults.js'
import type { Json, JsonObject } from '../../../simulator/json.js'
import type { ExchangeClock } from '../../../simulator/clock.js'
import type { Market } from '../../../simulator/market/market.js'
import { fillRow, fundingRow, instrumentRow } from './rows.js'
import { spelled } from './spelling.js'

export interface MethodParts {
  market: Market
  clock: ExchangeClock
  faults: Faults
}

/** Rows of an answer; a refusal by its code. */
export type MethodAnswer = { rows: readonly Json[] } | { code: string; msg: string }
export type Query = Readonly<Record<string, string>>
type Method = (query: Query, parts: MethodParts) => MethodAnswer

export const NO_INSTRUMENT = { code: '51001', msg: "Instrument ID, Instrument ID code, or Spread ID doesn't exist." }
export const NO_FAMILY = { code: '50014', msg: 'Parameter uly or instFamily can not be empty.' }

const limitOf = ({ limit }: Query, most: number) => Math.min(most, Math.max(1, Math.floor(Number(limit ?? 100)) || 100))

function instruments(query: Query, { market, faults }: MethodParts): MethodAnswer {
  const { instType = '', instFamily, instId } = query
  if (instType === 'OPTION' && instFamily === undefined) return NO_FAMILY
  const rows = [...market.listings.values()]
    .filter(({ instrument, state }) => instrument.category === instType && state === 'open')
    .filter(({ instrument }) => instFamily === undefined || instrument.underlying === instFamily)
    .filter(({ name }) => instId === undefined || name === instId)
    .map(instrumentRow)
  if (instId !== undefined && rows.length === 0) return NO_INSTRUMENT
  return {
    rows: faults.distort(instType, rows, (row: JsonObject) => (typeof row['instId'] === 'string' ? row['instId'] : '')),
  }
}

function families({ instType }: Query, { market }: MethodParts): MethodAnswer {
  const listed = [...market.listings.values()].filter(({ instrument }) => instrument.category === instType)
  return { rows: [[...new Set(listed.map(({ instrument }) => instrument.underlying))]] }
}

/** Single fills, newest first; `after` means older than, `before` newer than. */
function trades(query: Query, { market, faults }: MethodParts, most: number): MethodAnswer {
  const listing = market.find(query['instId'] ?? '')
  if (!listing) return NO_INSTRUMENT
  if (faults.hidesHistory(listing.name)) return { rows: [] }
  const { after = Infinity, before = -Infinity } = query
  const found = listing.trades.all.filter(({ tradeSeq }) => tradeSeq < Number(after) && tradeSeq > Number(before))
  const newest = found.slice(-limitOf(query, most)).reverse()
  return { rows: newest.map(trade => fillRow(listing, trade)) }
}

const FUNDING_ROWS = 400
const FUNDING_HOURS = 8
const HOUR_MS = 3_600_000

/** Settled every eight hours, newest first. */
function fundingHistory({ instId = '', ...query }: Query, { market, clock }: MethodParts): MethodAnswer {
  const listing = market.find(instId)
  if (!listing) return NO_INSTRUMENT
  const nowMs = clock.nowMs()
  const { before = String(nowMs - FUNDING_ROWS * FUNDING_HOURS * HOUR_MS), after = String(nowMs + 1) } = query
  const settled = market.funding
    .history(listing.instrument, Number(before) + 1, Number(after) - 1, nowMs)
    .filter(({ timestampMs }) => (timestampMs / HOUR_MS) % FUNDING_HOURS === 0)
  const rows = settled.reverse().slice(0, limitOf(query, FUNDING_ROWS))
  return {
    rows: rows.map(({ timestampMs, interest8h }) => ({
      instType: 'SWAP',
      instId,
      formulaType: 'withRate',
      method: 'current_period',
      fundingRate: spelled(interest8h),
      realizedRate: spelled(interest8h),
      fundingTime: String(timestampMs),
    })),
  }
}

/** What ended, by family; an answer names the instrument `insId`. */
function deliveries({ instType, instFamily }: Query, { market }: MethodParts): MethodAnswer {
  if (instFamily === undefined) return NO_FAMILY
  const ended = [...market.listings.values()].filter(
    ({ instrument, deliveryPrice }) =>
      instrument.category === instType && instrument.underlying === instFamily && deliveryPrice !== undefined,
  )
  return {
    rows: ended.map(({ name, instrument, deliveryPrice = 0 }) => ({
      ts: String(instrument.expiryMs),
      details: [{ type: instType === 'OPTION' ? 'exercised' : 'delivery', insId: name, px: spelled(deliveryPrice) }],
    })),
  }
}

/** Methods that are answered, below `/api/v5/`. */
export const methods: Readonly<Record<string, Method>> = {
  'public/time': (_query, { clock }) => ({ rows: [{ ts: String(clock.nowMs()) }] }),
  'public/instruments': instruments,
  'public/underlying': families,
  'public/funding-rate': ({ instId = '' }, { market, clock }) => {
    const listing = market.find(instId)
    return listing ? { rows: [fundingRow(listing, market, clock.nowMs())] } : NO_INSTRUMENT
  },
  'public/funding-rate-history': fundingHistory,
  'public/delivery-exercise-history': deliveries,
  'market/trades': (query, parts) => trades(query, parts, 500),
  'market/history-trades': (query, parts) => trades(query, parts, 100),
  'system/status': () => ({ rows: [] }),
}
