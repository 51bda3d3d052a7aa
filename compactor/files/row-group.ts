import { countOf, sqlName } from '../../platform/duckdb.js'
import type { Engine } from '../engine.js'
import type { Column } from '../lines/columns.js'

/** Most rows of a group. */
const MOST_ROWS = 100_000
/** DuckDB rounds to these, and takes no less. */
export const LEAST_ROWS = 2048
/** So many groups let a query for an hour of one instrument leave out nearly all of a day. */
const GROUPS_OF_A_DAY = 128
/** Smaller groups cost more bytes (8,192 rows: 7 %) than they spare. */
const LEAST_ROWS_OF_A_DAY = 12_288
/** Text of a group: the writer holds a group in memory, as it is and as it is packed. */
const TEXT_BYTES = 8 * 1024 * 1024
/** All of a group, numbers taken for 8 bytes. */
const GROUP_BYTES = 12 * 1024 * 1024
const TEXTS = ['VARCHAR', 'JSON', 'BLOB']
/** Columns whose texts are short or all the same. */
const SHORT = ['instrument_name', 'conn', 'source', 'channel']

/**
 * How many rows a row group of a file gets: bounded by rows and by the bytes of their texts, so that wide rows need no
 * more memory than narrow ones. Depends on the rows alone; the same rows give the same file.
 * @param relation what is to be written, in SQL: a table, or a table function
 * @param columns of it
 * @param dayRows the rows of a file that holds a day; its groups are finer than those of an hour
 * @param empty columns that are known to hold nothing: they are not looked through
 */
export async function rowGroupRows(
  engine: Engine,
  relation: string,
  columns: readonly Column[],
  dayRows = Infinity,
  empty: ReadonlySet<string> = new Set(),
): Promise<number> {
  const texts = columns.filter(({ name, type }) => TEXTS.includes(type) && !SHORT.includes(name))
  const names = texts.flatMap(({ name }) => (empty.has(name) ? [] : [name]))
  const text = names.map(name => `coalesce(strlen(${sqlName(name)}), 0)`).join(' + ') || '0'
  const [[average, most] = []] = await engine.rows(
    `SELECT coalesce(avg(text), 0)::BIGINT, coalesce(max(text), 0) FROM (SELECT ${text} AS text FROM ${relation})`,
  )
  return limitRows(dayRows, countOf(average), countOf(most), columns.length)
}

/**
 * @param averageBytes of the texts in a row
 * @param widestBytes the same of the widest row: wide rows may all stand in one group
 */
export function limitRows(dayRows: number, averageBytes: number, widestBytes: number, columns: number): number {
  const fine = Math.max(LEAST_ROWS_OF_A_DAY, Math.ceil(dayRows / GROUPS_OF_A_DAY))
  const narrow = Math.min(TEXT_BYTES / Math.max(1, averageBytes), (4 * TEXT_BYTES) / Math.max(1, widestBytes))
  const limited = Math.min(MOST_ROWS, fine, narrow, GROUP_BYTES / (averageBytes + 8 * columns))
  return Math.max(LEAST_ROWS, Math.floor(limited / LEAST_ROWS) * LEAST_ROWS)
}
