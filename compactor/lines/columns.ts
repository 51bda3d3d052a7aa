import type { DuckDBValue } from '@duckdb/node-api'

/** What can be asked in SQL; an engine keeps columns, so that this file does not import it. */
interface Asked {
  rows(sql: string): Promise<DuckDBValue[][]>
}

/** A column of a relation, by its own name, and its type in SQL. */
export interface Column {
  name: string
  type: string
}

/** The columns of a relation, in SQL: a table, or a table function. */
export async function columnsOf(engine: Asked, relation: string): Promise<Column[]> {
  const rows = await engine.rows(`SELECT column_name, column_type FROM (DESCRIBE FROM ${relation})`)
  return rows.map(([name, type]) => ({ name: String(name), type: String(type) }))
}
