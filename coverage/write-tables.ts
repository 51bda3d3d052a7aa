import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { familyOf } from '../exchanges/exchange.js'
import { exchangeNamed } from '../exchanges/registry.js'
import { dailyName, parquetFolder } from '../formats/parquet-path.js'
import { fileFacts, parquetOptions } from '../compactor/files/parquet-options.js'
import { readReceiptsOf } from '../formats/receipt.js'
import { createFolderDurable, fsyncFolder } from '../platform/durable-file.js'
import { EdgeError } from '../platform/edge-error.js'
import { noPartition } from '../formats/partition.js'
import { openDuckDb, sqlText } from '../platform/duckdb.js'
import type { Account } from './account/account.js'
import { accountOf } from './account/account-of.js'
import { dayOf } from './account/measure.js'
import { exchangesIn, readAccountFacts } from './account/read-facts.js'
import { gapRows } from './account/rows.js'
import { summaryOf, type AccountSummary } from './account/account-summary.js'

const GROUP_ROWS = 100_000

type Value = string | number | undefined

/** What the tables are made of: the account of one exchange's day. */
interface DayOfExchange {
  account: Account
  summary: AccountSummary
}

interface DerivedTable {
  name: string
  /** Name and SQL type of each column. */
  columns: readonly (readonly [name: string, type: 'BIGINT' | 'DOUBLE' | 'VARCHAR'])[]
  orderBy: string
  rows: (day: DayOfExchange) => Value[][]
}

/** The tables, as docs/tables.md describes them. */
export const derivedTables: readonly DerivedTable[] = [
  {
    name: 'coverage',
    columns: [
      ['start_us', 'BIGINT'],
      ['end_us', 'BIGINT'],
      ['state', 'VARCHAR'],
      ['data', 'VARCHAR'],
      ['instrument_kind', 'VARCHAR'],
      ['instrument_name', 'VARCHAR'],
      ['cause', 'VARCHAR'],
      ['grade', 'VARCHAR'],
    ],
    orderBy: 'start_us, end_us, data, instrument_kind, instrument_name, state, cause',
    rows: ({ account }) =>
      [...gapRows(account, exchangeNamed)].map(row => {
        const { fromUs, toUs, state, data, kind, name, cause, grade } = row
        return [fromUs, toUs, state, data, kind, name, cause ?? state, grade]
      }),
  },
  {
    name: 'coverage_hours',
    columns: [
      ['hour_us', 'BIGINT'],
      ['data', 'VARCHAR'],
      ['instrument_kind', 'VARCHAR'],
      ['channels', 'BIGINT'],
      ['complete', 'DOUBLE'],
      ['wanted_us', 'BIGINT'],
      ['missing_us', 'BIGINT'],
      ['healed_us', 'BIGINT'],
      ['not_yet_known_us', 'BIGINT'],
      ['cause', 'VARCHAR'],
      ['grade', 'VARCHAR'],
    ],
    orderBy: 'hour_us, data, instrument_kind',
    rows: ({ summary: { lines } }) =>
      [...lines].map(line => {
        const { exchange, hourUs, family, kind, channels, complete, wantedUs, lostUs, healedUs, pendingUs, cause } =
          line
        const { name, table = name, coverage } = familyOf(exchangeNamed(exchange), family)
        const grade = coverage?.counted && coverage.counted.what !== 'seconds' ? 'exact' : 'watched'
        return [hourUs, table, kind, channels, complete, wantedUs, lostUs, healedUs, pendingUs, cause, grade]
      }),
  },
]

/**
 * Writes coverage of a day beside its data, under the name of the recorder whose journal it is; afterwards the files are
 * durable. Files that would not change stay.
 * @returns the files below `root`; none where nothing was to be recorded on that day
 * @throws EdgeError COVERAGE_INCOMPLETE
 */
export async function writeCoverage(root: string, date: string, nowUs = Date.now() * 1000): Promise<string[]> {
  requireAll(root, date)
  const paths: string[] = []
  for (const exchange of exchangesIn(root)) {
    const facts = await readAccountFacts(root, exchange, dayOf(date), nowUs)
    const account = accountOf(facts, dayOf(date))
    const summary = summaryOf(account, exchangeNamed, 'hour')
    const owner = facts.entries.find(({ event }) => event === 'subscribed' || event === 'subscriptions')?.host
    if (summary.isEmpty || owner === undefined) continue
    paths.push(...(await writeTables(root, exchange, date, owner, { account, summary })))
  }
  return paths
}

async function writeTables(
  root: string,
  exchange: string,
  date: string,
  owner: string,
  day: DayOfExchange,
): Promise<string[]> {
  const temporary = join(root, 'state', 'coverage', 'tmp')
  mkdirSync(temporary, { recursive: true })
  const connection = await openDuckDb()
  try {
    const paths: string[] = []
    for (const table of derivedTables) {
      const path = `${parquetFolder(exchange, table.name, noPartition, date)}/${dailyName(owner)}`
      const made = join(temporary, `${table.name}.parquet`)
      await writeTable(connection, table, table.rows(day), made)
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
      hint: 'run it over the copy on the NAS, which has them all: edgetape coverage --path FOLDER --date DATE --write',
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
