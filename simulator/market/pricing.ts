import { valueOption, type OptionValue } from './black-scholes.js'
import { yearsUntil } from './calendar.js'
import { round, type IndexPrices } from './index-price.js'
import { isOptional, isPerpetual, type Instrument } from './instruments.js'
import type { Underlying } from './listing-plan.js'
import type { Random } from './random.js'

/** What an instrument is worth now. */
export interface Mark {
  /** In the instrument's own quote, unrounded. */
  exact: number
  /** As shown. */
  price: number
  index: number
  forward: number
  /** Fraction; options only. */
  iv?: number
  value?: OptionValue
}

/** Premium of perpetuals and level of volatility, wandering around their means. */
interface Mood {
  premium: number
  volatility: number
}

/** Fair values of everything, from indices, basis, premium and a volatility smile. */
export class Pricing {
  private readonly moods = new Map<string, Mood>()
  private readonly underlyings: Map<string, Underlying>

  constructor(
    private readonly indices: IndexPrices,
    underlyings: readonly Underlying[],
    private readonly find: (name: string) => Instrument | undefined,
  ) {
    this.underlyings = new Map(underlyings.map(underlying => [underlying.name, underlying]))
    for (const { name, volatility } of underlyings) this.moods.set(name, { premium: 0.0001, volatility })
  }

  advance(seconds: number, random: Random): void {
    const pull = Math.min(seconds / 600, 0.5)
    for (const [name, mood] of this.moods) {
      const mean = this.underlyings.get(name)?.volatility ?? 0.5
      mood.premium += (0.0001 - mood.premium) * pull + 0.00004 * Math.sqrt(pull * 60) * random.normal()
      mood.volatility += (mean - mood.volatility) * pull + 0.002 * Math.sqrt(pull * 60) * random.normal()
      mood.volatility = Math.max(mood.volatility, mean / 3)
    }
  }

  premium(underlying: string): number {
    return this.moods.get(underlying)?.premium ?? 0
  }

  /** At the money, as a fraction. */
  volatility(underlying: string): number {
    return this.moods.get(underlying)?.volatility ?? 0.5
  }

  forward(underlying: string, index: string, expiryMs: number, ms: number): number {
    const basis = this.underlyings.get(underlying)?.basis ?? 0
    return this.indices.price(index) * Math.exp(basis * yearsUntil(expiryMs, ms))
  }

  mark(instrument: Instrument, ms: number): Mark {
    const index = this.indices.price(instrument.index)
    if (instrument.legs) return this.comboMark(instrument, index, ms)
    if (instrument.kind === 'spot') return { exact: index, price: index, index, forward: index }
    if (instrument.kind === 'option') return this.optionMark(instrument, index, ms)
    const exact = isPerpetual(instrument)
      ? index * (1 + this.premium(instrument.underlying))
      : this.forward(instrument.underlying, instrument.index, instrument.expiryMs, ms)
    return { exact, price: round(exact, decimalsOf(instrument)), index, forward: exact }
  }

  private optionMark(instrument: Instrument, index: number, ms: number): Mark {
    const forward = this.forward(instrument.underlying, instrument.index, instrument.expiryMs, ms)
    const years = yearsUntil(instrument.expiryMs, ms)
    const strike = instrument.strike ?? forward
    const moneyness = Math.log(strike / forward) / Math.sqrt(years + 0.02)
    const smile = 1 - 0.06 * moneyness + 0.12 * moneyness * moneyness
    const iv = Math.min(Math.max(this.volatility(instrument.underlying) * smile, 0.1), 4.5)
    const value = valueOption({ forward, strike, years, volatility: iv, call: instrument.call ?? false })
    const exact = instrument.linear ? value.price : value.price / forward
    return { exact, price: round(exact, decimalsOf(instrument)), index, forward, iv, value }
  }

  private comboMark(instrument: Instrument, index: number, ms: number): Mark {
    let exact = 0
    for (const { instrumentName, amount } of instrument.legs ?? []) {
      const leg = this.find(instrumentName)
      if (leg) exact += amount * this.mark(leg, ms).exact
    }
    return { exact, price: round(exact, decimalsOf(instrument)), index, forward: index }
  }
}

/** Decimals of a shown mark price. */
function decimalsOf(instrument: Instrument): number {
  if (isOptional(instrument)) return 4
  return Math.max(2, Math.ceil(-Math.log10(instrument.grid.tickSize)) + 1)
}
