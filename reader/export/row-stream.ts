import type { DuckDBValue } from '@duckdb/node-api'
import type { ExportRows } from '../../exchanges/export.js'
import type { Span } from '../../platform/spans.js'
import { sqlText } from '../../platform/duckdb.js'
import type { QuerySession } from '../query/session.js'
import { dateOf } from '../../platform/utc-date.js'
import { inTables, type ViewSource } from './source.js'

const HOUR_US = 3_600_000_000

/** A row as formats of others have it. */
export interface ExportedRow {
  instrument: string
  /** The exchange's time, µs; where it gives none, that of receipt. */
  exchangeUs: number
  /** When it was received, µs; of a row that was fetched later, the exchange's time. */
  localUs: number
  values: DuckDBValue[]
}

/** Which rows. */
export interface RowQuestion extends Span, Pick<ViewSource, 'exchange' | 'names'> {
  /** Undefined: all that have any. */
  instruments: readonly string[] | undefined
  kind?: string | undefined
  currency?: string | undefined
}

/** What was fetched later was so within this time: as far as exchanges keep it. */
const FETCHED_WITHIN_DAYS = 2
const FETCHED = `source = 'backfill'`

/** SQL for the moment at which a row counts as received: what was fetched later would have come when it was made. */
const LOCAL = `epoch_us(CASE WHEN ${FETCHED} THEN coalesce(exchange_ts, recv_ts) ELSE recv_ts END)`

/** Rows in the order of receipt, an hour of them sorted at a time. */
export async function* rowsOf(
  session: QuerySession,
  rows: ExportRows,
  question: RowQuestion,
): AsyncGenerator<ExportedRow[], void> {
  const last = new Map<string, LastRow>()
  for (let fromUs = question.fromUs; fromUs < question.toUs; fromUs = nextHour(fromUs)) {
    const sql = sqlOf(rows, { ...question, fromUs, toUs: Math.min(nextHour(fromUs), question.toUs) })
    const result = await session.ask(sql, connection => connection.stream(sql))
    for await (const chunk of result.yieldRows()) {
      const found = chunk.map(([instrument, exchangeUs, localUs, ...values]) => ({
        instrument: String(instrument),
        exchangeUs: Number(exchangeUs),
        localUs: Number(localUs),
        values,
      }))
      yield rows.changesOnly === true ? found.filter(row => isChange(last, row)) : found
    }
  }
}

const nextHour = (us: number) => (Math.floor(us / HOUR_US) + 1) * HOUR_US

function sqlOf({ table, from, columns, where, numberedBy }: ExportRows, question: RowQuestion): string {
  const { fromUs, toUs } = question
  const time = (us: number) => `make_timestamptz(${us})`
  const inSpan = (column: string) => `(${column} >= ${time(fromUs)} AND ${column} < ${time(toUs)})`
  const dates = `"date" BETWEEN ${dateSql(fromUs, -1)} AND ${dateSql(toUs, FETCHED_WITHIN_DAYS)}`
  return `SELECT instrument_name, epoch_us(coalesce(exchange_ts, recv_ts)) AS made, ${LOCAL} AS received, ${columns.join(', ')}
    FROM ${from ? `(${from(dates)})` : `"${table}"`}
    WHERE ${conditionOf(question)} AND ${dates}
      AND (${inSpan('recv_ts')} AND NOT (${FETCHED}) OR ${FETCHED} AND ${inSpan('coalesce(exchange_ts, recv_ts)')})
      AND (${where ?? 'true'})
    ORDER BY received, seq, made, instrument_name${numberedBy === undefined ? '' : `, ${numberedBy}`}`
}

/** SQL for whose rows are asked for. */
export function conditionOf({ instruments, ...question }: Omit<RowQuestion, 'fromUs' | 'toUs'>): string {
  const { exchange, kind, currency, names } = question
  const isOne = (instrument: string) => {
    const { name, kind: of } = inTables(question, instrument)
    // Where one name is that of several, the kind distinguishes them.
    return `instrument_name = ${sqlText(name)}${names.nameInTables ? ` AND kind = ${sqlText(of)}` : ''}`
  }
  return [
    `exchange = ${sqlText(exchange)}`,
    instruments && `(${instruments.map(isOne).join(' OR ')})`,
    kind !== undefined && `kind = ${sqlText(kind)}`,
    currency !== undefined && `currency = ${sqlText(currency)}`,
  ]
    .filter(part => typeof part === 'string')
    .join(' AND ')
}

export const dateSql = (us: number, days: number) => `DATE ${sqlText(dateOf(us / 1000))} + ${days}`

interface LastRow {
  exchangeUs: number
  values: DuckDBValue[]
}

/** Fills what a row does not say with what was known, and says whether anything is new. */
function isChange(last: Map<string, LastRow>, row: ExportedRow): boolean {
  const before = last.get(row.instrument)
  const values = row.values.map((value, at) => value ?? before?.values[at] ?? null)
  const isNew = !before ? values.some(value => value !== null) : values.some((value, at) => value !== before.values[at])
  row.values = values
  row.exchangeUs = Math.max(row.exchangeUs, before?.exchangeUs ?? 0)
  last.set(row.instrument, { exchangeUs: row.exchangeUs, values })
  return isNew
}
