import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { EdgeError } from '../../platform/edge-error.js'
import { sqlText } from '../../reading/duckdb.js'
import { supersededFiles } from '../superseded-files.js'
import { kindOfPartition, tableOfFamily, targetOf, type Kind } from './channel-target.js'
import type { BookChain, CoverageFacts, InstrumentRows, TickerPart, TradeSequence } from './facts.js'
import type { JournalEvent } from './subscriptions.js'

/** Families whose tables have a row or more for each frame about one instrument or index. */
const INSTRUMENT_FAMILIES = [
  'trades',
  'quote',
  'book',
  'book_grouped',
  'ticker',
  'incremental_ticker',
  'perpetual',
  'chart.trades',
  'deribit_price_index',
  'deribit_price_ranking',
  'deribit_price_statistics',
  'deribit_volatility_index',
  'markprice.options',
  'estimated_expiration_price',
]

/** Parts of the ticker that people ask for by name: the column that shows whether they are there. */
const TICKER_PARTS = [
  { part: 'ticker: implied volatility', kind: 'option', column: 'mark_iv' },
  { part: 'ticker: greeks', kind: 'option', column: 'greeks_delta' },
  { part: 'ticker: funding', kind: 'perpetual', column: 'funding_8h' },
] as const

/**
 * Reads what is below `root` (dataDir, or a copy of it).
 * @param date only this day of receive time, `2026-11-22`
 * @throws EdgeError COVERAGE_NO_PARQUET
 */
export async function readFacts(
  connection: DuckDBConnection,
  root: string,
  date: string | undefined,
): Promise<CoverageFacts> {
  const tables = new TableReader(connection, root, date)
  const facts: CoverageFacts = {
    events: await journalOf(tables),
    runEndsUs: new Map(),
    instruments: [],
    trades: await tradeSequences(tables),
    chains: await bookChains(tables),
    tickerParts: await tickerParts(tables),
  }
  for (const { run, recvUs } of facts.events) noteEnd(facts.runEndsUs, run, recvUs)
  for (const table of [...INSTRUMENT_FAMILIES.map(tableOfFamily), 'frames']) {
    const rows = table === 'frames' ? await untabledRows(tables) : await instrumentRows(tables, table)
    for (const { run, lastUs, ...row } of rows) {
      noteEnd(facts.runEndsUs, run, lastUs)
      if (row.kind !== undefined) facts.instruments.push({ ...row, kind: row.kind })
    }
  }
  return facts
}

function noteEnd(ends: Map<string, number>, run: string, us: number): void {
  ends.set(run, Math.max(us, ends.get(run) ?? 0))
}

/** Asks tables that may not be there; each answer is checked row by row. */
class TableReader {
  readonly #connection: DuckDBConnection
  readonly #exchanges: string[]
  readonly #superseded: string[]
  readonly #date: string | undefined

  constructor(connection: DuckDBConnection, root: string, date: string | undefined) {
    const parquet = join(root, 'parquet')
    if (!existsSync(parquet)) {
      throw new EdgeError('COVERAGE_NO_PARQUET', `no Parquet below ${root}`, {
        path: parquet,
        hint: 'edgetape compact --once makes it from sealed segments',
      })
    }
    this.#connection = connection
    this.#exchanges = readdirSync(parquet).map(folder => join(parquet, folder))
    this.#superseded = supersededFiles(root)
    this.#date = date
  }

