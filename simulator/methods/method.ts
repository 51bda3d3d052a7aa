import type { Logins } from '../auth.js'
import type { Channels } from '../broker.js'
import type { SimulatedClock } from '../clock.js'
import type { Credits, Pool } from '../credits.js'
import type { Faults } from '../faults.js'
import type { Json } from '../json-text.js'
import type { Listing } from '../market/listing.js'
import type { Market } from '../market/market.js'
import type { Params } from '../params.js'
import { invalidParam } from '../rpc-error.js'
import type { Session } from '../session.js'

/** All that methods answer from. */
export interface Exchange {
  market: Market
  channels: Channels
  clock: SimulatedClock
  logins: Logins
  /** undefined: no limits. */
  credits: Credits | undefined
  faults: Faults
  /** Raw channels without a login, as before 2022. */
  rawForAll: boolean
  /** Whether a channel can be subscribed now. */
  accepts(channel: string): boolean
  /** Called after a session's subscribe call was answered. */
  subscribed(session: Session, channels: readonly string[]): void
  version: string
}

/** One call of a method. */
export interface Call {
  exchange: Exchange
  params: Params
  /** undefined over HTTP. */
  session: Session | undefined
  /** Runs once the answer is sent. */
  after(run: () => void): void
}

export interface Method {
  pool: Pool
  /** Returns the result, or throws RpcError. */
  run(call: Call): Json
  /** Only over WebSocket: gets the session, answered with 10030 over HTTP. */
  webSocketOnly?: boolean
  /** Answered with 13009 without a login. */
  login?: boolean
}

export type Methods = Readonly<Record<string, Method>>

/** A method with the ordinary price that needs nothing but the market. */
export function ordinary(run: (call: Call) => Json): Method {
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
