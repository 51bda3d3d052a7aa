import type { DuckDBConnection, DuckDBResult, DuckDBValue } from '@duckdb/node-api'

/** A value as it is, as text; '' for NULL. */
export function cellText(value: DuckDBValue): string {
  return value === null ? '' : typeof value === 'object' ? value.toString() : String(value)
}

/** All rows as JSON lines, streamed; null for a number that is none or infinite. */
export async function* jsonRows(connection: DuckDBConnection, sql: string): AsyncGenerator<Buffer> {
  for await (const [row] of valuesOf(await connection.stream(`SELECT to_json(t)::VARCHAR FROM (${sql}\n) t`)))
    yield Buffer.from(finiteJson(String(row)))
}

/** JSON has no NaN and no infinity, which DuckDB writes by name: null in their place, as others have it. */
const finiteJson = (text: string) =>
  /NaN|Infinity/.test(text)
    ? text.replace(/"(?:[^"\\]|\\.)*"|-?(?:NaN|Infinity)/g, part => (part.startsWith('"') ? part : 'null'))
    : text

/** All rows as CSV (RFC 4180, but for single line feeds), streamed; the first line names the columns. */
export async function* csvRows(connection: DuckDBConnection, sql: string): AsyncGenerator<Buffer> {
  const result = await connection.stream(`SELECT COLUMNS(*)::VARCHAR FROM (${sql}\n)`)
  yield csvLine(result.columnNames())
  for await (const row of valuesOf(result)) yield csvLine(row)
}

const csvLine = (values: readonly DuckDBValue[]) =>
  Buffer.from(values.map(value => (value === null ? '' : csvText(cellText(value)))).join(','))

/** An empty text in quotes: nothing between commas is NULL. */
const csvText = (text: string) => (text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

async function* valuesOf(result: DuckDBResult): AsyncGenerator<readonly DuckDBValue[]> {
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk())
    yield* chunk.getRows()
}
