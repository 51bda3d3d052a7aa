import type { DuckDBConnection } from '@duckdb/node-api'
import { exchangeNamed } from '../../exchanges/registry.js'
import { parquetFolders } from '../../formats/parquet-tree.js'
import { rawDays } from '../../formats/raw-tree.js'
import { duckdb } from '../../platform/duckdb.js'
import { dayOf, measureAccount } from './measure.js'
import { gapRows } from './rows.js'

/** A session reads so many days' journals at most; of others it has what `coverage` has written. */
const DAYS_MAX = 31

/** SQL that makes the relation `gaps`; docs/coverage.md describes it. */
const CREATE = `CREATE OR REPLACE TEMP TABLE gaps (
  exchange VARCHAR, channel VARCHAR, instrument_kind VARCHAR, instrument_name VARCHAR,
  from_ts TIMESTAMPTZ, to_ts TIMESTAMPTZ, cause VARCHAR, state VARCHAR, grade VARCHAR)`

/**
 * Fills the relation `gaps` of a connection: what the account says of each day, whether or not it was written as a table.
 * @param days those that are asked for, both included
 * @param note called for days that are left out
 */
export async function showGaps(
  connection: DuckDBConnection,
  root: string,
  days: { first: string; last: string },
  note: (text: string) => void,
): Promise<void> {
  await connection.run(CREATE)
  const dates = datesIn(root, days)
  const left = dates.slice(0, -DAYS_MAX)
  const [oldest] = dates.slice(-DAYS_MAX)
  if (left.length > 0 && oldest !== undefined)
    note(`gaps are listed from ${oldest} on; for earlier days see the table coverage, if it was written`)
  const { DuckDBTimestampTZValue } = duckdb()
  const appender = await connection.createAppender('gaps')
  for (const date of dates.slice(-DAYS_MAX)) {
    const account = await measureAccount(root, dayOf(date))
    for (const row of gapRows(account, exchangeNamed)) {
      const { exchange, data, kind, name, fromUs, toUs, cause, state, grade } = row
      for (const text of [exchange, data, kind, name]) {
        if (text === undefined) appender.appendNull()
        else appender.appendVarchar(text)
      }
      for (const us of [fromUs, toUs]) appender.appendTimestampTZ(new DuckDBTimestampTZValue(BigInt(Math.round(us))))
      for (const text of [cause, state, grade]) {
        if (text === undefined) appender.appendNull()
        else appender.appendVarchar(text)
      }
      appender.endRow()
    }
  }
  appender.closeSync()
}

/** Days of which there is anything, in their order; both ends of what is asked for are included. */
function datesIn(root: string, dates: { first: string; last: string }): string[] {
  const mayHold = (family: string) => family === 'journal'
  // Of a time without begin or end they are no dates.
  const [fromUs, toUs] = [dayOf(dates.first).fromUs || -Infinity, dayOf(dates.last).toUs || Infinity]
  const raw = rawDays(root, { mayHold, fromUs, toUs })
  const here = new Set([...raw, ...parquetFolders(root, { table: 'journal', dates })].map(({ date }) => date))
  return [...here].filter(date => date >= dates.first && date <= dates.last).sort()
}
