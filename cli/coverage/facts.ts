import type { Kind } from './channel-target.js'
import type { JournalEvent } from './subscriptions.js'

/** Rows of one instrument or index in one table. */
export interface InstrumentRows {
  table: string
  kind: Kind
  name: string
  rows: number
}

/** Trades of one kind, counted against the sequence that the exchange gives them. */
export interface TradeSequence {
  kind: Kind
  /** Trades between the first and the last seen of each instrument, both included. */
  inSequence: number
  /** Of those, how many are here. */
  distinct: number
}

/** Order-book changes of one kind whose predecessor should be here, and how many have it. */
export interface BookChain {
  kind: Kind
  changes: number
  linked: number
}

/** Instruments of one kind with a value in a part of the ticker, such as the greeks. */
export interface TickerPart {
  part: string
  kind: Kind
  instruments: number
}

export interface JournalGap {
  run: string
  conn: string
  cause: string
  fromUs: number
  toUs: number
}

/** All that is read from Parquet, for the span asked about; the journal as a whole, as subscriptions outlive a day. */
export interface CoverageFacts {
  events: JournalEvent[]
  runEndsUs: Map<string, number>
  instruments: InstrumentRows[]
  trades: TradeSequence[]
  chains: BookChain[]
  tickerParts: TickerPart[]
}
