/** What rows of an exchange mean to programs of others, as SQL over its tables. */

/** Rows of one kind: where they come from, and what they say. */
export interface ExportRows {
  /** The table that they are made of, or whose instruments have such rows, and the family of channels that fills it. */
  readonly table: string
  readonly family: string
  /**
   * Where no one table holds all: a query in its place, which has the columns that every table has.
   * @param dates SQL condition for the days that are asked for, to be said of each table
   */
  readonly from?: (dates: string) => string
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

/** Of instruments of one kind. */
export interface Exports {
  /** What Tardis calls the exchange. */
  readonly tardisName: string
  /** What NautilusTrader calls an instrument, by its name in tables; the venue stands behind a dot. */
  readonly nautilusId: (name: string) => string
  /** Columns of table `instruments` with the steps of prices and amounts: SQL expressions. */
  readonly steps: { readonly price: string; readonly amount: string }
  /** The table of their books, and the family of channels that fills it. */
  readonly book: { readonly table: string; readonly family: string }
  /** Rows that there are; others the exchange does not send for this kind. */
  readonly rows: Readonly<Partial<Record<ExportedRows, ExportRows>>> & { readonly trades: ExportRows }
}
