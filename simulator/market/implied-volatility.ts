import { impliedVolatility } from './black-scholes.js'
import { round } from './index-price.js'
import type { Listing } from './listing.js'
import type { Mark } from './pricing.js'

/** Percent that stands for a price beyond what any volatility explains. */
const MAX_IV = 500

/** Percent at a price, between 0 and what still counts as one. */
export function ivAt(listing: Listing, { terms, forward }: Mark, price: number): number {
  if (!terms) return 0
  const iv = impliedVolatility(terms, price * (listing.instrument.linear ? 1 : forward)) * 100
  return iv > MAX_IV ? MAX_IV : round(iv, 2)
}
