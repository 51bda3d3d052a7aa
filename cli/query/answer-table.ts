import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api'
import { fitTable } from '../fit-table.js'
import { cellText } from '../../reader/query/rows.js'

/** More rows than a person reads; other formats give all. */
const ROWS_SHOWN = 1000
/** Enough for any price; other formats give all. */
const DIGITS_SHOWN = 9

/** The first rows of a statement's answer as a table, no wider than that; '' for a statement that answers nothing. */
export async function tableOf(connection: DuckDBConnection, sql: string, width = Infinity): Promise<string> {
  const answer = await connection.streamAndReadUntil(sql, ROWS_SHOWN + 1)
  const head = answer.columnNames()
  const rows = answer.getRows()
  if (head.length === 0 || isMereCount(head, rows)) return ''
  const shown = rows.slice(0, ROWS_SHOWN).map(row => row.map(shownText))
  const numeric = head
    .map((_, i) => i)
    .filter(i => typeof firstOf(rows, i) === 'number' || typeof firstOf(rows, i) === 'bigint')
  const more = rows.length > ROWS_SHOWN ? [`… cut at ${ROWS_SHOWN} rows (--format csv or json gives all)`] : []
  return [fitTable({ head, rows: shown, numeric }, width), ...more].join('\n')
}

/** A value as people read it: floats without the digits that only arithmetic made. */
const shownText = (value: DuckDBValue) =>
  typeof value === 'number' && !Number.isInteger(value)
    ? String(Number(value.toPrecision(DIGITS_SHOWN)))
    : cellText(value)

/** What CREATE and SET answer. */
const isMereCount = (head: readonly string[], rows: readonly unknown[]) =>
  head.length === 1 && (head[0] === 'Count' || head[0] === 'Success') && rows.length === 0

const firstOf = (rows: readonly (readonly DuckDBValue[])[], column: number) =>
  rows.find(row => row[column] !== null)?.[column]
