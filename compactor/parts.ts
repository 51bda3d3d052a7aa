import { join } from 'node:path'
import { version } from '../platform/package-info.js'
import { countOf, type Engine } from './engine.js'
import { sqlText } from './frame-items.js'
import { noPartition, partitionOfIndex, partitionOfInstrument, type Partition } from '../platform/partition.js'
import { packColumns } from './packed-columns.js'
import { rowGroupRows } from './row-group.js'
import { SCHEMA_VERSION, type Table } from './tables.js'

/** A Parquet file in the temporary folder. */
export interface Part {
  temporary: string
  table: string
  partition: Partition
  rows: number
}

/** The rows of `staged` by kind and currency; none where there are no rows. */
export async function groupStaged(engine: Engine, table: Table): Promise<Group[]> {
  return table.partitionBy === 'none' ? await oneGroup(engine) : groupByPartition(table, await nameCounts(engine))
}

/**
 * Writes the rows of `staged` to `folder`, one Parquet file per kind and currency, sorted. The order is total as far as
 * rows differ, so that the same rows give the same bytes.
 * @param groups of `staged` as it is now
 * @param facts what the files say about themselves, besides their rows
 */
export async function writeParts(
  engine: Engine,
  table: Table,
  groups: readonly Group[],
  facts: Record<string, string>,
  folder: string,
): Promise<Part[]> {
  const parts: Part[] = []
  if (groups.length === 0) return []
  const groupRows = await rowGroupRows(engine, 'staged')
  const columns = await packColumns(
    engine,
    groups.reduce((sum, { rows }) => sum + rows, 0),
  )
  for (const [index, { partition, ranks, rows }] of groups.entries()) {
    const temporary = join(folder, `${table.name}-${index}.parquet`)
    const metadata = fileFacts(table.name, rows, facts)
    const [[written] = []] = await engine.rows(`COPY (
        SELECT ${columns.map(({ unpacked }) => unpacked).join(', ')} FROM (
          SELECT ${columns.flatMap(({ packed }) => packed ?? []).join(', ')}
          FROM ${rowsOf(groups.length > 1 ? ranks : [])}
          ORDER BY instrument_name, exchange_ts, seq, conn, row_no, recv_ts
        )
      ) TO ${sqlText(temporary)} ${parquetOptions(metadata, groupRows)}`)
    if (countOf(written) !== rows) throw new RangeError(`${temporary}: ${countOf(written)} rows instead of ${rows}`)
    parts.push({ temporary, table: table.name, partition, rows })
  }
  return parts
}

/** @param ranks of the wanted names; none: all rows */
const rowsOf = (ranks: readonly number[]) =>
  ranks.length === 0
    ? 'staged WHERE row_no > 0'
    : `staged JOIN names USING (instrument_name) WHERE row_no > 0 AND rank IN (${ranks.join(', ')})`

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

interface NameCount {
  /** Place in the order of names, from 1: a number that SQL can hold where a name from the wire should not stand. */
  rank: number
  name: string
  rows: number
}

async function oneGroup(engine: Engine): Promise<Group[]> {
  const [[count] = []] = await engine.rows('SELECT count(*) FROM staged WHERE row_no > 0')
  return countOf(count) === 0 ? [] : [{ partition: noPartition, ranks: [], rows: countOf(count) }]
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
  ranks: number[]
  rows: number
}

function groupByPartition(table: Table, names: NameCount[]): Group[] {
  const groups = new Map<string, Group>()
  for (const { rank, name, rows } of names) {
    const partition = table.partitionBy === 'index' ? partitionOfIndex(name) : partitionOfInstrument(name)
    const key = `${partition.kind}/${partition.currency}`
    const group = groups.get(key) ?? { partition, ranks: [], rows: 0 }
    group.ranks.push(rank)
    group.rows += rows
    groups.set(key, group)
  }
  return [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group)
}
