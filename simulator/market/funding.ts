import { HOUR_MS } from './calendar.js'
import { round, type IndexPrices } from './index-price.js'
import { isPerpetual, type Instrument } from './instruments.js'
import type { Pricing } from './pricing.js'
import { fixedChance } from './random.js'

/** Hours of funding history that can be asked for. */
export const FUNDING_HISTORY_HOURS = 24 * 30
const HOURS_OF_RATE = 8

export interface FundingHour {
  timestampMs: number
  indexPrice: number
  prevIndexPrice: number
  interest1h: number
  interest8h: number
}

/** Funding of perpetuals: now from the premium, in the past from the seed alone. */
export class Funding {
  constructor(
    private readonly pricing: Pricing,
    private readonly indices: IndexPrices,
    private readonly seed: number,
  ) {}

  /** Rate of eight hours; zero while the premium is inside the band. */
  current({ underlying }: Instrument): number {
    const premium = this.pricing.premium(underlying)
    const band = 0.00005
    return round(Math.max(premium - band, 0) + Math.min(premium + band, 0), 8)
  }

  eightHours(instrument: Instrument, ms: number): number {
    const hour = Math.floor(ms / HOUR_MS)
    let sum = 0
    for (let back = 1; back <= HOURS_OF_RATE; back++) sum += this.hourRate(instrument, hour - back)
    return round(sum, 8)
  }

  /** Whole hours in the span, newest last, as far back as history reaches. */
  history(instrument: Instrument, fromMs: number, toMs: number, nowMs: number): FundingHour[] {
    if (!isPerpetual(instrument)) return []
    const earliest = nowMs - FUNDING_HISTORY_HOURS * HOUR_MS
    const hours: FundingHour[] = []
    const first = Math.ceil(Math.max(fromMs, earliest) / HOUR_MS)
    for (let hour = first; hour * HOUR_MS <= Math.min(toMs, nowMs); hour++) {
      let interest8h = 0
      for (let back = 0; back < HOURS_OF_RATE; back++) interest8h += this.hourRate(instrument, hour - back)
      hours.push({
        timestampMs: hour * HOUR_MS,
        indexPrice: this.pastIndex(instrument, hour),
        prevIndexPrice: this.pastIndex(instrument, hour - 1),
        interest1h: this.hourRate(instrument, hour),
        interest8h,
      })
    }
    return hours
  }

  private hourRate({ id }: Instrument, hour: number): number {
    return (fixedChance(this.seed, id, hour) - 0.45) * 2e-5
  }

  private pastIndex({ id, index }: Instrument, hour: number): number {
    const chance = fixedChance(this.seed + 1, id, hour)
    return round(this.indices.range(index).open * (1 + (chance - 0.5) / 100), 4)
  }
}
