import { tmpdir } from 'node:os'
import { columnsOfTable } from '../../compactor/convert.js'
import { openEngine } from '../../compactor/engine.js'
import { framesTable, tables } from '../../compactor/tables.js'
import { EdgeError } from '../../platform/edge-error.js'

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

const HIVE_TYPES = `hive_types = {'exchange': VARCHAR, 'table': VARCHAR, 'kind': VARCHAR, 'currency': VARCHAR, 'date': DATE}`

/** A query for the rows of Parquet files of one table, whichever columns they had when they were written. */
export function parquetSql(files: string): string {
  return `SELECT * EXCLUDE ("table")
  FROM read_parquet(${files}, union_by_name = true, hive_partitioning = true, ${HIVE_TYPES})`
}

/** A query with the columns of a table that has no files. */
export async function emptySql(table: string): Promise<string> {
  const columns = [...(await columnsOf(table)), ...PARTITION_COLUMNS]
  return `SELECT ${columns.map(({ name, type }) => `NULL::${type} AS "${name}"`).join(', ')} WHERE false`
}

/** The columns of a known table, without those of its partitions. */
export async function columnsOf(table: string): Promise<Column[]> {
  const known = [...tables, framesTable].find(({ name }) => name === table)
  if (!known) throw new EdgeError('TABLE_UNKNOWN', `there is no table ${table}`)
  const engine = await openEngine({ memoryMiB: 64, threads: 1, spillFolder: tmpdir() })
  try {
    return await columnsOfTable(engine, known)
  } finally {
    engine.close()
  }
}
