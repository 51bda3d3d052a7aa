import { NEVER_MS, parseDateCode, settlementPeriodOf } from '../../../simulator/market/calendar.js'
import type { Birth, Instrument, Kind } from '../../../simulator/market/instruments.js'
import { PriceGrid } from '../../../simulator/market/price-grid.js'
import { UNDERLYINGS } from './underlyings.js'

/** An instrument as far as its name tells; undefined for a name by no known rule. Steps are guesses. */
export function instrumentFromName(name: string, birth: Birth): Instrument | undefined {
  const spot = /^([A-Z0-9]{1,16})_([A-Z0-9]{1,16})$/.exec(name)
  if (spot) {
    const [, base = '', quote = ''] = spot
    return { ...common(name, base, quote), ...birth, kind: 'spot', period: undefined, expiryMs: NEVER_MS }
  }
  const [prefix = '', second = '', third, fourth] = name.split('-')
  const coin = /^([A-Z0-9]{1,16})(?:_([A-Z0-9]{1,16}))?$/.exec(prefix)
  if (!coin) return undefined
  const [, base = '', quote] = coin
  const facts = { ...common(prefix, base, quote), ...birth, name }
  if (third === undefined) {
    const expiryMs = second === 'PERPETUAL' ? NEVER_MS : parseDateCode(second)
    if (expiryMs === undefined) return undefined
    return { ...facts, kind: 'future', expiryMs, period: settlementPeriodOf(expiryMs) }
  }
  const dated = parseDateCode(second)
  const strike = Number(third.replace('d', '.'))
  if (dated !== undefined && (fourth === 'C' || fourth === 'P') && Number.isFinite(strike)) {
    const inCoin = quote === undefined ? { quote: base } : {}
    const period = settlementPeriodOf(dated)
    return { ...facts, ...inCoin, kind: 'option', expiryMs: dated, period, strike, call: fourth === 'C' }
  }
  return dated === undefined ? comboFromName(facts, second, third) : undefined
}

/** `{BASE}-{TYPE}-{date or dates}-{strikes}`: it ends with its nearest leg; which legs it has the name does not say. */
function comboFromName(facts: Omit<Instrument, 'kind' | 'expiryMs' | 'period'>, type: string, dates: string) {
  const expiries = dates.split('_').map(code => (code === 'PERP' ? NEVER_MS : parseDateCode(code)))
  if (!/^[A-Z0-9]+$/.test(type) || expiries.some(expiry => expiry === undefined)) return undefined
  const expiryMs = Math.min(...expiries.map(expiry => expiry ?? NEVER_MS))
  const kind: Kind = type === 'FS' ? 'future_combo' : 'option_combo'
  const quote = kind === 'option_combo' && !facts.linear ? facts.base : facts.quote
  return { ...facts, quote, kind, expiryMs, period: settlementPeriodOf(expiryMs), legs: [] }
}

function common(prefix: string, base: string, quote: string | undefined) {
  const known = UNDERLYINGS.find(underlying => underlying.prefix === prefix)
  return {
    name: prefix,
    prefix,
    base,
    quote: quote ?? 'USD',
    counter: quote ?? 'USD',
    currency: quote ?? base,
    linear: quote !== undefined,
    index: `${base}_${quote ?? 'USD'}`.toLowerCase(),
    grid: new PriceGrid(known?.perpetual.tickSize ?? 0.0001),
    minAmount: known?.perpetual.minAmount ?? 0.0001,
    contractSize: known?.perpetual.contractSize ?? 1,
  }
}
