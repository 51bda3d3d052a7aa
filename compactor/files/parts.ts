import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { countOf, sqlText } from '../../platform/duckdb.js'
import { version } from '../../platform/package-info.js'
import type { Engine } from '../engine.js'
import { noPartition, type Partition } from '../../formats/partition.js'
import { packColumns } from './packed-columns.js'
import { rowGroupRows } from './row-group.js'
import { rowsOf, sortedRanges, type NameCount, type SortedRange } from './sorted-ranges.js'
import type { Table } from '../../exchanges/table.js'
import { SCHEMA_VERSION } from '../tables.js'

/** A Parquet file in the temporary folder. */
export interface Part {
  temporary: string
  table: string
  partition: Partition
  rows: number
}

/** The rows of `staged` by kind and currency; none where there are no rows. */
export async function groupStaged(engine: Engine, table: Table): Promise<Group[]> {
  const { partitionOf } = table
  return partitionOf ? groupByPartition(partitionOf, await nameCounts(engine)) : await oneGroup(engine)
}

/**
 * Writes the rows of `staged` to `folder`, one Parquet file per kind and currency, sorted. The order is total as far as
 * rows differ, so that the same rows give the same bytes.
 * @param groups of `staged` as it is now
 * @param facts what the files say about themselves, besides their rows
 * @param sortedGroups row groups that may be sorted together
 */
export async function writeParts(
  engine: Engine,
  table: Table,
  groups: readonly Group[],
  facts: Record<string, string>,
  folder: string,
  sortedGroups = SORTED_GROUPS,
): Promise<Part[]> {
  const parts: Part[] = []
  if (groups.length === 0) return []
  const groupRows = await rowGroupRows(engine, 'staged')
  const columns = await packColumns(
    engine,
    groups.reduce((sum, { rows }) => sum + rows, 0),
  )
  for (const [index, { partition, names, rows }] of groups.entries()) {
    const temporary = join(folder, `${table.name}-${index}.parquet`)
    const options = parquetOptions(fileFacts(table.name, rows, facts), groupRows)
    const ranges = await sortedRanges(engine, names, rows, sortedGroups * groupRows)
    const sorted = (range: SortedRange) => `SELECT ${columns.map(({ unpacked }) => unpacked).join(', ')} FROM (
        SELECT ${columns.flatMap(({ packed }) => packed ?? []).join(', ')}
        FROM ${rowsOf(range, groups.length === 1 && ranges.length === 1)}
        ORDER BY instrument_name, exchange_ts, seq, conn, row_no, recv_ts
      )`
    const written = await writeRanges(engine, ranges.map(sorted), temporary, options, groupRows)
    if (written !== rows) throw new RangeError(`${temporary}: ${written} rows instead of ${rows}`)
    parts.push({ temporary, table: table.name, partition, rows })
  }
  return parts
}

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

/** What every file says about itself. */
export function fileFacts(table: string, rows: number, facts: Record<string, string>): Record<string, string> {
  return { edgetape: version, schema_version: String(SCHEMA_VERSION), table, rows: String(rows), ...facts }
}

/** How every file is written. */
export const parquetOptions = (metadata: Record<string, string>, groupRows: number) =>
  `(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${groupRows}, KV_METADATA ${kvMetadata(metadata)})`

const kvMetadata = (pairs: Record<string, string>) =>
  `{${Object.entries(pairs)
    .map(([key, value]) => `${sqlText(key)}: ${sqlText(value)}`)
    .join(', ')}}`

async function oneGroup(engine: Engine): Promise<Group[]> {
  const [[count] = []] = await engine.rows('SELECT count(*) FROM staged WHERE row_no > 0')
  return countOf(count) === 0 ? [] : [{ partition: noPartition, names: [], rows: countOf(count) }]
}

async function nameCounts(engine: Engine): Promise<NameCount[]> {
  await engine.run(`CREATE OR REPLACE TABLE names AS
    SELECT row_number() OVER (ORDER BY instrument_name) AS rank, instrument_name, count(*) AS row_count
    FROM staged WHERE row_no > 0 GROUP BY instrument_name`)
  const rows = await engine.rows('SELECT rank, instrument_name, row_count FROM names ORDER BY rank')
  return rows.map(([rank, name, count]) => ({ rank: countOf(rank), name: String(name), rows: countOf(count) }))
}

export interface Group {
  partition: Partition
  /** What it holds, in order; none where rows are not told apart by instrument. */
  names: NameCount[]
  rows: number
}

function groupByPartition(partitionOf: (name: string) => Partition, names: NameCount[]): Group[] {
  const groups = new Map<string, Group>()
  for (const counted of names) {
    const { name, rows } = counted
    const partition = partitionOf(name)
    const key = `${partition.kind}/${partition.currency}`
    const group = groups.get(key) ?? { partition, names: [], rows: 0 }
    group.names.push(counted)
    group.rows += rows
    groups.set(key, group)
  }
  return [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group)
}
