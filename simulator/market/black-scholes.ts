/** Black-76 on a forward, without interest: what exchanges mark options by. */

export interface OptionValue {
  /** In the quote of the forward (USD, USDC). */
  price: number
  delta: number
  gamma: number
  /** Per percentage point of volatility. */
  vega: number
  /** Per day. */
  theta: number
  /** Per percentage point of interest. */
  rho: number
}

export interface OptionTerms {
  forward: number
  strike: number
  years: number
  /** As a fraction: 0.46. */
  volatility: number
  call: boolean
}

/** Cumulative normal distribution (Abramowitz and Stegun 26.2.17, error below 7.5e-8). */
export function normalCdf(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x))
  const tail =
    normalDensity(x) * t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  return x >= 0 ? 1 - tail : tail
}

function normalDensity(x: number): number {
  return Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)
}

/** Highest volatility that is looked for, as a fraction. */
const MAX_VOLATILITY = 5
const MAX_STEPS = 60

/**
 * The volatility that gives a price, by Newton's steps from `volatility`, each held between what is too low and what is
 * too high; 0 where even that is too much, Infinity where the price is beyond every volatility.
 */
export function impliedVolatility(terms: OptionTerms, price: number): number {
  let [low, high] = [0, MAX_VOLATILITY]
  const precision = terms.forward * 1e-9
  if (terms.years <= 0 || price <= valueOption({ ...terms, volatility: 1e-4 }).price) return 0
  if (price >= valueOption({ ...terms, volatility: high }).price) return Infinity
  let { volatility } = terms
  for (let step = 0; step < MAX_STEPS; step++) {
    const value = valueOption({ ...terms, volatility })
    const away = value.price - price
    if (Math.abs(away) < precision) break
    if (away > 0) high = volatility
    else low = volatility
    const next = volatility - away / (value.vega * 100)
    volatility = next > low && next < high ? next : (low + high) / 2
  }
  return volatility
}

export function valueOption({ forward, strike, years, volatility, call }: OptionTerms): OptionValue {
  const sign = call ? 1 : -1
  if (years <= 0) {
    const price = Math.max(sign * (forward - strike), 0)
    return { price, delta: price > 0 ? sign : 0, gamma: 0, vega: 0, theta: 0, rho: 0 }
  }
  const spread = volatility * Math.sqrt(years)
  const d1 = Math.log(forward / strike) / spread + spread / 2
  const d2 = d1 - spread
  const price = sign * (forward * normalCdf(sign * d1) - strike * normalCdf(sign * d2))
  const density = normalDensity(d1)
  return {
    price: Math.max(price, 0),
    delta: sign * normalCdf(sign * d1),
    gamma: density / (forward * spread),
    vega: (forward * density * Math.sqrt(years)) / 100,
    theta: -(forward * density * volatility) / (2 * Math.sqrt(years)) / 365,
    rho: (sign * strike * years * normalCdf(sign * d2)) / 100,
  }
}
