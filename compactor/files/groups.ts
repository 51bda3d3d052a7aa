import type { Table } from '../../exchanges/table.js'
import { noPartition, type Partition } from '../../formats/partition.js'
import { countOf } from '../../platform/duckdb.js'
import type { Engine } from '../engine.js'
import type { NameCount } from './sorted-ranges.js'

/** Rows of `staged` that make one file. */
export interface Group {
  partition: Partition
  /** What it holds, in order; none where rows are not divided by instrument. */
  names: NameCount[]
  rows: number
}

/**
 * The rows of `staged` by kind and currency; none where there are no rows.
 * @param family of the segment that they are from
 */
export async function groupStaged(engine: Engine, table: Table, family: string): Promise<Group[]> {
  const { partitionOf } = table
  return partitionOf
    ? groupByPartition(name => partitionOf(name, family), await nameCounts(engine))
    : await oneGroup(engine)
}

async function oneGroup(engine: Engine): Promise<Group[]> {
  const [[count] = []] = await engine.rows('SELECT count(*) FROM staged WHERE row_no > 0')
  return countOf(count) === 0 ? [] : [{ partition: noPartition, names: [], rows: countOf(count) }]
}

async function nameCounts(engine: Engine): Promise<NameCount[]> {
  const rows = await engine.rows('SELECT instrument_name, count(*) FROM staged WHERE row_no > 0 GROUP BY 1 ORDER BY 1')
  return rows.map(([name, count], index) => ({ rank: index + 1, name: String(name), rows: countOf(count) }))
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
