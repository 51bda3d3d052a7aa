import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { familyOf, type Exchange } from '../exchanges/exchange.js'
import { exchangeNamed, exchanges } from '../exchanges/registry.js'
import { BY_PAYLOAD, type Reading, type Table } from '../exchanges/table.js'
import type { SegmentName } from '../formats/raw-path.js'
import { packageRoot } from '../platform/package-info.js'

/** Raised when a column changes its meaning or type; new columns do not raise it. */
export const SCHEMA_VERSION = 1

const FOLDER = 'compactor/tables'
const LINE: Reading = { each: false }

/** The recorder's own events. */
export const journalTable: Table = { name: 'journal', folder: FOLDER, readings: [LINE] }

/** Takes every family that has no table, and frames that are not JSON. */
export const framesTable: Table = { name: 'frames', folder: FOLDER, readings: [LINE], identity: BY_PAYLOAD }

/** The tables that files of an exchange may be of. */
export const tablesOf = (exchange: Pick<Exchange, 'tables'>): readonly Table[] => [
  ...exchange.tables,
  journalTable,
  framesTable,
]

/** All tables there are. */
export const tables: readonly Table[] = [...new Set(exchanges.flatMap(tablesOf))]

/** A table of an exchange by its name. */
export function tableNamed(exchange: string, name: string): Table | undefined {
  return tablesOf(exchangeNamed(exchange)).find(table => table.name === name)
}

/** The table that a segment's lines are rows of. */
export function tableOf({ exchange, channel }: Pick<SegmentName, 'exchange' | 'channel'>): Table {
  const { table } = familyOf(exchangeNamed(exchange), channel)
  return (table === undefined ? undefined : tableNamed(exchange, table)) ?? framesTable
}

/** Whether lines of a family may be rows of a table, whichever exchange they are of. */
export function mayFill(table: string, family: string): boolean {
  // Answers that are no row of their own family's table are rows of `frames`.
  return (
    table === framesTable.name ||
    exchanges.some(({ name }) => tableOf({ exchange: name, channel: family }).name === table)
  )
}

/** The SQL of one of a table's readings: macros, then the query for its rows. */
export function tableSql(table: Table, place: number): string {
  return readSql(table.folder, table.readings[place]?.sql ?? table.name)
}

/** Macros that all of them use. */
export const sharedSql = () => readSql(FOLDER, '_shared')

/** A line `-- include <name>` stands for that file of the folder: what several tables have in common. */
function readSql(folder: string, name: string): string {
  const sql = readFileSync(join(packageRoot, folder, `${name}.sql`), 'utf8')
  return sql.replace(/^-- include (\w+)$/gm, (_, part: string) => readSql(folder, part))
}
