import type { DuckDBConnection, DuckDBResult, DuckDBValue } from '@duckdb/node-api'
import { fitTable } from './fit-table.js'

/** More rows than a person reads; other formats give all. */
const ROWS_SHOWN = 1000

/** The first rows of a statement's answer as a table, no wider than that; '' for a statement that answers nothing. */
export async function tableOf(connection: DuckDBConnection, sql: string, width = Infinity): Promise<string> {
  const answer = await connection.streamAndReadUntil(sql, ROWS_SHOWN)
  const head = answer.columnNames()
  const rows = answer.getRows()
  if (head.length === 0 || isMereCount(head, rows)) return ''
  const shown = rows.slice(0, ROWS_SHOWN).map(row => row.map(cell))
  const numeric = head
    .map((_, i) => i)
    .filter(i => typeof firstOf(rows, i) === 'number' || typeof firstOf(rows, i) === 'bigint')
  const more =
    rows.length > ROWS_SHOWN || !answer.done ? [`… cut at ${ROWS_SHOWN} rows (--format csv or json gives all)`] : []
  return [fitTable({ head, rows: shown, numeric }, width), ...more].join('\n')
}

/** What CREATE and SET answer. */
const isMereCount = (head: readonly string[], rows: readonly unknown[]) =>
  head.length === 1 && (head[0] === 'Count' || head[0] === 'Success') && rows.length === 0

const firstOf = (rows: readonly (readonly DuckDBValue[])[], column: number) =>
  rows.find(row => row[column] !== null)?.[column]

function cell(value: DuckDBValue): string {
  return value === null ? '' : typeof value === 'object' ? value.toString() : String(value)
}

/** All rows as JSON lines, streamed. */
export async function* jsonRows(connection: DuckDBConnection, sql: string): AsyncGenerator<Buffer> {
  for await (const [row] of valuesOf(await connection.stream(`SELECT to_json(t)::VARCHAR FROM (${sql}\n) t`)))
    yield Buffer.from(String(row))
}

/** All rows as CSV (RFC 4180, but for single line feeds), streamed; the first line names the columns. */
export async function* csvRows(connection: DuckDBConnection, sql: string): AsyncGenerator<Buffer> {
  const result = await connection.stream(`SELECT COLUMNS(*)::VARCHAR FROM (${sql}\n)`)
  yield csvLine(result.columnNames())
  for await (const row of valuesOf(result)) yield csvLine(row)
}

const csvLine = (values: readonly DuckDBValue[]) =>
  Buffer.from(values.map(value => (value === null ? '' : csvText(cell(value)))).join(','))

/** An empty text in quotes: nothing between commas is NULL. */
const csvText = (text: string) => (text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

async function* valuesOf(result: DuckDBResult): AsyncGenerator<readonly DuckDBValue[]> {
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk())
    yield* chunk.getRows()
}
