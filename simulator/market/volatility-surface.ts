import { yearsUntil } from './calendar.js'
import type { Smile, Underlying } from './listing-plan.js'
import { fixedChance } from './random.js'

/**
 * Total variance of one expiry by `k`, the logarithm of strike over forward, in the form called raw SVI:
 * w(k) = a + b (rho (k - m) + sqrt((k - m)² + sigma²)); the volatility is sqrt(w / years).
 */
export interface SviSlice {
  a: number
  b: number
  rho: number
  m: number
  sigma: number
}

export function totalVariance({ a, b, rho, m, sigma }: SviSlice, k: number): number {
  return a + b * (rho * (k - m) + Math.sqrt((k - m) ** 2 + sigma * sigma))
}

/** About what a large coin's options show: puts dearer than calls, both wings dearer than the money. */
const PLAIN_SMILE: Smile = { skew: -0.15, curvature: 0.8, longRun: 1.1 }
/** How fast today's level gives way to that of the long run, per year. */
const REVERSION = 3
/** By how much the seed moves the parameters of an underlying, and those of each of its expiries. */
const OF_UNDERLYING = { skew: 0.08, curvature: 0.1 }
const OF_EXPIRY = { skew: 0.03, curvature: 0.05, level: 0.008 }
const HOUR_MS = 3_600_000

/**
 * The surface of an underlying: every expiry a slice of SVI, its level from a term structure, its skew and curvature
 * from the smile of the plan with what the seed adds. Later expiries have more total variance at every strike.
 */
export class VolatilitySurface {
  constructor(
    private readonly seed: number,
    /** Its place in the plan. */
    private readonly place: number,
    private readonly underlying: Pick<Underlying, 'volatility' | 'smile'>,
  ) {}

  /** @param now volatility at the money of the shortest expiry, as a fraction */
  slice(now: number, expiryMs: number, ms: number): SviSlice {
    const years = yearsUntil(expiryMs, ms)
    const smile = this.underlying.smile ?? PLAIN_SMILE
    const level = this.termLevel(now, years) * (1 + OF_EXPIRY.level * this.noise(1, expiryMs))
    const theta = level * level * years
    const rho = smile.skew + OF_UNDERLYING.skew * this.noise(2) + OF_EXPIRY.skew * this.noise(3, expiryMs)
    const bend = 1 + OF_UNDERLYING.curvature * this.noise(4) + OF_EXPIRY.curvature * this.noise(5, expiryMs)
    const phi = (smile.curvature * bend) / Math.sqrt(theta)
    return {
      a: (theta * (1 - rho * rho)) / 2,
      b: (theta * phi) / 2,
      rho,
      m: -rho / phi,
      sigma: Math.sqrt(1 - rho * rho) / phi,
    }
  }

  /** Volatility at the money for a time ahead, without the noise of an expiry. */
  termLevel(now: number, years: number): number {
    const smile = this.underlying.smile ?? PLAIN_SMILE
    const longRun = (this.underlying.volatility * smile.longRun) ** 2
    const weight = years > 0 ? (1 - Math.exp(-REVERSION * years)) / (REVERSION * years) : 1
    return Math.sqrt(longRun + (now * now - longRun) * weight)
  }

  /** From -1 to 1. */
  private noise(what: number, expiryMs = 0): number {
    return 2 * fixedChance(this.seed + 2, this.place, what, Math.floor(expiryMs / HOUR_MS)) - 1
  }
}
