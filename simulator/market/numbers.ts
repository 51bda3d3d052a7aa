import type { Instrument } from './instruments.js'

/** By what the exchange knows a trade. */
export interface TradeNumbers {
  tradeId: string
  /** Of the match that made it; no float need hold it. */
  matchId: bigint
  /** When the engine made it, ns since the epoch. */
  matchedNs: bigint
}

/** Numbers that an exchange gives to what happens, in its own way. */
export interface Numbers {
  /** The id of the next change of a book, above that of its last one. */
  bookChange(instrument: Instrument): number
  trade(instrument: Instrument, ms: number): TradeNumbers
}
