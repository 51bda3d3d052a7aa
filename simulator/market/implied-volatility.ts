import { round } from './index-price.js'
import type { Listing } from './listing.js'
import type { Mark } from './pricing.js'

/** Percent that stands for a price beyond what any volatility explains. */
const MAX_IV = 500

/** Percent at a price near the mark: one step of Newton, between 0 and what still counts as one. */
export function ivAt(listing: Listing, mark: Mark, price: number): number {
  const perPoint = mark.value?.vega ?? 0
  const away = (price - mark.exact) * (listing.instrument.linear ? 1 : mark.forward)
  const iv = (mark.iv ?? 0) * 100 + (perPoint > 1e-9 ? away / perPoint : away > 0 ? Infinity : -Infinity)
  return iv > MAX_IV ? MAX_IV : Math.max(round(iv, 2), 0)
}
