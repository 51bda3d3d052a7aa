import { concerns } from '../feeds/exchange-feeds.js'
import type { Json, JsonObject } from '../../../../simulator/json.js'
import { NEVER_MS } from '../../../../simulator/market/calendar.js'
import { isCombo } from '../../../../simulator/market/instruments.js'
import type { Listing } from '../../../../simulator/market/listing.js'
import { dateCode } from '../calendar.js'
import { instrumentFields } from '../instrument-fields.js'
import { CATEGORIES } from '../instrument-names.js'
import { invalidParam } from '../rpc-error.js'
import { currencyOf, CURRENCIES, instrumentOf, ordinary, type Call, type Methods } from './method.js'

function getInstruments(call: Call): Json {
  const { exchange, params } = call
  // The wire takes the call without a currency, too.
  const currency = params.optionalText('currency') === undefined ? 'any' : currencyOf(call, 'any')
  const kind = params.oneOf('kind', [...CATEGORIES, 'any'], 'any')
  const { listings, expired } = exchange.market
  const found = params.flag('expired') ? expired : listings
  const rows = [...found.values()]
    .filter(listing => concerns(listing, kind, currency))
    .map(listing => fieldsOf(call, listing))
  return exchange.faults.distort(currency, rows, ({ instrument_name: name }) => (typeof name === 'string' ? name : ''))
}

function fieldsOf({ exchange }: Call, { instrument, state, name }: Listing): JsonObject {
  return exchange.routedSpot.mark(name, instrumentFields(instrument, state))
}

function getExpirations(call: Call): Json {
  const { exchange, params } = call
  const currency = currencyOf(call, 'any', 'grouped')
  const kind = params.oneOf('kind', ['future', 'option', 'any'])
  const kinds = kind === 'any' ? (['option', 'future'] as const) : [kind]
  const listings = [...exchange.market.listings.values()]
  const dates = (wanted: string, ofKind: string) => expirations(listings, wanted, ofKind)
  if (currency !== 'grouped') return Object.fromEntries(kinds.map(each => [each, dates(currency, each)]))
  const grouped = CURRENCIES.map((each): [string, Json] => [
    each.toLowerCase(),
    Object.fromEntries(kinds.map(ofKind => [ofKind, dates(each, ofKind)])),
  ])
  return Object.fromEntries(grouped)
}

function expirations(listings: readonly Listing[], currency: string, kind: string): string[] {
  const own = listings.filter(listing => concerns(listing, kind, currency))
  const dates = [...new Set(own.map(({ instrument }) => instrument.expiryMs))].sort((a, b) => a - b)
  return dates.map(ms => (ms === NEVER_MS ? 'PERPETUAL' : dateCode(ms)))
}

function comboFields({ instrument, state, name }: Listing): JsonObject {
  return {
    id: name,
    state: state === 'open' ? 'active' : 'inactive',
    legs: (instrument.legs ?? []).map(leg => ({
      amount: BigInt(leg.amount),
      instrument_name: leg.instrumentName,
    })),
    creation_timestamp: instrument.createdMs,
    instrument_id: instrument.id,
    state_timestamp: instrument.createdMs + 532,
  }
}

function combosOf(call: Call): Listing[] {
  const currency = currencyOf(call, 'any')
  const all = [...call.exchange.market.listings.values()]
  return all.filter(listing => isCombo(listing.instrument) && concerns(listing, 'any', currency))
}

function getComboDetails(call: Call): Json {
  const listing = call.exchange.market.find(call.params.text('combo_id'))
  if (!listing || !isCombo(listing.instrument)) throw invalidParam('combo not found', 'combo_id')
  return comboFields(listing)
}

function getCurrencies({ exchange }: Call): Json {
  const listed = new Set([...exchange.market.listings.values()].map(({ instrument }) => instrument.settle))
  return CURRENCIES.filter(currency => listed.has(currency) || currency === 'USDC').map(currencyFields)
}

/** A row of `get_currencies`. */
export function currencyFields(currency: string): JsonObject {
  return {
    currency,
    currency_long: LONG_NAMES[currency] ?? currency,
    coin_type: currency === 'BTC' ? 'BITCOIN' : 'ETHER',
    decimals: currency === 'BTC' ? 8 : 6,
    min_confirmations: 1,
    min_withdrawal_fee: 0.0001,
    withdrawal_fee: 0.0001,
    withdrawal_priorities: [],
    network_fee: 0.0001,
    network_currency: currency === 'BTC' ? 'BTC' : 'ETH',
    in_cross_collateral_pool: true,
    apr: 0,
  }
}

const LONG_NAMES: Readonly<Record<string, string>> = {
  BTC: 'Bitcoin',
  ETH: 'Ethereum',
  USDC: 'USD Coin',
  USDT: 'Tether USD',
  EURR: 'Euro Stablecoin',
}

/** Methods about what is listed. */
export const instrumentMethods: Methods = {
  'public/get_instruments': { pool: 'instruments', run: getInstruments },
  'public/get_instrument': ordinary(call => fieldsOf(call, instrumentOf(call))),
  'public/get_expirations': ordinary(getExpirations),
  'public/get_currencies': ordinary(getCurrencies),
  'public/get_combos': ordinary(call => combosOf(call).map(comboFields)),
  'public/get_combo_ids': ordinary(call => combosOf(call).map(({ name }) => name)),
  'public/get_combo_details': ordinary(getComboDetails),
}
