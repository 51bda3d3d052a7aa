import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { openDuckDb, sqlText } from '../../../reading/duckdb.js'
import { kindOfPartition } from '../../coverage/channel-target.js'
import { supersededFiles } from '../../superseded-files.js'
import { hoursOf, type CoverageDay, type MinuteOfKind, type SecondsSpan } from './hours.js'

const GAP_EVENTS = ['gap', 'lost', 'silent']

/** Reads the Parquet of one day (UTC) below `dataDir`; no hours where there is none. */
export async function measureDay(dataDir: string, date: string, nowMs: number): Promise<CoverageDay> {
  const connection = await openDuckDb()
  try {
    const minutes = await minutesOf(connection, dataDir, date)
    const gaps = await gapsOf(connection, dataDir, date)
    return { date, atMs: nowMs, hours: hoursOf(minutes, gaps) }
  } finally {
    connection.closeSync()
  }
}

async function minutesOf(connection: DuckDBConnection, dataDir: string, date: string): Promise<MinuteOfKind[]> {
  const rows = await ask(
    connection,
    `SELECT kind, (epoch_us(recv_ts) // 60000000 % 1440)::INTEGER AS minute, count(*)::DOUBLE AS rows
     FROM ${filesOf(dataDir, '*', date)} GROUP BY ALL`,
  )
  return rows.flatMap(row => {
    const kind = kindOfPartition(String(row['kind']))
    return kind === undefined ? [] : [{ kind, minute: Number(row['minute']), rows: Number(row['rows']) }]
  })
}

/** Gaps of the day; the journal may tell of one on the day after. */
async function gapsOf(connection: DuckDBConnection, dataDir: string, date: string): Promise<SecondsSpan[]> {
  if (!existsSync(join(dataDir, 'parquet'))) return []
  const startUs = Date.parse(`${date}T00:00:00Z`) * 1000
  const rows = await ask(
    connection,
    `SELECT from_us::DOUBLE AS from_us, to_us::DOUBLE AS to_us FROM ${filesOf(dataDir, 'journal', '*')}
     WHERE event IN (${GAP_EVENTS.map(sqlText).join(', ')}) AND to_us >= ${startUs} AND from_us < ${startUs + 86_400_000_000}`,
  )
  const seconds = (us: unknown) => (Number(us) - startUs) / 1e6
  return rows.map(row => ({ from: seconds(row['from_us']), to: seconds(row['to_us']) }))
}

function filesOf(dataDir: string, table: string, date: string): string {
  const glob = `${dataDir}/parquet/exchange=*/table=${table}/kind=*/currency=*/date=${date}/*.parquet`
  const files = `read_parquet(${sqlText(glob)}, union_by_name = true, hive_partitioning = true, hive_types_autocast = false, filename = true)`
  const superseded = supersededFiles(dataDir)
  if (superseded.length === 0) return files
  return `(SELECT * FROM ${files} WHERE filename NOT IN (${superseded.map(sqlText).join(', ')}))`
}

async function ask(connection: DuckDBConnection, sql: string): Promise<Record<string, unknown>[]> {
  try {
    return (await connection.runAndReadAll(sql)).getRowObjects()
  } catch (error) {
    if (error instanceof Error && error.message.includes('No files found that match')) return []
    throw error
  }
}
