import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api'
import type { z } from 'zod'
import { EdgeError } from '../../platform/edge-error.js'
import { sqlText } from '../../reading/duckdb.js'
import { supersededFiles } from '../../formats/superseded-files.js'
import type { Span } from './spans.js'

const DAY_US = 86_400_000_000

/** Asks tables that may not be there; each answer is checked row by row. */
export class ParquetReader {
  readonly #connection: DuckDBConnection
  readonly #exchanges: string[]
  readonly #superseded: string[]

  /** @throws EdgeError COVERAGE_NO_PARQUET */
  constructor(connection: DuckDBConnection, root: string) {
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
  }

  /** SQL for a table's rows with `filename`, or undefined where it has none; `dates` of partitions, both included. */
  source(table: string, dates?: { first: string; last: string }): string | undefined {
    const globs = this.#exchanges
      .map(folder => join(folder, `table=${table}`))
      .filter(folder => existsSync(folder))
      .map(folder => `${folder}/kind=*/currency=*/date=*/*.parquet`)
    if (globs.length === 0) return undefined
    const list = globs.map(sqlText).join(', ')
    const all = `read_parquet([${list}], union_by_name = true, hive_partitioning = true, hive_types_autocast = false, filename = true)`
    const conditions = [
      ...(this.#superseded.length > 0 ? [`filename NOT IN (${this.#superseded.map(sqlText).join(', ')})`] : []),
      ...(dates ? [`"date" BETWEEN ${sqlText(dates.first)} AND ${sqlText(dates.last)}`] : []),
    ]
    return conditions.length === 0 ? all : `(SELECT * FROM ${all} WHERE ${conditions.join(' AND ')})`
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

  async columns(source: string, schema: z.ZodType<{ column_name: string }>): Promise<Set<string>> {
    const rows = await this.rows(`DESCRIBE SELECT * FROM ${source}`, schema)
    return new Set(rows.map(({ column_name }) => column_name))
  }
}

/** The dates of partitions that may hold rows of a span, `more` days on either side. */
export function datesOf({ fromUs, toUs }: Span, more = 0): { first: string; last: string } {
  const date = (us: number, fallback: string) =>
    Number.isFinite(us) ? new Date(us / 1000).toISOString().slice(0, 10) : fallback
  return {
    first: fromUs <= 0 ? '0000-00-00' : date(fromUs - more * DAY_US, '0000-00-00'),
    last: date(toUs - 1 + more * DAY_US, '9999-99-99'),
  }
}

/** An SQL condition: a time column lies in the span. */
export function inside(column: string, { fromUs, toUs }: Span): string {
  const from = fromUs > 0 ? `${column} >= make_timestamptz(${Math.floor(fromUs)})` : 'true'
  return Number.isFinite(toUs) ? `${from} AND ${column} < make_timestamptz(${Math.ceil(toUs)})` : from
}
