import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Table } from '../../exchanges/table.js'
import type { Partition } from '../../formats/partition.js'
import { countOf, sqlName, sqlText } from '../../platform/duckdb.js'
import type { Engine } from '../engine.js'
import type { Column } from '../lines/columns.js'
import type { Group } from './groups.js'
import { packColumns, type PackedColumn } from './packed-columns.js'
import { fileFacts, parquetOptions } from './parquet-options.js'
import { LEAST_ROWS, rowGroupRows } from './row-group.js'
import { lookAtColumns } from './seen-columns.js'
import { IN_FULL, ORDERED_BY, sortOrder } from './sort-order.js'
import { rankNames, rowsOf, sortedRanges, type SortedRange } from './sorted-ranges.js'

/** A Parquet file in the temporary folder. */
export interface Part {
  temporary: string
  table: string
  partition: Partition
  rows: number
}

/** What is to be written of `staged`. */
export interface StagedRows {
  table: Table
  columns: readonly Column[]
  /** As it is now. */
  groups: readonly Group[]
  /** What the files say about themselves, besides their rows. */
  facts: Record<string, string>
  /** Nobody asks for `staged` afterwards: what is not needed may be taken out of it. */
  isLast?: boolean
}

/**
 * Writes the rows of `staged` to `folder`, one Parquet file per kind and currency, sorted. The order is total as far as
 * rows differ, so that the same rows give the same bytes.
 * @param sortedGroups row groups that may be sorted together
 */
export async function writeParts(
  engine: Engine,
  { table, columns: ofTable, groups, facts, isLast = false }: StagedRows,
  folder: string,
  sortedGroups = SORTED_GROUPS,
): Promise<Part[]> {
  const parts: Part[] = []
  if (groups.length === 0) return []
  const allRows = groups.reduce((sum, { rows }) => sum + rows, 0)
  const { columns, groupRows, order, unread } = await planRows(engine, ofTable, allRows)
  if (isLast && unread.length > 0) await dropColumns(engine, unread)
  if (groups.length > 1 || allRows > sortedGroups * groupRows) await rankNames(engine)
  for (const [index, { partition, names, rows }] of groups.entries()) {
    const temporary = join(folder, `${table.name}-${index}.parquet`)
    const options = parquetOptions(fileFacts(table.name, rows, facts), groupRows)
    const ranges = await sortedRanges(engine, names, rows, sortedGroups * groupRows)
    const sorted = (range: SortedRange) => `SELECT ${columns.map(({ unpacked }) => unpacked).join(', ')} FROM (
        SELECT ${columns.flatMap(({ packed }) => packed ?? []).join(', ')}
        FROM ${rowsOf(range, groups.length === 1 && ranges.length === 1)}
        ORDER BY ${order}
      )`
    const written = await writeRanges(engine, ranges.map(sorted), temporary, options, groupRows)
    if (written !== rows) throw new RangeError(`${temporary}: ${written} rows instead of ${rows}`)
    parts.push({ temporary, table: table.name, partition, rows })
  }
  return parts
}

/** Fewer rows are sorted as they are: their sort is small, and to look at their texts takes longer. */
const FEW_ROWS = 20_000

interface RowPlan {
  /** How they go through the sort. */
  columns: readonly PackedColumn[]
  /** How many rows a row group gets. */
  groupRows: number
  /** In SQL on what is carried through the sort. */
  order: string
  /** Columns of `staged` that are carried in no way, nor asked for. */
  unread: readonly string[]
}

async function planRows(engine: Engine, ofTable: readonly Column[], rows: number): Promise<RowPlan> {
  const named = ofTable.filter(({ name }) => name !== 'row_no')
  if (rows < FEW_ROWS) {
    const columns = named.map(({ name }) => ({ packed: sqlName(name), unpacked: sqlName(name) }))
    const groupRows = rows <= LEAST_ROWS ? LEAST_ROWS : await rowGroupRows(engine, 'staged', ofTable)
    return { groupRows, columns, order: IN_FULL, unread: [] }
  }
  const seen = await lookAtColumns(engine, named)
  const empty = new Set(seen.flatMap(({ name, isEmpty }) => (isEmpty ? [name] : [])))
  const groupRows = await rowGroupRows(engine, 'staged', ofTable, Infinity, empty)
  const columns = await packColumns(engine, seen, rows)
  const unread = named.flatMap(({ name }, index) => (columns[index]?.packed === undefined ? [name] : []))
  const order = await sortOrder(engine, columns[named.findIndex(({ name }) => name === 'conn')])
  return { groupRows, columns, order, unread: unread.filter(name => !ORDERED_BY.includes(name)) }
}

/**
 * Each column takes up to 3 MB for 300,000 rows, also where it holds nothing. Without those that are not read, the sort of 128 MB of
 * lines finds room beside the rows; with them a part of it went to the disk.
 */
const dropColumns = (engine: Engine, names: readonly string[]) =>
  engine.run(names.map(name => `ALTER TABLE staged DROP COLUMN ${sqlName(name)}`).join(';'))

/** Row groups, each of some MiB, that are sorted together; more rows are sorted range by range. */
const SORTED_GROUPS = 64

/**
 * Writes rows to a file, those of several queries one after the other.
 * @returns how many there are
 */
async function writeRanges(
  engine: Engine,
  queries: readonly string[],
  path: string,
  options: string,
  groupRows: number,
): Promise<number> {
  const copy = async (query: string, to: string, how: string) => {
    const [[written] = []] = await engine.rows(`COPY (${query}) TO ${sqlText(to)} ${how}`)
    return countOf(written)
  }
  const [first = '', ...more] = queries
  if (more.length === 0) return copy(first, path, options)
  const pieces = queries.map((_, index) => `${path}.${index}`)
  for (const [index, piece] of pieces.entries()) {
    await copy(queries[index] ?? '', piece, `(FORMAT parquet, ROW_GROUP_SIZE ${groupRows})`)
  }
  const written = await copy(`FROM read_parquet([${pieces.map(sqlText).join(', ')}])`, path, options)
  for (const piece of pieces) rmSync(piece)
  return written
}
