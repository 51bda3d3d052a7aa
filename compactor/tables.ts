import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { exchanges } from '../exchanges/registry.js'
import { BY_PAYLOAD, type Reading, type Table } from '../exchanges/table.js'
import { packageRoot } from '../platform/package-info.js'

/** Raised when a column changes its meaning or type; new columns do not raise it. */
export const SCHEMA_VERSION = 1

const FOLDER = 'compactor/tables'
const LINE: Reading = { at: 'line', each: false }

/** The recorder's own events. */
export const journalTable: Table = {
  name: 'journal',
  folder: FOLDER,
  families: ['journal'],
  readings: [LINE],
  partitionBy: 'none',
}

/** Takes every family that has no table, and frames that are not JSON. */
export const framesTable: Table = {
  name: 'frames',
  folder: FOLDER,
  families: [],
  readings: [LINE],
  partitionBy: 'none',
  identity: BY_PAYLOAD,
}

/** All tables but `frames`. */
export const tables: readonly Table[] = [...exchanges.flatMap(exchange => exchange.tables), journalTable]

/** The table of a family. */
export function tableOf(family: string): Table {
  return tables.find(table => table.families.includes(family)) ?? framesTable
}

/** The SQL of one of a table's readings: macros, then the query for its rows. */
export function tableSql(table: Table, place: number): string {
  return readSql(table.folder, table.readings[place]?.sql ?? table.name)
}

/** Macros that all of them use. */
export const sharedSql = () => readSql(FOLDER, '_shared')

function readSql(folder: string, name: string): string {
  return readFileSync(join(packageRoot, folder, `${name}.sql`), 'utf8')
}
