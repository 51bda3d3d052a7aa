import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../platform/package-info.js'

/** What a Parquet table is made from. Its columns are in `tables/<name>.sql`. */
export interface Table {
  name: string
  /** Families of raw segments (`channel=`) that it is made from. */
  families: readonly string[]
  /** Where its rows stand in a line: the data of a notification, or anywhere. */
  payload: 'data' | 'line'
  /** What tells kind and currency of a row: its instrument, the index it is about, or nothing. */
  partitionBy: 'instrument' | 'index' | 'none'
}

/** Raised when a column changes its meaning or type; new columns do not raise it. */
export const SCHEMA_VERSION = 1

/** A new table is one line here and one SQL file. */
export const tables: readonly Table[] = [
  { name: 'trades', families: ['trades'], payload: 'data', partitionBy: 'instrument' },
  { name: 'quote', families: ['quote'], payload: 'data', partitionBy: 'instrument' },
  { name: 'book', families: ['book'], payload: 'data', partitionBy: 'instrument' },
  { name: 'ticker', families: ['ticker'], payload: 'data', partitionBy: 'instrument' },
  { name: 'perpetual', families: ['perpetual'], payload: 'data', partitionBy: 'instrument' },
  { name: 'price_index', families: ['deribit_price_index'], payload: 'data', partitionBy: 'index' },
  { name: 'journal', families: ['journal'], payload: 'line', partitionBy: 'none' },
]

/** Takes every family that has no table, and frames that are not JSON. */
export const framesTable: Table = { name: 'frames', families: [], payload: 'line', partitionBy: 'none' }

/** The table of a family. */
export function tableOf(family: string): Table {
  return tables.find(table => table.families.includes(family)) ?? framesTable
}

/** The text of a table's SQL file; `_shared` is what all of them use. */
export function tableSql(name: string): string {
  return readFileSync(join(packageRoot, 'compactor', 'tables', `${name}.sql`), 'utf8')
}
