import type { PriceGrid } from './price-grid.js'

export const KINDS = ['perpetual', 'future', 'option', 'spot', 'future_combo', 'option_combo'] as const
export type Kind = (typeof KINDS)[number]

/** How an exchange calls an instrument. */
export interface InstrumentNames {
  /** Unique in the market: the symbol itself where symbols are unique, else with its category before it. */
  name: string
  symbol: string
  /** The exchange's word for the group in which it is listed; channels and calls choose by it. */
  category: string
}

/** What an instrument is, before it is named. */
export interface Terms {
  kind: Kind
  base: string
  /** What its index and its strike are given in. */
  quote: string
  /** What is paid; of spot the quote. */
  settle: string
  /**
   * Amounts are in base and prices in quote. Else amounts are in quote, but those of options in base, and options are
   * priced in base.
   */
  linear: boolean
  index: string
  /** Of the underlying in the plan, whose basis, premium and volatility it shares. */
  underlying: string
  expiryMs: number
  strike?: number
  call?: boolean
}

export interface ComboLeg {
  instrumentName: string
  /** Signed ratio. */
  amount: number
}

/** What a new instrument is given. */
export interface Birth {
  id: number
  createdMs: number
}

/** The facts of an instrument that never change. */
export interface Instrument extends Terms, InstrumentNames, Birth {
  grid: PriceGrid
  /** The step of amounts. */
  minAmount: number
  /** Amount of one contract. */
  contractSize: number
  legs?: readonly ComboLeg[]
}

export function isPerpetual({ kind }: Instrument): boolean {
  return kind === 'perpetual'
}

export function isCombo({ legs }: Instrument): boolean {
  return legs !== undefined
}

/** An option, or a combo of options. */
export function isOptional({ kind }: Instrument): boolean {
  return kind === 'option' || kind === 'option_combo'
}
