import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from '../platform/zod.js'
import type { CoverageFacts } from '../exchanges/family.js'
import { quarantineFiles } from '../formats/quarantine-tree.js'
import { openDuckDb } from '../platform/duckdb.js'
import { parseJsonLines } from '../platform/json-lines.js'
import type { Span } from '../platform/spans.js'
import { exchangesIn, namedExchange } from './account/read-facts.js'
import { kindShown } from './account/targets.js'
import type { By } from './account/account-summary.js'
import { datesOf, inside, ParquetReader } from './parquet-reader.js'

/** What the tables hold of one sort of data. */
export interface CountedLine {
  exchange: string
  /** What people call it. */
  data: string
  table: string
  kind: string
  hourUs?: number
  instrument?: string
  /** Different ones. */
  instruments: number
  rows: number
  /** Against numbers that the exchange gave, or against all instruments of a table. */
  counted?: { unit: string; expected: number; actual: number }
}

export interface CountedTables {
  lines: readonly CountedLine[]
  /** Lines that could not be converted, of the days of the span. */
  quarantined: readonly { path: string; lines: number; reason: string }[]
  /** Files that are no whole Parquet files; full paths. */
  torn: readonly string[]
}

const HOUR_US = 3_600_000_000

/**
 * Counts what the tables of all exchanges below a root hold of a span.
 * @param onTable called after each table that was counted
 * @throws EdgeError COVERAGE_NO_PARQUET, PARQUET_UNREADABLE
 */
export async function countTables(
  root: string,
  window: Span,
  by: By | undefined,
  onTable: () => void,
): Promise<CountedTables> {
  const connection = await openDuckDb()
  try {
    const tables = new ParquetReader(connection, root)
    const lines: CountedLine[] = []
    for (const name of exchangesIn(root)) {
      const seen = new Set<string>()
      for (const { name: family, table = family, coverage } of namedExchange(name).families) {
        if (!coverage || seen.has(table)) continue
        seen.add(table)
        lines.push(...(await new TableCount(tables, name, table, window, by).lines(coverage)))
        onTable()
      }
    }
    return { lines, quarantined: quarantinedIn(root, window), torn: tables.torn }
  } finally {
    connection.closeSync()
  }
}

const lineSchema = z.object({ reason: z.string() })

function quarantinedIn(root: string, window: Span): CountedTables['quarantined'] {
  return [...quarantineFiles(root, { dates: datesOf(window) })].flatMap(path => {
    const bad = parseJsonLines(readFileSync(join(root, path), 'utf8'), lineSchema)
    return bad[0] ? [{ path, lines: bad.length, reason: bad[0].reason }] : []
  })
}

/** SQL for a trade with which numbers begin anew: it and the next two are lower than the one before, and made later. */
const BEGINS_ANEW = `coalesce(moment > lag(moment) OVER by_time
  AND greatest(trade_seq, lead(trade_seq, 1, trade_seq) OVER by_time, lead(trade_seq, 2, trade_seq) OVER by_time)
    < lag(trade_seq) OVER by_time, false)`

const count = z.union([z.bigint(), z.number()]).transform(Number)
const text = z
  .string()
  .nullable()
  .transform(value => value ?? '')
const rowSchema = z.object({ kind: text, slice: text, a: count, b: count })
const columnSchema = z.object({ column_name: z.string() })

/** Two numbers of a kind and an hour or instrument. */
interface Pair {
  kind: string
  slice: string
  a: number
  b: number
}

/** One table of one exchange. */
class TableCount {
  readonly #tables: ParquetReader
  readonly #exchange: string
  readonly #table: string
  readonly #window: Span
  readonly #by: By | undefined

  constructor(tables: ParquetReader, exchange: string, table: string, window: Span, by: By | undefined) {
    this.#tables = tables
    this.#exchange = exchange
    this.#table = table
    this.#window = window
    this.#by = by
  }

