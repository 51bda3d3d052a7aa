import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../platform/package-info.js'
import { BY_CHANGE, BY_PAYLOAD, BY_TRADE, type Identity } from './identity.js'

/** What a Parquet table is made from. Its columns are in `tables/<name>.sql`. */
export interface Table {
  name: string
  /** Families of raw segments (`channel=`) that it is made from. */
  families: readonly string[]
  /** Where its rows stand in a line: the data of a notification, or anywhere. */
  payload: 'data' | 'line'
  /** What tells kind and currency of a row: its instrument, the index it is about, or nothing. */
  partitionBy: 'instrument' | 'index' | 'none'
  /** How copies of an event are known; without it by their payload where rows are data of notifications. */
  identity?: Identity
}

/** Raised when a column changes its meaning or type; new columns do not raise it. */
export const SCHEMA_VERSION = 1

/** A new table is one line here and one SQL file. */
export const tables: readonly Table[] = [
  { name: 'trades', families: ['trades'], payload: 'data', partitionBy: 'instrument', identity: BY_TRADE },
  { name: 'quote', families: ['quote'], payload: 'data', partitionBy: 'instrument' },
  { name: 'book', families: ['book'], payload: 'data', partitionBy: 'instrument', identity: BY_CHANGE },
  { name: 'ticker', families: ['ticker'], payload: 'data', partitionBy: 'instrument' },
  { name: 'perpetual', families: ['perpetual'], payload: 'data', partitionBy: 'instrument' },
  { name: 'price_index', families: ['deribit_price_index'], payload: 'data', partitionBy: 'index' },
  { name: 'journal', families: ['journal'], payload: 'line', partitionBy: 'none' },
]

/** Takes every family that has no table, and frames that are not JSON. */
export const framesTable: Table = {
  name: 'frames',
  families: [],
  payload: 'line',
  partitionBy: 'none',
  identity: BY_PAYLOAD,
}

/** The table of a family. */
export function tableOf(family: string): Table {
  return tables.find(table => table.families.includes(family)) ?? framesTable
}

/** How copies of an event are known in a table; undefined where every row is an event of its own. */
export function identityOf(table: Table): Identity | undefined {
  return table.identity ?? (table.payload === 'data' ? BY_PAYLOAD : undefined)
}

/** The text of a table's SQL file; `_shared` is what all of them use. */
export function tableSql(name: string): string {
  return readFileSync(join(packageRoot, 'compactor', 'tables', `${name}.sql`), 'utf8')
}
