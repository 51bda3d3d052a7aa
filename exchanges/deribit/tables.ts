import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../platform/package-info.js'
import { BY_CHANGE, BY_FUNDING_HOUR, BY_PAYLOAD, BY_TRADE, BY_VOLATILITY_BAR, type Identity } from './identity.js'

/** A form in which rows of a table come. */
export interface Reading {
  /** The line as a whole, the data of a notification, or a member of the result of an answer. */
  at: 'line' | 'params.data' | 'result' | 'result.trades'
  /** It is a list, and each element an item. */
  each: boolean
  /** The SQL file, where the columns are the table's but the form is another. */
  sql?: string
}

const LINE: Reading = { at: 'line', each: false }
const DATA: Reading = { at: 'params.data', each: false }
const DATA_LIST: Reading = { at: 'params.data', each: true }
const RESULT: Reading = { at: 'result', each: false }
const RESULT_LIST: Reading = { at: 'result', each: true }

/** What a Parquet table is made from. Its columns are in `tables/<name>.sql`. */
export interface Table {
  name: string
  /** Families of raw segments (`channel=`) that it is made from. */
  families: readonly string[]
  /** Where its rows stand in a line: the first that fits. */
  readings: readonly [Reading, ...Reading[]]
  /** What tells kind and currency of a row: its instrument, the index it is about, or nothing. */
  partitionBy: 'instrument' | 'index' | 'none'
  /** A row depends on rows of other frames, so that all of them are worked out together. */
  together?: true
  /** How copies of an event are known; without it by their payload where rows are data of notifications. */
  identity?: Identity
}

/** Raised when a column changes its meaning or type; new columns do not raise it. */
export const SCHEMA_VERSION = 1

/** A new table is one line here and one SQL file. */
export const tables: readonly Table[] = [
  {
    name: 'trades',
    families: ['trades'],
    readings: [DATA_LIST, { at: 'result.trades', each: true }],
    partitionBy: 'instrument',
    identity: BY_TRADE,
  },
  { name: 'quote', families: ['quote'], readings: [DATA], partitionBy: 'instrument' },
  { name: 'book', families: ['book'], readings: [DATA], partitionBy: 'instrument', identity: BY_CHANGE },
  { name: 'book_grouped', families: ['book_grouped'], readings: [DATA], partitionBy: 'instrument' },
  { name: 'ticker', families: ['ticker'], readings: [DATA], partitionBy: 'instrument' },
  { name: 'incremental_ticker', families: ['incremental_ticker'], readings: [DATA], partitionBy: 'instrument' },
  { name: 'perpetual', families: ['perpetual'], readings: [DATA], partitionBy: 'instrument' },
  { name: 'price_index', families: ['deribit_price_index'], readings: [DATA], partitionBy: 'index' },
  { name: 'price_ranking', families: ['deribit_price_ranking'], readings: [DATA_LIST], partitionBy: 'index' },
  { name: 'price_statistics', families: ['deribit_price_statistics'], readings: [DATA], partitionBy: 'index' },
  { name: 'volatility_index', families: ['deribit_volatility_index'], readings: [DATA], partitionBy: 'index' },
  {
    name: 'volatility_candles',
    families: ['volatility_index_history'],
    readings: [RESULT],
    partitionBy: 'index',
    identity: BY_VOLATILITY_BAR,
  },
  { name: 'option_marks', families: ['markprice.options'], readings: [DATA_LIST], partitionBy: 'instrument' },
  { name: 'expiration_estimate', families: ['estimated_expiration_price'], readings: [DATA], partitionBy: 'index' },
  {
    name: 'candles',
    families: ['chart.trades', 'candle_history'],
    readings: [DATA, { ...RESULT, sql: 'candles_history' }],
    partitionBy: 'instrument',
    together: true,
  },
  {
    name: 'instruments',
    families: ['instruments', 'instrument.creation'],
    readings: [RESULT_LIST, DATA],
    partitionBy: 'instrument',
  },
  { name: 'instrument_state', families: ['instrument.state'], readings: [DATA], partitionBy: 'instrument' },
  { name: 'platform_state', families: ['platform_state'], readings: [DATA], partitionBy: 'none' },
  {
    name: 'funding_history',
    families: ['funding_history'],
    readings: [RESULT_LIST],
    partitionBy: 'instrument',
    identity: BY_FUNDING_HOUR,
  },
  { name: 'book_summary', families: ['book_summary'], readings: [RESULT_LIST], partitionBy: 'instrument' },
  { name: 'block_rfq_trades', families: ['block_rfq.trades'], readings: [DATA, DATA_LIST], partitionBy: 'none' },
  { name: 'announcements', families: ['announcements'], readings: [DATA], partitionBy: 'none' },
  { name: 'journal', families: ['journal'], readings: [LINE], partitionBy: 'none' },
]

/** Takes every family that has no table, and frames that are not JSON. */
export const framesTable: Table = {
  name: 'frames',
  families: [],
  readings: [LINE],
  partitionBy: 'none',
  identity: BY_PAYLOAD,
}

/** The table of a family. */
export function tableOf(family: string): Table {
  return tables.find(table => table.families.includes(family)) ?? framesTable
}

/** How copies of an event are known in a table; undefined where every row is an event of its own. */
export function identityOf(table: Table): Identity | undefined {
  return table.identity ?? (table.readings[0].at === 'params.data' ? BY_PAYLOAD : undefined)
}

/** The text of an SQL file; `_shared` is what all of them use. */
export function tableSql(name: string): string {
  return readFileSync(join(packageRoot, 'compactor', 'tables', `${name}.sql`), 'utf8')
}
