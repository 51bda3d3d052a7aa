import { tmpdir } from 'node:os'
import type { Table } from '../../exchanges/table.js'
import { columnsOfTable } from '../../compactor/lines/staging-table.js'
import { withEngine } from '../../compactor/engine.js'
import { tableNamed, tables } from '../../compactor/tables.js'
import { hiveTypes } from '../../formats/partitioned-sql.js'

export interface Column {
  name: string
  type: string
}

/** What the path of a file says of its rows, in its order. */
export const PARTITION_COLUMNS: readonly Column[] = [
  { name: 'exchange', type: 'VARCHAR' },
  { name: 'kind', type: 'VARCHAR' },
  { name: 'currency', type: 'VARCHAR' },
  { name: 'date', type: 'DATE' },
]

/** A query for the rows of the Parquet files that a pattern finds, whichever columns they had when they were written. */
export function parquetSql(files: string, further = ''): string {
  return `SELECT * EXCLUDE ("table")
  FROM read_parquet(${files}, union_by_name = true, hive_partitioning = true, ${hiveTypes('DATE')}${further})`
}

/** A query for no rows, with these columns and those of partitions. */
export function emptySelect(columns: readonly Column[]): string {
  const all = [...columns, ...PARTITION_COLUMNS]
  return `SELECT ${all.map(({ name, type }) => `NULL::${type} AS "${name}"`).join(', ')} WHERE false`
}

/** As a table's SQL makes them, which stays what it is while this runs; to ask takes up to a tenth of a second. */
const known = new Map<Table, readonly Column[]>()

/** The columns of tables, without those of their partitions. */
async function columnsOfEach(wanted: readonly Table[]): Promise<[Table, readonly Column[]][]> {
  const unknown = wanted.filter(table => !known.has(table))
  if (unknown.length > 0)
    await withEngine({ memoryMiB: 64, threads: 1, spillFolder: tmpdir() }, async engine => {
      for (const table of unknown) known.set(table, await columnsOfTable(engine, table))
    })
  return wanted.map(table => [table, known.get(table) ?? []])
}

/** The columns of known tables, without those of their partitions, by table; of one name, those of all exchanges. */
export async function columnsOfTables(
  wanted: (table: string) => boolean = () => true,
): Promise<Map<string, readonly Column[]>> {
  const columns = new Map<string, readonly Column[]>()
  for (const [{ name }, own] of await columnsOfEach(tables.filter(({ name }) => wanted(name)))) {
    const before = columns.get(name) ?? []
    const isNew = ({ name }: Column) => before.every(column => column.name !== name)
    columns.set(name, [...before, ...own.filter(isNew)])
  }
  return columns
}

/** The columns of an exchange's table, without those of its partitions; none where it is not known. */
export async function columnsOfOwnTable(exchange: string, name: string): Promise<readonly Column[]> {
  const table = tableNamed(exchange, name)
  if (!table) return []
  const [[, columns] = [table, []]] = await columnsOfEach([table])
  return columns
}
