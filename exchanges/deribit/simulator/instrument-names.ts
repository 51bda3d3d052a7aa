import { NEVER_MS } from '../../../simulator/market/calendar.js'
import type { Birth, Instrument, InstrumentNames, Kind, Terms } from '../../../simulator/market/instruments.js'
import { PriceGrid } from '../../../simulator/market/price-grid.js'
import { dateCode, parseDateCode } from './calendar.js'
import { UNDERLYINGS } from './underlyings.js'

/** Kinds as calls and channels spell them; perpetuals are futures there. */
export const CATEGORIES = ['future', 'option', 'spot', 'future_combo', 'option_combo'] as const

/** Names are unique; the kind beside them is what channels and calls choose by. */
export function called(name: string, kind: Kind): InstrumentNames {
  return { name, symbol: name, category: kind === 'perpetual' ? 'future' : kind }
}

/** `BTC-PERPETUAL`, `BTC_USDC-25DEC26`, `BTC-25DEC26-60000-C`, `BTC_USDC`; combos are named by their legs. */
export function namesOf(terms: Terms): InstrumentNames {
  const { kind, underlying, expiryMs } = terms
  switch (kind) {
    case 'perpetual':
      return called(`${underlying}-PERPETUAL`, kind)
    case 'option': {
      const right = terms.call ? 'C' : 'P'
      return called(`${underlying}-${dateCode(expiryMs)}-${strikeCode(terms.strike ?? 0)}-${right}`, kind)
    }
    case 'spot':
      return called(`${terms.base}_${terms.quote}`, kind)
    case 'future':
    case 'future_combo':
    case 'option_combo':
      return called(`${underlying}-${dateCode(expiryMs)}`, kind)
  }
}

/** Strike as names spell it: `d` is the decimal point. */
export function strikeCode(strike: number): string {
  return String(strike).replace('.', 'd')
}

/** An instrument as far as its name says; undefined for a name by no known rule. Steps are guesses. */
export function instrumentFromName(name: string, birth: Birth): Instrument | undefined {
  const spot = /^([A-Z0-9]{1,16})_([A-Z0-9]{1,16})$/.exec(name)
  if (spot) {
    const [, base = '', quote = ''] = spot
    return { ...common(name, base, quote), ...birth, ...named(name, 'spot'), expiryMs: NEVER_MS }
  }
  const [prefix = '', second = '', third, fourth] = name.split('-')
  const coin = /^([A-Z0-9]{1,16})(?:_([A-Z0-9]{1,16}))?$/.exec(prefix)
  if (!coin) return undefined
  const [, base = '', quote] = coin
  const facts = { ...common(prefix, base, quote), ...birth }
  if (third === undefined) {
    const expiryMs = second === 'PERPETUAL' ? NEVER_MS : parseDateCode(second)
    if (expiryMs === undefined) return undefined
    return { ...facts, ...named(name, expiryMs === NEVER_MS ? 'perpetual' : 'future'), expiryMs }
  }
  const dated = parseDateCode(second)
  const strike = Number(third.replace('d', '.'))
  if (dated !== undefined && (fourth === 'C' || fourth === 'P') && Number.isFinite(strike)) {
    return { ...facts, ...named(name, 'option'), expiryMs: dated, strike, call: fourth === 'C' }
  }
  if (dated !== undefined) return undefined
  const combo = comboFromName(second, third)
  return combo && { ...facts, ...named(name, combo.kind), expiryMs: combo.expiryMs, legs: [] }
}

/** `{BASE}-{TYPE}-{date or dates}-{strikes}`: it ends with its nearest leg; which legs it has the name does not say. */
function comboFromName(type: string, dates: string): { kind: Kind; expiryMs: number } | undefined {
  const expiries = dates.split('_').map(code => (code === 'PERP' ? NEVER_MS : parseDateCode(code)))
  if (!/^[A-Z0-9]+$/.test(type) || expiries.some(expiry => expiry === undefined)) return undefined
  const expiryMs = Math.min(...expiries.map(expiry => expiry ?? NEVER_MS))
  return { kind: type === 'FS' ? 'future_combo' : 'option_combo', expiryMs }
}

function named(name: string, kind: Kind) {
  return { ...called(name, kind), kind }
}

function common(underlying: string, base: string, quote: string | undefined) {
  const known = UNDERLYINGS.find(({ name }) => name === underlying)
  return {
    underlying,
    base,
    quote: quote ?? 'USD',
    settle: quote ?? base,
    linear: quote !== undefined,
    index: `${base}_${quote ?? 'USD'}`.toLowerCase(),
    grid: new PriceGrid(known?.perpetual.tickSize ?? 0.0001),
    minAmount: known?.perpetual.minAmount ?? 0.0001,
    contractSize: known?.perpetual.contractSize ?? 1,
  }
}
