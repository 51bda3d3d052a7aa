import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { dailyName, parquetFolder } from '../formats/parquet-path.js'
import { parquetTables } from '../formats/parquet-tree.js'
import { fileFacts, parquetOptions } from '../compactor/files/parquet-options.js'
import { readReceiptsOf } from '../formats/receipt.js'
import { createFolderDurable, fsyncFolder } from '../platform/durable-file.js'
import { EdgeError } from '../platform/edge-error.js'
import { noPartition } from '../formats/partition.js'
import { openDuckDb, sqlText } from '../platform/duckdb.js'
import type { Coverage } from './assess.js'
import { badIntervals } from './bad-intervals.js'
import { dayWindow, measureCoverage } from './measure.js'

const GROUP_ROWS = 100_000

type Value = string | number | boolean | undefined

interface DerivedTable {
  name: string
  /** Name and SQL type of each column. */
  columns: readonly (readonly [name: string, type: 'BIGINT' | 'DOUBLE' | 'VARCHAR' | 'BOOLEAN'])[]
  orderBy: string
  rows: (coverage: Coverage) => Value[][]
}

/** The tables, as docs/tables.md describes them. */
export const derivedTables: readonly DerivedTable[] = [
  {
    name: 'coverage',
    columns: [
      ['start_us', 'BIGINT'],
      ['end_us', 'BIGINT'],
      ['gap', 'VARCHAR'],
      ['data', 'VARCHAR'],
      ['instrument_kind', 'VARCHAR'],
      ['instrument_name', 'VARCHAR'],
      ['cause', 'VARCHAR'],
      ['filled', 'BOOLEAN'],
      ['count', 'BIGINT'],
      ['host', 'VARCHAR'],
      ['conn', 'VARCHAR'],
    ],
    orderBy: 'start_us, end_us, gap, data, instrument_kind, instrument_name, host, conn, cause',
    rows: coverage =>
      badIntervals(coverage).map(({ interval, table, kind, name }) => {
        const { fromUs, toUs, gap, cause, filled, count, host, conn } = interval
        return [fromUs, toUs, gap, table, kind, name, cause, filled, count, host, conn]
      }),
  },
  {
    name: 'coverage_hours',
    columns: [
      ['hour_us', 'BIGINT'],
      ['data', 'VARCHAR'],
      ['instrument_kind', 'VARCHAR'],
      ['rows', 'BIGINT'],
      ['seen', 'BIGINT'],
      ['silent_us', 'BIGINT'],
      ['gaps', 'BIGINT'],
      ['complete', 'DOUBLE'],
    ],
    orderBy: 'hour_us, data, instrument_kind',
    rows: ({ lines }) =>
      lines.map(({ hourUs, table, kind, rows, seen, silence, gaps, filled, complete }) => {
        const silentUs = silence && silence.toUs - silence.fromUs
        return [hourUs, table, kind, rows, seen, silentUs, gaps - filled, complete]
      }),
  },
]

/**
 * Writes coverage of a day beside its data, under the name of the recorder whose journal it is; afterwards the files are
 * durable. Files that would not change stay.
 * @returns the files below `root`; none where nothing was to be recorded on that day
 * @throws EdgeError COVERAGE_INCOMPLETE, COVERAGE_NO_PARQUET
 */
export async function writeCoverage(root: string, date: string): Promise<string[]> {
  requireAll(root, date)
  const coverage = await measureCoverage(root, { window: dayWindow(date), by: 'hour' })
  const exchange = [...parquetTables(root).values()][0]?.[0]
  const owner = coverage.promised[0]?.subscriptions[0]?.host
  if (coverage.spans.length === 0 || exchange === undefined || owner === undefined) return []
  const temporary = join(root, 'state', 'coverage', 'tmp')
  mkdirSync(temporary, { recursive: true })
  const connection = await openDuckDb()
  try {
    const paths: string[] = []
    for (const table of derivedTables) {
      const path = `${parquetFolder(exchange, table.name, noPartition, date)}/${dailyName(owner)}`
      const made = join(temporary, `${table.name}.parquet`)
      await writeTable(connection, table, table.rows(coverage), made)
      publish(made, join(root, path))
      paths.push(path)
    }
    return paths
  } finally {
    connection.closeSync()
    rmSync(temporary, { recursive: true, force: true })
  }
}

/** What retention took away would count as missing, and gaps of that day would be forgotten. */
function requireAll(root: string, date: string): void {
  for (const { outputs } of readReceiptsOf(root, date).values()) {
    const gone = outputs.find(({ path }) => !existsSync(join(root, path)))
    if (!gone) continue
    throw new EdgeError('COVERAGE_INCOMPLETE', `files of ${date} are not here any more, ${gone.path} first`, {
      path: gone.path,
      hint: 'run it over the copy on the NAS, which has them all: edgetape coverage FOLDER --date DATE --write',
    })
  }
}

async function writeTable(connection: DuckDBConnection, table: DerivedTable, rows: Value[][], path: string) {
  const columns = table.columns.map(([name, type]) => `"${name}" ${type}`).join(', ')
  await connection.run(`CREATE OR REPLACE TEMP TABLE derived (${columns})`)
  const appender = await connection.createAppender('derived')
  for (const row of rows) {
    table.columns.forEach(([, type], i) => {
      const value = row[i]
      if (value === undefined) appender.appendNull()
      else if (type === 'BIGINT') appender.appendBigInt(BigInt(Math.round(Number(value))))
      else if (type === 'DOUBLE') appender.appendDouble(Number(value))
      else if (type === 'BOOLEAN') appender.appendBoolean(value === true)
      else appender.appendVarchar(String(value))
    })
    appender.endRow()
  }
  appender.closeSync()
  const metadata = fileFacts(table.name, rows.length, {})
  await connection.run(
    `COPY (SELECT * FROM derived ORDER BY ${table.orderBy}) TO ${sqlText(path)} ${parquetOptions(metadata, GROUP_ROWS)}`,
  )
}

/** A file that stays as it was is not touched, so that it is not shipped again. */
function publish(made: string, path: string): void {
  if (existsSync(path) && readFileSync(path).equals(readFileSync(made))) return
  const fd = openSync(made, 'r')
  fsyncSync(fd)
  closeSync(fd)
  createFolderDurable(dirname(path))
  renameSync(made, path)
  fsyncFolder(dirname(path))
}
