import { z } from 'zod'
import { sqlText } from '../platform/duckdb.js'
import type { JournalEntry } from '../formats/journal/entry.js'
import { FAMILIES, kindOfPartition, tableOfFamily } from './channel-target.js'
import type { Counted, CoverageFacts, HourRows, NameRows, TickerPart } from './facts.js'
import { datesOf, inside, type ParquetReader } from './parquet-reader.js'
import { readQuarantine } from './read-quarantine.js'
import { HOST_SQL as HOST, RUN_SQL as RUN } from '../formats/parquet-path.js'
import { readJournal } from './read-journal.js'
import { readSegments } from './read-segments.js'
import type { Span } from '../platform/spans.js'

/** Parts of the ticker that people ask for by name: the column that shows whether they are there. */
const TICKER_PARTS = [
  { part: 'ticker: implied volatility', kind: 'option', column: 'mark_iv' },
  { part: 'ticker: greeks', kind: 'option', column: 'greeks_delta' },
  { part: 'ticker: funding', kind: 'perpetual', column: 'funding_8h' },
] as const

const HOUR_US = 3_600_000_000

/** SQL for a trade with which numbers begin anew: it and the next two are lower than the one before, and made later. */
const BEGINS_ANEW = `coalesce(moment > lag(moment) OVER by_time
  AND greatest(trade_seq, lead(trade_seq, 1, trade_seq) OVER by_time, lead(trade_seq, 2, trade_seq) OVER by_time)
    < lag(trade_seq) OVER by_time, false)`

/** Told of each table that was read, of so many. */
export type OnTable = (tables: number) => void

/** Reads what is below `root` (dataDir, or a copy of it) of a span. */
export async function readFacts(
  tables: ParquetReader,
  root: string,
  window: Span,
  onTable?: OnTable,
): Promise<CoverageFacts> {
  const reader = new FactsReader(tables, window)
  const ends: JournalEntry[] = []
  const hours: HourRows[] = []
  const names: NameRows[] = []
  const read = FAMILIES.map(tableOfFamily)
  for (const table of read) {
    hours.push(...(await reader.hours(table)))
    names.push(...(await reader.names(table)))
    ends.push(...(await reader.runEnds(table)))
    onTable?.(read.length)
  }
  const segments = readSegments(root, window)
  const entries = [...(await readJournal(tables, root, window)), ...ends, ...segments.ends]
  return {
    entries: entries.sort((a, b) => a.recvUs - b.recvUs),
    lastRowUs: Math.max(0, ...ends.map(({ recvUs }) => recvUs)),
    hours,
    names,
    counted: [...(await reader.trades()), ...(await reader.chains()), ...(await reader.seconds())],
    tickerParts: await reader.tickerParts(),
    live: await reader.live(),
    quarantined: await readQuarantine(root, window),
    segments,
  }
}

const count = z.union([z.bigint(), z.number()]).transform(Number)
const kind = z.string().transform(kindOfPartition)
const maybe = z
  .union([z.bigint(), z.number(), z.null()])
  .transform(value => (value === null ? undefined : Number(value)))

/** Rows whose kind is none that coverage knows are left out. */
function known<Row extends { kind: unknown }>(rows: readonly Row[]) {
  return rows.flatMap(row => (row.kind === undefined ? [] : [{ ...row, kind: row.kind as NonNullable<Row['kind']> }]))
}

class FactsReader {
  readonly #tables: ParquetReader
  readonly #window: Span

  constructor(tables: ParquetReader, window: Span) {
    this.#tables = tables
    this.#window = window
  }

