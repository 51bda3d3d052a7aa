import { createHash } from 'node:crypto'
import type { Json, JsonObject } from '../../../simulator/json.js'
import { isCombo, isOptional, isPerpetual, type Instrument } from '../../../simulator/market/instruments.js'
import type { InstrumentState } from '../../../simulator/market/listing.js'
import { settlementPeriodOf, wireExpiry } from './calendar.js'

/** How the exchange calls the states of an instrument. */
export const STATE_WORDS: Readonly<Record<InstrumentState, string>> = {
  open: 'open',
  settling: 'settlement',
  delivered: 'delivered',
  archived: 'archivized',
}

/** A stable UUID for a currency; the exchange has such ids, readers should only carry them. */
function currencyUuid(currency: string): string {
  const hex = createHash('sha1').update(`currency ${currency}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** Inverse options are quoted in the coin itself. */
export function quoteOf(instrument: Instrument): string {
  return isOptional(instrument) && !instrument.linear ? instrument.base : instrument.quote
}

/** An instrument as get_instruments and instrument.creation show it. */
export function instrumentFields(instrument: Instrument, life: InstrumentState): JsonObject {
  const state = STATE_WORDS[life]
  const { category, grid, settlement, commission } = { ...instrument, ...ratesOf(instrument) }
  const fields: Record<string, Json> = {
    instrument_name: instrument.name,
    instrument_id: instrument.id,
    kind: category,
    state,
    is_active: state === 'open',
    price_index: instrument.index,
    instrument_type: instrument.linear ? 'linear' : 'reversed',
    base_currency: instrument.base,
    quote_currency: quoteOf(instrument),
    counter_currency: instrument.quote,
    contract_size: instrument.contractSize,
    tick_size: grid.tickSize,
    tick_size_steps: grid.steps.map(step => ({ tick_size: step.tickSize, above_price: step.abovePrice })),
    min_trade_amount: instrument.minAmount,
    maker_commission: commission.maker,
    taker_commission: commission.taker,
    creation_timestamp: instrument.createdMs,
    expiration_timestamp: wireExpiry(instrument.expiryMs),
  }
  if (settlement !== undefined) fields['settlement_currency'] = settlement
  if (instrument.kind !== 'spot') fields['settlement_period'] = settlementPeriodOf(instrument.expiryMs)
  // Combos carry no more than this on the wire.
  if (isCombo(instrument)) return fields
  if (category === 'future') {
    fields['future_type'] = instrument.linear ? 'linear' : 'reversed'
    fields['max_leverage'] = isPerpetual(instrument) ? 50 : 25
    fields['max_non_default_leverage'] = 5
    fields['max_liquidation_commission'] = 0.0075
  }
  if (category === 'option') {
    fields['strike'] = instrument.strike ?? 0
    fields['option_type'] = instrument.call ? 'call' : 'put'
  }
  return {
    ...fields,
    block_trade_commission: commission.block,
    block_trade_min_trade_amount: instrument.minAmount < 1 ? 25 : 200_000,
    block_trade_tick_size: category === 'option' ? instrument.grid.tickSize : 0.01,
    underlying_type: 'crypto',
    product_group: instrument.base,
    index_id: 1_000_000 + (instrument.index.charCodeAt(0) % 64),
    lot_size: 1,
    base_currency_uuid: currencyUuid(instrument.base),
    quote_currency_uuid: currencyUuid(quoteOf(instrument)),
  }
}

function ratesOf(instrument: Instrument) {
  const settlement = instrument.kind === 'spot' ? undefined : instrument.settle
  if (isCombo(instrument)) return { settlement, commission: { maker: 0, taker: 0, block: 0 } }
  if (instrument.kind === 'option') return { settlement, commission: { maker: 0.0003, taker: 0.0003, block: 0.0003 } }
  return { settlement, commission: { maker: 0, taker: 0.0005, block: 0.00025 } }
}