  async lines({ data, parts = [], counted }: CoverageFacts): Promise<CountedLine[]> {
    const source = this.#source(0)
    if (source === undefined) return []
    const columns = await this.#tables.columns(source, columnSchema)
    const name = columns.has('instrument_name') ? 'instrument_name' : 'NULL::VARCHAR'
    const rowsWhere = (condition: string) =>
      this.#pairs(`SELECT kind, ${this.#slice('recv_ts', name)} AS slice, count(*) AS a, count(DISTINCT ${name}) AS b
        FROM ${source} WHERE ${inside('recv_ts', this.#window)} AND ${condition} GROUP BY ALL`)
    const found = await rowsWhere('true')
    const numbers =
      counted?.what === 'trades' && columns.has('trade_seq')
        ? await this.#trades(columns)
        : counted?.what === 'book changes' && columns.has('change_id')
          ? await this.#chains(source)
          : []
    const lines = found.map(({ kind, slice, a, b }): CountedLine => {
      const own = numbers.find(one => one.kind === kind && one.slice === slice)
      return {
        ...this.#line(data, kind, slice, b, a),
        ...(own && counted && { counted: { unit: counted.unit, expected: own.a, actual: own.b } }),
      }
    })
    for (const part of parts.filter(({ column }) => columns.has(column))) {
      const whole = found.filter(({ kind }) => kind === part.kind)
      const own = await rowsWhere(`"${part.column}" IS NOT NULL`)
      for (const { kind, slice, b: expected } of whole) {
        const { a: rows, b: actual } = own.find(one => one.kind === kind && one.slice === slice) ?? { a: 0, b: 0 }
        const counted = { unit: 'instruments', expected, actual }
        lines.push({ ...this.#line(part.data, kind, slice, actual, rows), counted })
      }
    }
    return lines.sort((a, b) => (a.hourUs ?? 0) - (b.hourUs ?? 0))
  }

  #line(data: string, kind: string, slice: string, instruments: number, rows: number): CountedLine {
    const of = { exchange: this.#exchange, data, table: this.#table, kind, instruments, rows }
    if (this.#by === undefined) return of
    return this.#by === 'hour' ? { ...of, hourUs: Number(slice) * HOUR_US } : { ...of, instrument: slice }
  }

  /** SQL for the rows of the days of the span and `more` days on either side. */
  #source(more: number): string | undefined {
    return this.#tables.source(this.#table, { exchange: this.#exchange, dates: datesOf(this.#window, more) })
  }

  #slice(time: string, name: string): string {
    if (this.#by === undefined) return `''`
    return this.#by === 'hour' ? `(epoch_us(${time}) // ${HOUR_US})::VARCHAR` : name
  }

  /** Both sorts of combo are one. */
  async #pairs(sql: string): Promise<Pair[]> {
    const pairs = new Map<string, Pair>()
    for (const { kind: folder, slice, a, b } of await this.#tables.rows(sql, rowSchema)) {
      const kind = kindShown(folder)
      const known = pairs.get(`${kind} ${slice}`) ?? { kind, slice, a: 0, b: 0 }
      pairs.set(`${kind} ${slice}`, { ...known, a: known.a + a, b: known.b + b })
    }
    return [...pairs].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, pair]) => pair)
  }

  /**
   * Trades against their numbers: what lies between one and the next is missing. Each sequence is counted by itself. Counted
   * for the hour of the trade behind the hole, by the exchange's time where it was fetched later.
   */
  async #trades(columns: ReadonlySet<string>): Promise<Pair[]> {
    const time = columns.has('exchange_ts') ? 'coalesce(exchange_ts, recv_ts)' : 'recv_ts'
    const before = { fromUs: this.#window.fromUs - HOUR_US, toUs: this.#window.toUs }
    const identity = columns.has('trade_id') ? 'trade_seq, trade_id' : 'trade_seq'
    return this.#pairs(`WITH numbered AS (SELECT kind, instrument_name AS name, ${identity}, min(${time}) AS moment
        FROM ${this.#source(1) ?? ''} WHERE trade_seq IS NOT NULL AND ${inside(time, before)} GROUP BY ALL),
      marked AS (SELECT *, ${columns.has('exchange_ts') ? BEGINS_ANEW : 'false'} AS began FROM numbered
        WINDOW by_time AS (PARTITION BY name ORDER BY moment, trade_seq)),
      sequences AS (SELECT *, count(*) FILTER (began) OVER (PARTITION BY name ORDER BY moment, trade_seq) AS sequence
        FROM marked),
      steps AS (SELECT *,
        trade_seq - lag(trade_seq, 1, trade_seq - 1) OVER (PARTITION BY name, sequence ORDER BY trade_seq) AS step
        FROM sequences)
      SELECT kind, ${this.#slice('moment', 'name')} AS slice, sum(step)::BIGINT AS a, count(*) AS b
      FROM steps WHERE ${inside('moment', this.#window)} GROUP BY ALL`)
  }

  /**
   * Ids are no counter: a change is in order when some frame of its book has the id that it names as the one before.
   * A change at the start of the span has its predecessor outside.
   */
  #chains(source: string): Promise<Pair[]> {
    return this.#pairs(`WITH frames AS (SELECT kind, instrument_name AS name, change_id, prev_change_id, type,
          min(recv_ts) AS moment FROM ${source} WHERE ${inside('recv_ts', this.#window)} GROUP BY ALL),
        firsts AS (SELECT name, min(change_id) AS first FROM frames GROUP BY name),
        ids AS (SELECT DISTINCT name, change_id FROM frames)
      SELECT f.kind, ${this.#slice('f.moment', 'f.name')} AS slice, count(*) AS a, count(k.change_id) AS b
      FROM frames f
      JOIN firsts s ON s.name = f.name AND f.prev_change_id >= s.first
      LEFT JOIN ids k ON k.name = f.name AND k.change_id = f.prev_change_id
      WHERE f.type = 'change'
      GROUP BY ALL`)
  }
}
