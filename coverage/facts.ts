import type { JournalEntry } from '../formats/journal/entry.js'
import type { Kind } from './channel-target.js'
import type { Interval } from './intervals.js'
import type { Span } from '../platform/spans.js'

/** Rows of one kind in one table in one hour that has any. */
export interface HourRows extends Span {
  table: string
  kind: Kind
  /** Begin of the hour, µs since the epoch. */
  hourUs: number
  rows: number
  /** Different instruments or indices. */
  seen: number
  /** The longest time without a row that ended in this hour; it may have begun before. */
  silence: Span | undefined
}

/** Rows of one instrument or index in one table; from the first to the last. */
export interface NameRows extends Span {
  table: string
  kind: Kind
  name: string
  rows: number
}

/** What can be counted against a sequence: trades, linked changes of a book, seconds of an index. */
export interface Counted {
  what: 'trades' | 'book changes' | 'seconds'
  kind: Kind
  name: string
  hourUs: number
  /** Undefined for seconds: how many there should be follows from the subscription. */
  expected: number | undefined
  actual: number
}

/** Instruments of one kind with a value in a part of the ticker, such as the greeks. */
export interface TickerPart {
  part: string
  kind: Kind
  names: string[]
}

/** What the manifests of raw segments say. */
export interface SegmentFacts {
  /** Frames by family. */
  frames: Map<string, number>
  /** Segments of which no Parquet file is there, and gaps that only the manifests tell of. */
  intervals: Interval[]
}

/** All that is read from the files, for the span asked about; the journal as a whole, as subscriptions outlive a day. */
export interface CoverageFacts {
  /** In the order of receive time. */
  entries: JournalEntry[]
  /** The last row in Parquet, µs since the epoch. */
  lastRowUs: number
  hours: HourRows[]
  names: NameRows[]
  counted: Counted[]
  tickerParts: TickerPart[]
  /** Instruments that the exchange listed for the span. */
  live: { kind: Kind; name: string }[]
  /** Lines that could not be converted. */
  quarantined: Interval[]
  segments: SegmentFacts
}
