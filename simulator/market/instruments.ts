import { createHash } from 'node:crypto'
import type { Json, JsonObject } from '../../exchanges/deribit/simulator/json-text.js'
import { dateCode, NEVER_MS, settlementPeriodOf, type SettlementPeriod } from './calendar.js'
import { PriceGrid } from './price-grid.js'
import type { Steps, Underlying } from '../../exchanges/deribit/simulator/underlyings.js'

export const KINDS = ['future', 'option', 'spot', 'future_combo', 'option_combo'] as const
export type Kind = (typeof KINDS)[number]

export interface ComboLeg {
  instrumentName: string
  /** Signed ratio. */
  amount: number
}

/** The facts of an instrument that never change. */
export interface Instrument {
  name: string
  id: number
  kind: Kind
  base: string
  quote: string
  counter: string
  /** Where it is found in calls and channels; for spot the quote currency. */
  currency: string
  linear: boolean
  period: SettlementPeriod | undefined
  index: string
  /** What names of its coin start with, e.g. `BTC_USDC`. */
  prefix: string
  grid: PriceGrid
  minAmount: number
  contractSize: number
  createdMs: number
  expiryMs: number
  strike?: number
  call?: boolean
  legs?: readonly ComboLeg[]
}

/** What a factory needs besides the underlying. */
export interface Birth {
  id: number
  createdMs: number
}

function derivative(underlying: Underlying, steps: Steps, { id, createdMs }: Birth, expiryMs: number) {
  return {
    id,
    createdMs,
    expiryMs,
    base: underlying.base,
    counter: underlying.linear ? underlying.settlement : 'USD',
    quote: underlying.linear ? underlying.settlement : 'USD',
    currency: underlying.settlement,
    linear: underlying.linear,
    period: settlementPeriodOf(expiryMs),
    index: underlying.index,
    prefix: underlying.prefix,
    grid: new PriceGrid(steps.tickSize, steps.tickSteps),
    minAmount: steps.minAmount,
    contractSize: steps.contractSize,
  }
}

export function perpetual(underlying: Underlying, birth: Birth): Instrument {
  const facts = derivative(underlying, underlying.perpetual, birth, NEVER_MS)
  return { ...facts, name: `${underlying.prefix}-PERPETUAL`, kind: 'future' }
}

export function future(underlying: Underlying, birth: Birth, expiryMs: number): Instrument {
  const facts = derivative(underlying, underlying.future ?? underlying.perpetual, birth, expiryMs)
  return { ...facts, name: `${underlying.prefix}-${dateCode(expiryMs)}`, kind: 'future' }
}

/** Strike as names spell it: `d` is the decimal point. */
export function strikeCode(strike: number): string {
  return String(strike).replace('.', 'd')
}

export function option(
  underlying: Underlying,
  birth: Birth,
  expiryMs: number,
  strike: number,
  call: boolean,
): Instrument {
  const facts = derivative(underlying, underlying.option ?? underlying.perpetual, birth, expiryMs)
  const name = `${underlying.prefix}-${dateCode(expiryMs)}-${strikeCode(strike)}-${call ? 'C' : 'P'}`
  const quote = underlying.linear ? underlying.settlement : underlying.base
  return { ...facts, name, kind: 'option', quote, strike, call }
}

export function spot(pair: { base: string; quote: string; index: string; steps: Steps }, birth: Birth): Instrument {
  const { base, quote, index, steps } = pair
  return {
    ...birth,
    name: `${base}_${quote}`,
    kind: 'spot',
    base,
    quote,
    counter: quote,
    currency: quote,
    linear: true,
    period: undefined,
    index,
    prefix: `${base}_${quote}`,
    grid: new PriceGrid(steps.tickSize),
    minAmount: steps.minAmount,
    contractSize: steps.contractSize,
    expiryMs: NEVER_MS,
  }
}

