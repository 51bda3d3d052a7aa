import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api'
import { plainTable } from '../table.js'

/** More rows than a person reads; --json gives all. */
const ROWS_SHOWN = 1000

/** The first rows of a query's answer as a table. */
export async function tableOf(connection: DuckDBConnection, sql: string): Promise<string> {
  const answer = await connection.streamAndReadUntil(sql, ROWS_SHOWN)
  const rows = answer.getRows()
  const shown = rows.slice(0, ROWS_SHOWN).map(row => row.map(cell))
  const columns = answer.columnNames()
  const numeric = columns
    .map((_, i) => i)
    .filter(i => typeof rows[0]?.[i] === 'number' || typeof rows[0]?.[i] === 'bigint')
  const more = rows.length > ROWS_SHOWN || !answer.done ? [`… cut at ${ROWS_SHOWN} rows (--json gives all)`] : []
  return [plainTable(columns, shown, numeric), ...more].join('\n')
}

function cell(value: DuckDBValue): string {
  return value === null ? '' : typeof value === 'object' ? value.toString() : String(value)
}

/** All rows as JSON lines, streamed. */
export async function* jsonRows(connection: DuckDBConnection, sql: string): AsyncGenerator<Buffer> {
  const result = await connection.stream(`SELECT to_json(t)::VARCHAR FROM (${sql.replace(/;\s*$/, '')}\n) t`)
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk())
    for (const value of chunk.getColumnValues(0)) yield Buffer.from(String(value))
}
