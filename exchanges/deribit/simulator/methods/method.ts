import type { Logins } from '../auth.js'
import type { Channels } from '../../../../simulator/broker.js'
import type { Credits, Pool } from '../credits.js'
import type { ExchangeClock } from '../../../../simulator/clock.js'
import type { Faults } from '../../../../simulator/faults.js'
import type { Json } from '../../../../simulator/json.js'
import type { Listing } from '../../../../simulator/market/listing.js'
import type { Market } from '../../../../simulator/market/market.js'
import type { Params } from '../params.js'
import { invalidParam } from '../rpc-error.js'
import type { RoutedSpot } from '../routed-spot.js'
import type { Session } from '../session.js'

/** All that methods about the connection itself answer from. */
export interface Venue {
  channels: Channels
  clock: ExchangeClock
  logins: Logins
  /** undefined: no limits. */
  credits: Credits | undefined
  faults: Faults
  /** Raw channels without a login, as before 2022. */
  rawForAll: boolean
  /** Whether a channel can be subscribed now. */
  accepts(channel: string): boolean
  /** Called after a session's subscribe call was answered. */
  subscribed(session: Session): void
  version: string
}

/** All that methods answer from. */
export interface Exchange extends Venue {
  market: Market
  /** Whether trades of combos can be had by their instrument, not by currency and kind alone. */
  combosByInstrument: boolean
  routedSpot: RoutedSpot
}

/** One call of a method. */
export interface Call<V extends Venue = Exchange> {
  exchange: V
  params: Params
  /** undefined over HTTP. */
  session: Session | undefined
  /** Runs once the answer is sent. */
  after(run: () => void): void
}

export interface Method<V extends Venue = Exchange> {
  pool: Pool
  /** Returns the result, or throws RpcError. */
  run(call: Call<V>): Json
  /** Only over WebSocket: gets the session, answered with 10030 over HTTP. */
  webSocketOnly?: boolean
  /** Answered with 13009 without a login. */
  login?: boolean
}

export type Methods<V extends Venue = Exchange> = Readonly<Record<string, Method<V>>>

/** A method with the ordinary price, over WebSocket and HTTP. */
export function ordinary<V extends Venue = Exchange>(run: (call: Call<V>) => Json): Method<V> {
  return { pool: 'ordinary', run }
}

/** The instrument a call names, trading or expired. */
export function instrumentOf({ exchange, params }: Call, param = 'instrument_name'): Listing {
  const listing = exchange.market.find(params.text(param))
  if (!listing) throw invalidParam('instrument not found', param)
  return listing
}

export const CURRENCIES = ['BTC', 'ETH', 'USDC', 'USDT', 'EURR'] as const

export function currencyOf({ params }: Call, ...also: string[]): string {
  const currency = params.text('currency')
  if (!CURRENCIES.some(known => known === currency) && !also.includes(currency)) {
    throw invalidParam('invalid currency', 'currency')
  }
  return currency
}

/** The index a call names. */
export function indexOf({ exchange, params }: Call): string {
  const index = params.text('index_name')
  if (!exchange.market.indices.has(index)) throw invalidParam('invalid index_name', 'index_name')
  return index
}

/** A span of time that a call must give. */
export function spanOf({ params }: Call): { fromMs: number; toMs: number } {
  return { fromMs: params.integer('start_timestamp'), toMs: params.integer('end_timestamp') }
}
