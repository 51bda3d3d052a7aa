import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api'
import type { z } from 'zod'
import { isWholeParquet } from '../formats/parquet-footer.js'
import { plannedFiles } from '../formats/planned-files.js'
import { EdgeError } from '../platform/edge-error.js'
import { partitionedSql } from '../formats/partitioned-sql.js'
import { unreadableAmong } from '../formats/unreadable-parquet.js'
import type { Span } from '../platform/spans.js'
import { dateOfUs } from '../platform/utc-date.js'

const DAY_US = 86_400_000_000

/** Asks tables that may not be there; each answer is checked row by row. */
export class ParquetReader {
  readonly #connection: DuckDBConnection
  readonly #root: string
  readonly #wholeness = new Map<string, boolean>()

  /** @throws EdgeError COVERAGE_NO_PARQUET */
  constructor(connection: DuckDBConnection, root: string) {
    if (!existsSync(join(root, 'parquet'))) {
      throw new EdgeError('COVERAGE_NO_PARQUET', `no Parquet below ${root}`, {
        path: join(root, 'parquet'),
        hint: 'edgetape compact --once makes it from sealed segments',
      })
    }
    this.#connection = connection
    this.#root = root
  }

  /** Files that are no whole Parquet files and were left out, as far as tables were asked. */
  get torn(): string[] {
    return [...this.#wholeness].flatMap(([path, isWhole]) => (isWhole ? [] : [path]))
  }

  /** SQL for a table's rows with `filename`, or undefined where it has none; `dates` of partitions, both included. */
  source(
    table: string,
    of: { exchange?: string; dates?: { first: string; last: string } | undefined },
  ): string | undefined {
    const all = plannedFiles(this.#root, { table, ...of }).map(({ path }) => join(this.#root, path))
    const paths = all.filter(path => this.#isWhole(path))
    return paths.length === 0 ? undefined : `(${partitionedSql(paths, { filename: true, dateType: 'VARCHAR' })})`
  }

  #isWhole(path: string): boolean {
    const known = this.#wholeness.get(path) ?? isWholeParquet(path)
    this.#wholeness.set(path, known)
    return known
  }

  /** @throws EdgeError PARQUET_UNREADABLE a file has both its ends, and nothing that can be read between them */
  async rows<Row>(sql: string, schema: z.ZodType<Row>): Promise<Row[]> {
    try {
      const result = await this.#connection.runAndReadAll(sql)
      return result.getRowObjects().map((row: Record<string, DuckDBValue>) => schema.parse(row))
    } catch (cause) {
      throw (await unreadableAmong(this.#connection, this.#wholeness.keys(), cause)) ?? cause
    }
  }

  async columns(source: string, schema: z.ZodType<{ column_name: string }>): Promise<Set<string>> {
    const rows = await this.rows(`DESCRIBE SELECT * FROM ${source}`, schema)
    return new Set(rows.map(({ column_name }) => column_name))
  }
}

/** The dates of partitions that may hold rows of a span, `more` days on either side. */
export function datesOf({ fromUs, toUs }: Span, more = 0): { first: string; last: string } {
  return { first: dateOfUs(fromUs - more * DAY_US), last: dateOfUs(toUs - 1 + more * DAY_US) }
}

/** An SQL condition: a time column lies in the span. */
export function inside(column: string, { fromUs, toUs }: Span): string {
  const from = fromUs > 0 ? `${column} >= make_timestamptz(${Math.floor(fromUs)})` : 'true'
  return Number.isFinite(toUs) ? `${from} AND ${column} < make_timestamptz(${Math.ceil(toUs)})` : from
}
