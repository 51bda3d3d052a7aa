/** What an exchange is: plain facts, of which any room may ask. */

import type { Table } from './table.js'

export interface Exchange {
  /** What its segments and files are named by: `exchange=<name>`. */
  readonly name: string
  /** Parquet tables of its own, besides those that every exchange has. */
  readonly tables: readonly Table[]
}