  /** SQL for a table's files, or undefined where there are none; `always` reads all days. */
  source(table: string, always = false): string | undefined {
    const day = this.#date === undefined || always ? '*' : this.#date
    const globs = this.#exchanges
      .map(folder => join(folder, `table=${table}`))
      .filter(folder => existsSync(folder))
      .map(folder => `${folder}/kind=*/currency=*/date=${day}/*.parquet`)
    if (globs.length === 0) return undefined
    const list = globs.map(sqlText).join(', ')
    const all = `read_parquet([${list}], union_by_name = true, hive_partitioning = true, hive_types_autocast = false, filename = true)`
    if (this.#superseded.length === 0) return all
    return `(SELECT * FROM ${all} WHERE filename NOT IN (${this.#superseded.map(sqlText).join(', ')}))`
  }

  async rows<Row>(sql: string, schema: z.ZodType<Row>): Promise<Row[]> {
    try {
      const result = await this.#connection.runAndReadAll(sql)
      return result.getRowObjects().map((row: Record<string, DuckDBValue>) => schema.parse(row))
    } catch (error) {
      // A table's folder may hold no file of the day asked for.
      if (error instanceof Error && error.message.includes('No files found that match')) return []
      throw error
    }
  }

  async columns(source: string): Promise<Set<string>> {
    const rows = await this.rows(`DESCRIBE SELECT * FROM ${source}`, z.object({ column_name: z.string() }))
    return new Set(rows.map(({ column_name }) => column_name))
  }
}

const count = z.union([z.bigint(), z.number()]).transform(Number)
const kind = z.string().transform(kindOfPartition)

/** Host and run, from the name of a file: `<hour>-<host>-<run>-<n>.parquet`. */
const RUN = `regexp_extract(filename, '/\\d\\d-([^/]+)-\\d+\\.parquet$', 1)`

async function journalOf(tables: TableReader): Promise<JournalEvent[]> {
  const source = tables.source('journal', true)
  if (source === undefined) return []
  const schema = z.object({ run: z.string(), recv_us: count, event: z.string(), detail: z.string() })
  const rows = await tables.rows(
    `SELECT ${RUN} AS run, epoch_us(recv_ts) AS recv_us, event, detail::VARCHAR AS detail
     FROM ${source} ORDER BY run, recv_ts, seq`,
    schema,
  )
  return rows.map(({ run, recv_us, event, detail }) => ({
    run,
    recvUs: recv_us,
    event,
    detail: JSON.parse(detail) as Record<string, unknown>,
  }))
}

type RowsOfRun = Omit<InstrumentRows, 'kind'> & { kind: Kind | undefined; run: string; lastUs: number }

async function instrumentRows(tables: TableReader, table: string): Promise<RowsOfRun[]> {
  const source = tables.source(table)
  if (source === undefined) return []
  const schema = z.object({ run: z.string(), kind, name: z.string(), rows: count, last_us: count })
  // Rows about options, of a channel about their index.
  const about = table === 'option_marks' ? `'index' AS kind, index_name` : 'kind, instrument_name'
  const rows = await tables.rows(
    `SELECT ${RUN} AS run, ${about} AS name, count(*) AS rows, epoch_us(max(recv_ts)) AS last_us
     FROM ${source} WHERE instrument_name IS NOT NULL GROUP BY ALL`,
    schema,
  )
  return rows.map(({ last_us, ...row }) => ({ ...row, table, lastUs: last_us }))
}

/** Frames of channels that have no table of their own, counted as if they had. */
async function untabledRows(tables: TableReader): Promise<RowsOfRun[]> {
  const source = tables.source('frames')
  if (source === undefined) return []
  const schema = z.object({ run: z.string(), channel: z.string(), rows: count, last_us: count })
  const rows = await tables.rows(
    `SELECT ${RUN} AS run, channel, count(*) AS rows, epoch_us(max(recv_ts)) AS last_us
     FROM ${source} WHERE channel IS NOT NULL GROUP BY ALL`,
    schema,
  )
  return rows.flatMap(({ run, channel, rows, last_us }) => {
    const target = targetOf(channel)
    if (target?.name === undefined) return []
    return [
      { run, table: tableOfFamily(target.family), kind: target.kinds[0], name: target.name, rows, lastUs: last_us },
    ]
  })
}

async function tradeSequences(tables: TableReader): Promise<TradeSequence[]> {
  const source = tables.source('trades')
  if (source === undefined) return []
  const schema = z.object({ kind, in_sequence: count, present: count })
  const rows = await tables.rows(
    `SELECT kind, sum(last - first + 1)::BIGINT AS in_sequence, sum(present)::BIGINT AS present FROM (
       SELECT kind, min(trade_seq) AS first, max(trade_seq) AS last, count(DISTINCT trade_seq) AS present
       FROM ${source} WHERE trade_seq IS NOT NULL GROUP BY kind, instrument_name)
     GROUP BY kind`,
    schema,
  )
  return rows.flatMap(({ kind, in_sequence, present }) =>
    kind === undefined ? [] : [{ kind, inSequence: in_sequence, distinct: present }],
  )
}

async function bookChains(tables: TableReader): Promise<BookChain[]> {
  const source = tables.source('book')
  if (source === undefined) return []
  const schema = z.object({ kind, changes: count, linked: count })
  // Ids are no counter: a change is in order when some frame of its book has the id that it names as the one before.
  // A change at the start of the span has its predecessor outside.
  const rows = await tables.rows(
    `WITH frames AS (SELECT DISTINCT kind, instrument_name, change_id, prev_change_id, type FROM ${source}),
       firsts AS (SELECT instrument_name, min(change_id) AS first FROM frames GROUP BY instrument_name),
       known AS (SELECT DISTINCT instrument_name, change_id FROM frames)
     SELECT f.kind, count(*) AS changes, count(k.change_id) AS linked
     FROM frames f
     JOIN firsts s ON s.instrument_name = f.instrument_name AND f.prev_change_id >= s.first
     LEFT JOIN known k ON k.instrument_name = f.instrument_name AND k.change_id = f.prev_change_id
     WHERE f.type = 'change'
     GROUP BY f.kind`,
    schema,
  )
  return rows.flatMap(({ kind, ...chain }) => (kind === undefined ? [] : [{ kind, ...chain }]))
}

async function tickerParts(tables: TableReader): Promise<TickerPart[]> {
  const source = tables.source('ticker')
  if (source === undefined) return []
  const columns = await tables.columns(source)
  const parts: TickerPart[] = []
  for (const { part, kind, column } of TICKER_PARTS) {
    if (!columns.has(column)) continue
    const rows = await tables.rows(
      `SELECT count(DISTINCT instrument_name) AS instruments FROM ${source} WHERE kind = ${sqlText(kind)} AND ${column} IS NOT NULL`,
      z.object({ instruments: count }),
    )
    parts.push({ part, kind, instruments: rows[0]?.instruments ?? 0 })
  }
  return parts
}
