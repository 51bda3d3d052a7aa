import { combo, future, option, perpetual, spot } from './births.js'
import { DAY_MS, expiriesAfter, yearsUntil } from './calendar.js'
import type { Birth, Instrument } from './instruments.js'
import type { ListingPlan, Underlying } from './listing-plan.js'
import { stepsToValue } from './price-grid.js'
import type { Random } from './random.js'

/** Expiries with a dated future, where the coin has dated futures at all. */
const FUTURE_EXPIRIES = 4

/** Of a candidate that may exist already. */
const NOT_YET_BORN: Birth = { id: 0, createdMs: 0 }

/** Which instruments exist by an exchange's plan: at the start, and which come when a day's have expired. */
export class Catalogue {
  private nextId = 120_000

  constructor(
    private readonly plan: ListingPlan,
    private readonly optionCount: number,
    private readonly indexPrice: (index: string) => number,
    private readonly random: Random,
  ) {}

  /** An id and a creation time some days before `ms`. */
  private oldBirth(ms: number): Birth {
    return { id: this.takeId(), createdMs: Math.floor((ms - this.random.between(0.01, 60) * DAY_MS) / 1000) * 1000 }
  }

  private takeId(): number {
    this.nextId += this.random.int(1, 40)
    return this.nextId
  }

  /** Everything that is listed when the market opens at `ms`. */
  initial(ms: number): Instrument[] {
    const all: Instrument[] = []
    const { plan } = this
    for (const underlying of plan.underlyings) {
      all.push(perpetual(plan, underlying, this.oldBirth(ms)))
      for (const expiry of this.futureExpiries(underlying, ms)) {
        all.push(future(plan, underlying, this.oldBirth(ms), expiry))
      }
      for (const expiry of this.optionExpiries(underlying, ms)) {
        all.push(...this.optionsOf(underlying, expiry, ms, () => this.oldBirth(ms)))
      }
    }
    for (const pair of plan.spotPairs) all.push(spot(plan, pair, this.oldBirth(ms)))
    for (const planned of plan.combos(all)) all.push(combo(planned, this.oldBirth(ms)))
    return all
  }

  /** What is missing at `ms`, after an expiry; created then. */
  renewals(ms: number, exists: (name: string) => boolean): Instrument[] {
    const fresh: Instrument[] = []
    const birth = () => ({ id: this.takeId(), createdMs: ms })
    for (const underlying of this.plan.underlyings) {
      for (const expiry of this.futureExpiries(underlying, ms)) {
        const candidate = future(this.plan, underlying, NOT_YET_BORN, expiry)
        if (!exists(candidate.name)) fresh.push({ ...candidate, ...birth() })
      }
      for (const expiry of this.optionExpiries(underlying, ms)) {
        const wanted = this.optionsOf(underlying, expiry, ms, birth)
        // An expiry that already trades gets new strikes one at a time, not here.
        if (wanted.every(candidate => !exists(candidate.name))) fresh.push(...wanted)
      }
    }
    return fresh
  }

  /** One new option beyond the strikes that exist, or undefined where no options are wanted. */
  nextStrike(ms: number, exists: (name: string) => boolean): Instrument | undefined {
    const [first, ...rest] = this.plan.underlyings.filter(underlying => this.optionExpiries(underlying, ms).length > 0)
    if (!first) return undefined
    const underlying = this.random.pick([first, ...rest])
    const expiries = this.optionExpiries(underlying, ms)
    const expiry = expiries[this.random.int(0, expiries.length - 1)] ?? 0
    const call = this.random.chance(0.5)
    const step = strikeStep(underlying)
    const center = Math.round(this.indexPrice(underlying.index) / step)
    for (let away = 1; away < 500; away++) {
      const steps = center + (call ? away : -away)
      if (steps <= 0) return undefined
      const born = { id: this.takeId(), createdMs: ms }
      const own = { expiryMs: expiry, strike: stepsToValue(steps, step), call }
      const candidate = option(this.plan, underlying, born, own)
      if (!exists(candidate.name)) return candidate
    }
    return undefined
  }

  private futureExpiries(underlying: Underlying, ms: number): number[] {
    return underlying.future ? expiriesAfter(ms, FUTURE_EXPIRIES, this.plan.settlesAtMs) : []
  }

  private optionExpiries(underlying: Underlying, ms: number): number[] {
    const wanted = Math.round(this.optionCount * (underlying.option?.share ?? 0))
    if (wanted < 1) return []
    return expiriesAfter(ms, Math.max(1, Math.min(10, Math.floor(wanted / 20) + 1)), this.plan.settlesAtMs)
  }

  private optionsOf(underlying: Underlying, expiry: number, ms: number, birth: () => Birth): Instrument[] {
    const wanted = Math.round(this.optionCount * (underlying.option?.share ?? 0))
    const strikes = Math.max(1, Math.round(wanted / 2 / this.optionExpiries(underlying, ms).length))
    const base = strikeStep(underlying)
    // Far expiries reach further out, so their strikes lie further apart.
    const step = base * Math.max(1, Math.round(Math.sqrt(yearsUntil(expiry, ms) * 30)))
    const center = Math.round(this.indexPrice(underlying.index) / step)
    const options: Instrument[] = []
    for (let index = 0; index < strikes; index++) {
      const steps = center + index - Math.floor(strikes / 2)
      if (steps <= 0) continue
      const strike = stepsToValue(steps, step)
      for (const call of [true, false])
        options.push(option(this.plan, underlying, birth(), { expiryMs: expiry, strike, call }))
    }
    return options
  }
}

function strikeStep(underlying: Underlying): number {
  return underlying.option?.strikeStep ?? 1
}
