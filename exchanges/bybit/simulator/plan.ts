import type { InstrumentNames, Terms } from '../../../simulator/market/instruments.js'
import { HOUR_MS } from '../../../simulator/market/calendar.js'
import type { IndexSource, ListingPlan, SpotPair, Underlying } from '../../../simulator/market/listing-plan.js'
import { channelOf, type Category } from '../names.js'
import { BybitNumbers } from './numbers.js'

const INDEX_SOURCES: readonly IndexSource[] = [
  { name: 'BTCUSD', startPrice: 84_250, decimals: 2, volatility: 0.5 },
  { name: 'ETHUSD', startPrice: 2_715, decimals: 2, volatility: 0.7 },
  { name: 'SOLUSD', startPrice: 139, decimals: 3, volatility: 0.8 },
  { name: 'DOGEUSD', startPrice: 0.1532, decimals: 5, volatility: 0.9 },
  { name: 'ETHBTC', startPrice: 0.0322, decimals: 6, volatility: 0.3 },
]

const linear = (base: string, basis: number, volatility: number, tickSize: number, minAmount: number): Underlying => ({
  name: `${base}_USDT`,
  base,
  quote: 'USDT',
  settle: 'USDT',
  linear: true,
  index: `${base}USD`,
  basis,
  volatility,
  perpetual: { tickSize, minAmount, contractSize: 1 },
})

const inverse = (base: string, tickSize: number): Underlying => ({
  ...linear(base, 0.05, 0.5, tickSize, 1),
  name: `${base}_USD`,
  quote: 'USD',
  settle: base,
  linear: false,
})

/** A coin as one kind of settlement sees it. */
const UNDERLYINGS: readonly Underlying[] = [
  {
    ...linear('BTC', 0.056, 0.41, 0.1, 0.001),
    future: { tickSize: 0.1, minAmount: 0.001, contractSize: 1 },
    option: { tickSize: 5, minAmount: 0.01, contractSize: 1, strikeStep: 1000, share: 0.6 },
  },
  {
    ...linear('ETH', 0.046, 0.62, 0.01, 0.01),
    future: { tickSize: 0.01, minAmount: 0.01, contractSize: 1 },
    option: { tickSize: 0.1, minAmount: 0.1, contractSize: 1, strikeStep: 50, share: 0.4 },
  },
  linear('SOL', 0.05, 0.8, 0.01, 0.1),
  linear('DOGE', 0.05, 0.9, 0.00001, 1),
  inverse('BTC', 0.1),
  inverse('ETH', 0.01),
]

const SPOT_PAIRS: readonly SpotPair[] = [
  { base: 'BTC', quote: 'USDT', index: 'BTCUSD', steps: { tickSize: 0.1, minAmount: 0.000001, contractSize: 1 } },
  { base: 'ETH', quote: 'USDT', index: 'ETHUSD', steps: { tickSize: 0.01, minAmount: 0.00001, contractSize: 1 } },
  { base: 'ETH', quote: 'BTC', index: 'ETHBTC', steps: { tickSize: 0.000001, minAmount: 0.00001, contractSize: 1 } },
]

/** What is listed, and how it is called and numbered. */
export const bybitPlan: ListingPlan = {
  indices: INDEX_SOURCES,
  underlyings: UNDERLYINGS,
  spotPairs: SPOT_PAIRS,
  settlesAtMs: 8 * HOUR_MS,
  namesOf,
  combos: () => [],
  numbers: random => new BybitNumbers(random),
}

/** `BTCUSDT`, `BTCUSD`, `BTCUSDT-27NOV26`, `BTC-27NOV26-60000-C-USDT`; a spot pair has a perpetual's symbol. */
export function namesOf({ kind, base, quote, linear: isLinear, expiryMs, strike = 0, call }: Terms): InstrumentNames {
  switch (kind) {
    case 'spot':
      return called('spot', `${base}${quote}`)
    case 'option':
      return called('option', `${base}-${dateCode(expiryMs)}-${strike}-${call ? 'C' : 'P'}-${quote}`)
    case 'perpetual':
      return called(isLinear ? 'linear' : 'inverse', `${base}${quote}`)
    default:
      return called('linear', `${base}${quote}-${dateCode(expiryMs)}`)
  }
}

export const called = (category: Category, symbol: string): InstrumentNames => ({
  name: channelOf(category, symbol),
  symbol,
  category,
})

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']

/** `7AUG26`, without a leading zero. */
function dateCode(ms: number): string {
  const date = new Date(ms)
  return `${date.getUTCDate()}${MONTHS[date.getUTCMonth()] ?? ''}${String(date.getUTCFullYear()).slice(2)}`
}
