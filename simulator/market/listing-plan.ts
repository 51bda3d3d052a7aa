import type { Instrument, InstrumentNames, Terms } from './instruments.js'
import type { Numbers } from './numbers.js'
import type { TickStep } from './price-grid.js'
import type { Random } from './random.js'

/** How an instrument's prices and amounts step. */
export interface Steps {
  tickSize: number
  tickSteps?: readonly TickStep[]
  minAmount: number
  contractSize: number
}

/** How volatility depends on strike and time. */
export interface Smile {
  /** Between -1 and 1; negative where puts are dearer than calls. */
  skew: number
  /** How much dearer the wings are, above 0; at most 2 / (1 + |skew|), or prices would allow arbitrage. */
  curvature: number
  /** Volatility at the money of the far end of time, as a part of the mean. */
  longRun: number
}

/** A coin as one kind of settlement sees it; its derivatives share basis, premium and volatility. */
export interface Underlying {
  /** Unique in the plan. */
  name: string
  base: string
  /** In which the index and strikes are given. */
  quote: string
  settle: string
  linear: boolean
  index: string
  /** Fraction a year. */
  basis: number
  /** At-the-money volatility, as a fraction. */
  volatility: number
  /** Default: a smile as large coins have it. */
  smile?: Smile
  perpetual: Steps
  future?: Steps
  /** `share`: of the options that the market is told to list. */
  option?: Steps & { strikeStep: number; share: number }
}

/** Where an index comes from: a walk of its own, or another one times a factor. */
export interface IndexSource {
  name: string
  startPrice: number
  decimals: number
  /** Of the walk, as a fraction a year. */
  volatility: number
  follows?: string
  factor?: number
}

export interface SpotPair {
  base: string
  quote: string
  index: string
  steps: Steps
}

export interface ComboPlan {
  underlying: Underlying
  names: InstrumentNames
  /** With their signed ratio. */
  legs: readonly [Instrument, number][]
}

/** What an exchange lists, how it calls it, and how it numbers what happens. */
export interface ListingPlan {
  indices: readonly IndexSource[]
  underlyings: readonly Underlying[]
  spotPairs: readonly SpotPair[]
  /** When days end and contracts expire, ms after midnight UTC. */
  settlesAtMs: number
  namesOf(terms: Terms): InstrumentNames
  /** Combos of what is listed when the market opens. */
  combos(listed: readonly Instrument[]): ComboPlan[]
  /** All chances must come from `random`. */
  numbers(random: Random): Numbers
}
