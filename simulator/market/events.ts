import type { Touch } from './order-book.js'
import type { Listing } from './listing.js'
import type { Trade } from './trades.js'

/** What the market reports to its listener, in the order it happened. Times are ms of the simulated clock. */
export type MarketEvent =
  | { type: 'book'; listing: Listing; touches: readonly Touch[]; previousId: number; bestChanged: boolean; ms: number }
  | { type: 'trades'; listing: Listing; trades: readonly Trade[]; ms: number }
  /** Indices moved; at most once a simulated second. */
  | { type: 'second'; ms: number }
  | { type: 'created'; listing: Listing; ms: number }
  | { type: 'state'; listing: Listing; ms: number }

export type MarketListener = (event: MarketEvent) => void
