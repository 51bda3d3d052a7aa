import { DAY_MS, dateCode, expiriesAfter, yearsUntil } from './calendar.js'
import { combo, future, option, perpetual, spot, strikeCode, type Birth, type Instrument } from './instruments.js'
import { stepsToValue } from './price-grid.js'
import type { Random } from './random.js'
import { SPOT_PAIRS, UNDERLYINGS, type Underlying } from '../../exchanges/deribit/simulator/underlyings.js'

/** Expiries with a dated future, where the coin has dated futures at all. */
const FUTURE_EXPIRIES = 4

/** Which instruments exist: at the start, and which come when a day's have expired. */
export class Catalogue {
  private nextId = 120_000

  constructor(
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
    for (const underlying of UNDERLYINGS) {
      all.push(perpetual(underlying, this.oldBirth(ms)))
      for (const expiry of this.futureExpiries(underlying, ms)) {
        all.push(future(underlying, this.oldBirth(ms), expiry))
      }
      for (const expiry of this.optionExpiries(underlying, ms)) {
        all.push(...this.optionsOf(underlying, expiry, ms, () => this.oldBirth(ms)))
      }
    }
    for (const pair of SPOT_PAIRS) all.push(spot(pair, this.oldBirth(ms)))
    all.push(...this.initialCombos(all, ms))
    return all
  }

  /** What is missing at `ms`, after an expiry; created then. */
  renewals(ms: number, exists: (name: string) => boolean): Instrument[] {
    const fresh: Instrument[] = []
    const birth = () => ({ id: this.takeId(), createdMs: ms })
    for (const underlying of UNDERLYINGS) {
      for (const expiry of this.futureExpiries(underlying, ms)) {
        if (!exists(`${underlying.prefix}-${dateCode(expiry)}`)) fresh.push(future(underlying, birth(), expiry))
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
    const [first, ...rest] = UNDERLYINGS.filter(underlying => this.optionExpiries(underlying, ms).length > 0)
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
      const candidate = option(underlying, born, expiry, strikeOf(steps, step), call)
      if (!exists(candidate.name)) return candidate
    }
    return undefined
  }

  private futureExpiries(underlying: Underlying, ms: number): number[] {
    return underlying.future ? expiriesAfter(ms, FUTURE_EXPIRIES) : []
  }

  private optionExpiries(underlying: Underlying, ms: number): number[] {
    const wanted = Math.round(this.optionCount * (underlying.option?.share ?? 0))
    if (wanted < 1) return []
    return expiriesAfter(ms, Math.max(1, Math.min(10, Math.floor(wanted / 20) + 1)))
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
      for (const call of [true, false]) options.push(option(underlying, birth(), expiry, strikeOf(steps, step), call))
    }
    return options
  }

  /** Per coin: the perpetual against its futures, a call spread, a strangle. */
  private initialCombos(all: readonly Instrument[], ms: number): Instrument[] {
    const combos: Instrument[] = []
    for (const underlying of UNDERLYINGS.filter(({ linear }) => !linear)) {
      const own = all.filter(({ prefix }) => prefix === underlying.prefix)
      const perp = own.find(({ period }) => period === 'perpetual')
      for (const dated of own.filter(({ kind, period }) => kind === 'future' && period !== 'perpetual').slice(-2)) {
        if (!perp) continue
        const name = `${underlying.prefix}-FS-${dateCode(dated.expiryMs)}_PERP`
        combos.push(
          combo(underlying, this.oldBirth(ms), name, [
            [perp, -1],
            [dated, 1],
          ]),
        )
      }
      const far = own.filter(({ kind }) => kind === 'option').at(-1)?.expiryMs
      const calls = own.filter(({ call, expiryMs }) => call === true && expiryMs === far)
      const spread = this.callSpread(underlying, calls.at(0), calls.at(-1), ms)
      if (spread) combos.push(spread)
      const puts = own.filter(({ call, expiryMs }) => call === false && expiryMs === far)
      const strangle = this.strangle(underlying, puts.at(0), calls.at(-1), ms)
      if (strangle) combos.push(strangle)
    }
    return combos
  }

  private callSpread(underlying: Underlying, low: Instrument | undefined, high: Instrument | undefined, ms: number) {
    if (!low || !high || low === high) return undefined
    const name = `${underlying.prefix}-CS-${dateCode(low.expiryMs)}-${strikes(low, high)}`
    return combo(underlying, this.oldBirth(ms), name, [
      [low, 1],
      [high, -1],
    ])
  }

  private strangle(underlying: Underlying, put: Instrument | undefined, call: Instrument | undefined, ms: number) {
    if (!put || !call || put.strike === call.strike) return undefined
    const name = `${underlying.prefix}-STRG-${dateCode(put.expiryMs)}-${strikes(put, call)}`
    return combo(underlying, this.oldBirth(ms), name, [
      [put, 1],
      [call, 1],
    ])
  }
}

function strikes(low: Instrument, high: Instrument): string {
  return `${strikeCode(low.strike ?? 0)}_${strikeCode(high.strike ?? 0)}`
}

function strikeStep(underlying: Underlying): number {
  return underlying.option?.strikeStep ?? 1
}

function strikeOf(steps: number, step: number): number {
  return stepsToValue(steps, step)
}