/** A combo lives until its nearest leg expires, and prices like the legs' kind. */
export function combo(underlying: Underlying, birth: Birth, name: string, legs: readonly [Instrument, number][]) {
  const expiryMs = Math.min(...legs.map(([leg]) => leg.expiryMs))
  const [first] = legs[0] ?? []
  const options = first?.kind === 'option'
  const steps = (options ? underlying.option : underlying.future) ?? underlying.perpetual
  const instrument: Instrument = {
    ...derivative(underlying, { ...steps, tickSteps: [] }, birth, expiryMs),
    name,
    kind: options ? 'option_combo' : 'future_combo',
    legs: legs.map(([leg, amount]) => ({ instrumentName: leg.name, amount })),
  }
  if (options && !underlying.linear) instrument.quote = underlying.base
  return instrument
}

export function isPerpetual(instrument: Instrument): boolean {
  return instrument.kind === 'future' && instrument.expiryMs === NEVER_MS
}

export function isCombo(instrument: Instrument): boolean {
  return instrument.legs !== undefined
}

/** A stable UUID for a currency; the exchange has such ids, readers should only carry them. */
function currencyUuid(currency: string): string {
  const hex = createHash('sha1').update(`currency ${currency}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** An instrument as get_instruments and instrument.creation show it. */
export function instrumentFields(instrument: Instrument, state: string): JsonObject {
  const { kind, grid, settlement, commission } = { ...instrument, ...ratesOf(instrument) }
  const fields: Record<string, Json> = {
    instrument_name: instrument.name,
    instrument_id: instrument.id,
    kind,
    state,
    is_active: state === 'open',
    price_index: instrument.index,
    instrument_type: instrument.linear ? 'linear' : 'reversed',
    base_currency: instrument.base,
    quote_currency: instrument.quote,
    counter_currency: instrument.counter,
    contract_size: instrument.contractSize,
    tick_size: grid.tickSize,
    tick_size_steps: grid.steps.map(step => ({ tick_size: step.tickSize, above_price: step.abovePrice })),
    min_trade_amount: instrument.minAmount,
    maker_commission: commission.maker,
    taker_commission: commission.taker,
    creation_timestamp: instrument.createdMs,
    expiration_timestamp: instrument.expiryMs,
  }
  if (settlement !== undefined) fields['settlement_currency'] = settlement
  if (instrument.period !== undefined) fields['settlement_period'] = instrument.period
  // Combos carry no more than this on the wire.
  if (isCombo(instrument)) return fields
  if (kind === 'future') {
    fields['future_type'] = instrument.linear ? 'linear' : 'reversed'
    fields['max_leverage'] = instrument.period === 'perpetual' ? 50 : 25
    fields['max_non_default_leverage'] = 5
    fields['max_liquidation_commission'] = 0.0075
  }
  if (kind === 'option') {
    fields['strike'] = instrument.strike ?? 0
    fields['option_type'] = instrument.call ? 'call' : 'put'
  }
  return {
    ...fields,
    block_trade_commission: commission.block,
    block_trade_min_trade_amount: instrument.minAmount < 1 ? 25 : 200_000,
    block_trade_tick_size: kind === 'option' ? instrument.grid.tickSize : 0.01,
    underlying_type: 'crypto',
    product_group: instrument.base,
    index_id: 1_000_000 + (instrument.index.charCodeAt(0) % 64),
    lot_size: 1,
    base_currency_uuid: currencyUuid(instrument.base),
    quote_currency_uuid: currencyUuid(instrument.quote),
  }
}

function ratesOf(instrument: Instrument) {
  const settlement = instrument.kind === 'spot' ? undefined : instrument.currency
  if (isCombo(instrument)) return { settlement, commission: { maker: 0, taker: 0, block: 0 } }
  if (instrument.kind === 'option') return { settlement, commission: { maker: 0.0003, taker: 0.0003, block: 0.0003 } }
  return { settlement, commission: { maker: 0, taker: 0.0005, block: 0.00025 } }
}
