import type { DuckDBValue } from '@duckdb/node-api'

/** A value as a cell of a CSV file without quotes: empty where there is none. */
export function cellOf(value: DuckDBValue | undefined): string {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? String(value) : ''
    case 'bigint':
    case 'boolean':
      return String(value)
    case 'string':
      return value
    default:
      return ''
  }
}
