/** What rows of an exchange mean to programs of others, as SQL over its tables. */

/** Rows of one kind: where they come from, and what they say. */
export interface ExportRows {
  /** The table that they are made of, and the family of channels that fills it. */
  readonly table: string
  readonly family: string
  /**
   * The columns of the kind after exchange, symbol and both times, in the order of its header, as SQL expressions; where
   * there is no value, NULL.
   */
  readonly columns: readonly string[]
  /** SQL for the rows that count; undefined: all. */
  readonly where?: string
  /** The column by which rows of one frame and time are in order, where the exchange numbers them. */
  readonly numberedBy?: string
  /** A row counts only where one of its columns differs from the instrument's row before; a NULL repeats what was known. */
  readonly changesOnly?: true
}

/** Kinds of rows as Tardis calls them; those of books are made of the books themselves. */
export const EXPORTED_ROWS = [
  'trades',
  'liquidations',
  'quotes',
  'book_ticker',
  'derivative_ticker',
  'options_chain',
] as const

export type ExportedRows = (typeof EXPORTED_ROWS)[number]

export interface Exports {
  /** What Tardis calls the exchange. */
  readonly tardisName: string
  /** What NautilusTrader calls it. */
  readonly venue: string
  /** Columns of table `instruments` with the steps of prices and amounts: SQL expressions. */
  readonly steps: { readonly price: string; readonly amount: string }
  readonly rows: Readonly<Record<ExportedRows, ExportRows>>
}