  /** SQL for the rows of a table in the span; `more` days of partitions on either side, unfiltered. */
  #source(table: string, more?: number): string | undefined {
    if (more !== undefined) return this.#tables.source(table, datesOf(this.#window, more))
    const source = this.#tables.source(table, datesOf(this.#window))
    return source && `(SELECT * FROM ${source} WHERE ${inside('recv_ts', this.#window)})`
  }

  async #columns(source: string): Promise<Set<string>> {
    return this.#tables.columns(source, z.object({ column_name: z.string() }))
  }

  async hours(table: string): Promise<HourRows[]> {
    const source = this.#source(table)
    if (source === undefined) return []
    const { kindOf, nameOf } = about(table)
    const schema = z.object({ kind, hour: count, rows: count, a: count, b: count, silent: maybe, since: maybe })
    const rows = await this.#tables.rows(
      `WITH seconds AS (
         SELECT ${kindOf} AS kind, epoch_us(recv_ts) // 1000000 AS second, count(*) AS rows,
           min(epoch_us(recv_ts)) AS a, max(epoch_us(recv_ts)) AS b FROM ${source} GROUP BY ALL),
       steps AS (SELECT *, lag(b) OVER (PARTITION BY kind ORDER BY second) AS before FROM seconds)
       SELECT kind, second // 3600 AS hour, sum(rows)::BIGINT AS rows, min(a) AS a, max(b) AS b,
         max(a - before) AS silent, arg_max(before, a - before) AS since
       FROM steps GROUP BY ALL`,
      schema,
    )
    const seen = await this.#tables.rows(
      `SELECT ${kindOf} AS kind, epoch_us(recv_ts) // ${HOUR_US} AS hour, count(DISTINCT ${nameOf}) AS seen
       FROM ${source} GROUP BY ALL`,
      z.object({ kind, hour: count, seen: count }),
    )
    const seenOf = new Map(seen.map(row => [`${row.kind} ${row.hour}`, row.seen]))
    return known(rows).map(({ kind, hour, rows, a, b, silent, since }) => ({
      table,
      kind,
      hourUs: hour * HOUR_US,
      rows,
      seen: seenOf.get(`${kind} ${hour}`) ?? 0,
      fromUs: a,
      toUs: b,
      silence: silent === undefined || since === undefined ? undefined : { fromUs: since, toUs: since + silent },
    }))
  }

  async names(table: string): Promise<NameRows[]> {
    const source = this.#source(table)
    if (source === undefined) return []
    const { kindOf, nameOf } = about(table)
    const rows = await this.#tables.rows(
      `SELECT ${kindOf} AS kind, ${nameOf} AS name, count(*) AS rows,
         epoch_us(min(recv_ts)) AS a, epoch_us(max(recv_ts)) AS b
       FROM ${source} WHERE ${nameOf} IS NOT NULL GROUP BY ALL`,
      z.object({ kind, name: z.string(), rows: count, a: count, b: count }),
    )
    return known(rows).map(({ a, b, ...row }) => ({ ...row, table, fromUs: a, toUs: b }))
  }

  /** When each run was last heard of, as entries; a run that was killed says no more. */
  async runEnds(table: string): Promise<JournalEntry[]> {
    const source = this.#source(table)
    if (source === undefined) return []
    const rows = await this.#tables.rows(
      `SELECT exchange, ${HOST} AS host, ${RUN} AS run, epoch_us(max(recv_ts)) AS us FROM ${source} GROUP BY ALL`,
      z.object({ exchange: z.string(), host: z.string(), run: z.string(), us: count }),
    )
    return rows.map(({ us, ...of }) => ({ ...of, recvUs: us, event: 'heard', detail: {} }))
  }

  /**
   * Trades against their numbers: what lies between one and the next is missing. Each sequence is counted by itself. Told for the hour of the trade behind
   * the hole, by the exchange's time where it was fetched later.
   */
  async trades(): Promise<Counted[]> {
    const source = this.#source('trades', 1)
    if (source === undefined) return []
    const columns = await this.#columns(source)
    // Not every exchange counts its trades, or books, in columns of these names.
    if (!columns.has('trade_seq')) return []
    const time = columns.has('exchange_ts') ? 'coalesce(exchange_ts, recv_ts)' : 'recv_ts'
    const before = { fromUs: this.#window.fromUs - HOUR_US, toUs: this.#window.toUs }
    const identity = columns.has('trade_id') ? 'trade_seq, trade_id' : 'trade_seq'
    const began = columns.has('exchange_ts') ? BEGINS_ANEW : 'false'
    const rows = await this.#tables.rows(
      `WITH numbered AS (SELECT kind, instrument_name AS name, ${identity}, min(${time}) AS moment
         FROM ${source} WHERE trade_seq IS NOT NULL AND ${inside(time, before)} GROUP BY ALL),
       marked AS (SELECT *, ${began} AS began FROM numbered
         WINDOW by_time AS (PARTITION BY name ORDER BY moment, trade_seq)),
       sequences AS (SELECT *, count(*) FILTER (began) OVER (PARTITION BY name ORDER BY moment, trade_seq) AS sequence
         FROM marked),
       steps AS (SELECT *,
         trade_seq - lag(trade_seq, 1, trade_seq - 1) OVER (PARTITION BY name, sequence ORDER BY trade_seq) AS step
         FROM sequences)
       SELECT kind, name, epoch_us(moment) // ${HOUR_US} AS hour, sum(step)::BIGINT AS expected, count(*) AS actual
       FROM steps WHERE ${inside('moment', this.#window)} GROUP BY ALL`,
      z.object({ kind, name: z.string(), hour: count, expected: count, actual: count }),
    )
    return known(rows).map(({ hour, ...row }) => ({ ...row, what: 'trades', hourUs: hour * HOUR_US }))
  }

  /**
   * Ids are no counter: a change is in order when some frame of its book has the id that it names as the one before.
   * A change at the start of the span has its predecessor outside.
   */
  async chains(): Promise<Counted[]> {
    const source = this.#source('book')
    if (source === undefined || !(await this.#columns(source)).has('change_id')) return []
    const rows = await this.#tables.rows(
      `WITH frames AS (SELECT kind, instrument_name, change_id, prev_change_id, type, min(recv_ts) AS moment
           FROM ${source} GROUP BY ALL),
         firsts AS (SELECT instrument_name, min(change_id) AS first FROM frames GROUP BY instrument_name),
         ids AS (SELECT DISTINCT instrument_name, change_id FROM frames)
       SELECT f.kind, f.instrument_name AS name, epoch_us(f.moment) // ${HOUR_US} AS hour,
         count(*) AS expected, count(k.change_id) AS actual
       FROM frames f
       JOIN firsts s ON s.instrument_name = f.instrument_name AND f.prev_change_id >= s.first
       LEFT JOIN ids k ON k.instrument_name = f.instrument_name AND k.change_id = f.prev_change_id
       WHERE f.type = 'change'
       GROUP BY ALL`,
      z.object({ kind, name: z.string(), hour: count, expected: count, actual: count }),
    )
    return known(rows).map(({ hour, ...row }) => ({ ...row, what: 'book changes', hourUs: hour * HOUR_US }))
  }

  /** Rows of index prices, which come once a second. */
  async seconds(): Promise<Counted[]> {
    const source = this.#source('price_index')
    if (source === undefined) return []
    const rows = await this.#tables.rows(
      `SELECT kind, instrument_name AS name, epoch_us(recv_ts) // ${HOUR_US} AS hour, count(*) AS actual
       FROM ${source} WHERE instrument_name IS NOT NULL GROUP BY ALL`,
      z.object({ kind, name: z.string(), hour: count, actual: count }),
    )
    return known(rows).map(({ hour, ...row }) => ({
      ...row,
      what: 'seconds',
      hourUs: hour * HOUR_US,
      expected: undefined,
    }))
  }

  async tickerParts(): Promise<TickerPart[]> {
    const source = this.#source('ticker')
    if (source === undefined) return []
    const columns = await this.#columns(source)
    const parts: TickerPart[] = []
    for (const { part, kind, column } of TICKER_PARTS) {
      if (!columns.has(column)) continue
      const rows = await this.#tables.rows(
        `SELECT DISTINCT instrument_name AS name FROM ${source} WHERE kind = ${sqlText(kind)} AND ${column} IS NOT NULL`,
        z.object({ name: z.string() }),
      )
      parts.push({ part, kind, names: rows.map(({ name }) => name) })
    }
    return parts
  }

  /** Instruments that the exchange listed, in the latest lists before the span or in it, and that lived in it. */
  async live(): Promise<CoverageFacts['live']> {
    const source = this.#source('instruments', 1)
    if (source === undefined) return []
    const columns = await this.#columns(source)
    if (!columns.has('expiration_timestamp') || !columns.has('creation_timestamp')) return []
    const { fromUs, toUs } = this.#window
    const ends = Number.isFinite(toUs) ? `AND coalesce(creation_timestamp, 0) < ${Math.ceil(toUs / 1000)}` : ''
    const rows = await this.#tables.rows(
      `SELECT DISTINCT kind, instrument_name AS name FROM ${source} WHERE instrument_name IS NOT NULL
       AND coalesce(expiration_timestamp, 9e15) > ${Math.floor(fromUs / 1000)} ${ends}`,
      z.object({ kind, name: z.string() }),
    )
    return known(rows)
  }
}

/** Rows about options, of a channel about their index. */
function about(table: string) {
  return table === 'option_marks'
    ? { kindOf: `'index'`, nameOf: 'index_name' }
    : { kindOf: 'kind', nameOf: 'instrument_name' }
}
