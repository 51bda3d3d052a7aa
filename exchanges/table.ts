/** How rows of a Parquet table are made from lines, and how copies of an event are known: what an exchange says of its tables. */

import type { Envelope } from './envelope.js'
import type { Partition } from '../formats/partition.js'

/** A form in which rows of a table come. */
export interface Reading {
  /** What the data are wrapped in; without it the line as a whole is the item. */
  envelope?: Envelope
  /** It is a list, and each element an item. */
  each: boolean
  /** The SQL file, where the columns are the table's but the form is another. */
  sql?: string
}

/** What makes two rows the same event, received twice. Times alone never do. */
export interface Identity {
  /** Columns that are equal then; `payload`: all that the exchange sent. */
  key: readonly string[] | 'payload'
  /**
   * SQL condition for rows whose key is the exchange's own number of the event. Equal keys of other rows count as one
   * event only where they came by different connections within a window.
   */
  numbered?: string
  /** `frame`: the rows of a frame are one event. */
  unit: 'row' | 'frame'
  /**
   * Where the other copy may be. `near`: on another connection, at about the same time. `days`: in any file since
   * the row was made, since it was asked for later.
   */
  reach: 'near' | 'days'
}

/** Channels without numbers: equal in everything, by another connection, at about the same time. */
export const BY_PAYLOAD: Identity = { key: 'payload', unit: 'row', reach: 'near' }

/** Rows of a history that is asked for again and again; a value that was corrected later is a row of its own. */
export const polledWith = (...values: string[]): Identity => ({
  key: ['instrument_name', 'exchange_ts', ...values],
  numbered: 'exchange_ts IS NOT NULL',
  unit: 'row',
  reach: 'days',
})

/** What a Parquet table is made from: frames of the families that name it. */
export interface Table {
  name: string
  /** Folder below the package's root with its columns: `<name>.sql`, and one for each reading that names its own. */
  folder: string
  /** Where its rows stand in a line: the first that fits. */
  readings: readonly [Reading, ...Reading[]]
  /**
   * Kind and currency of a row by its `instrument_name`, and by the family that brought it where one name stands for several
   * instruments; without it rows are of no kind.
   */
  partitionOf?: (name: string, family: string) => Partition
  /** Columns that depend on rows of other frames, as SQL over all rows of a segment: lines become rows in several goes. */
  settled?: Readonly<Record<string, string>>
  /** How copies of an event are known; without it by their payload where the exchange sends rows by itself. */
  identity?: Identity
}

/** How copies of an event are known in a table; undefined where every row is an event of its own. */
export function identityOf(table: Table): Identity | undefined {
  return table.identity ?? (table.readings[0].envelope?.isPush ? BY_PAYLOAD : undefined)
}
