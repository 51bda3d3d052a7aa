import { valueOption, type OptionTerms, type OptionValue } from './black-scholes.js'
import { yearsUntil } from './calendar.js'
import { round, type IndexPrices } from './index-price.js'
import { isOptional, isPerpetual, type Instrument } from './instruments.js'
import type { Underlying } from './listing-plan.js'
import type { Random } from './random.js'
import { totalVariance, VolatilitySurface, type SviSlice } from './volatility-surface.js'

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
  terms?: OptionTerms
  value?: OptionValue
}

/** What options of one underlying and expiry are marked by at a moment. */
export interface ExpirySurface {
  underlying: string
  expiryMs: number
  forward: number
  years: number
  slice: SviSlice
}

/** Marks show no volatility beyond these. */
const MIN_VOLATILITY = 0.05
const MAX_VOLATILITY = 4.5
/** Of an option in a recording whose underlying the plan does not know. */
const UNPLANNED = { volatility: 0.5 }

/** Premium of perpetuals and level of volatility, wandering around their means. */
interface Mood {
  premium: number
  volatility: number
}

/** Fair values of everything, from indices, basis, premium and a surface of volatility. */
export class Pricing {
  private readonly moods = new Map<string, Mood>()
  private readonly underlyings: Map<string, Underlying>
  private readonly surfaces: Map<string, VolatilitySurface>

  constructor(
    private readonly indices: IndexPrices,
    underlyings: readonly Underlying[],
    private readonly find: (name: string) => Instrument | undefined,
    seed: number,
  ) {
    this.underlyings = new Map(underlyings.map(underlying => [underlying.name, underlying]))
    this.surfaces = new Map(
      underlyings.map((underlying, place) => [underlying.name, new VolatilitySurface(seed, place, underlying)]),
    )
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

  /** At the money for a time ahead, as a fraction. */
  volatility(underlying: string, years: number): number {
    const now = this.now(underlying)
    return this.surfaces.get(underlying)?.termLevel(now, years) ?? now
  }

  /** At the money of the shortest expiry. */
  private now(underlying: string): number {
    return this.moods.get(underlying)?.volatility ?? 0.5
  }

  /** The parameters that all options of an expiry are marked by. */
  surface({ underlying, index, expiryMs }: Instrument, ms: number): ExpirySurface {
    const forward = this.forward(underlying, index, expiryMs, ms)
    const surface = this.surfaces.get(underlying) ?? new VolatilitySurface(0, 0, UNPLANNED)
    const slice = surface.slice(this.now(underlying), expiryMs, ms)
    return { underlying, expiryMs, forward, years: yearsUntil(expiryMs, ms), slice }
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
    const { forward, years, slice } = this.surface(instrument, ms)
    const strike = instrument.strike ?? forward
    const exactIv = Math.sqrt(totalVariance(slice, Math.log(strike / forward)) / years)
    const iv = years > 0 ? Math.min(Math.max(exactIv, MIN_VOLATILITY), MAX_VOLATILITY) : MIN_VOLATILITY
    const terms = { forward, strike, years, volatility: iv, call: instrument.call ?? false }
    const value = valueOption(terms)
    const exact = instrument.linear ? value.price : value.price / forward
    return { exact, price: round(exact, decimalsOf(instrument)), index, forward, iv, terms, value }
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
