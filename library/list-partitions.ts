import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { EdgeError } from '../platform/edge-error.js'

/** One day of one table, of instruments of one kind and currency. */
export interface Partition {
  exchange: string
  table: string
  kind: string
  currency: string
  /** `2026-11-22`, of the receive time, UTC. */
  date: string
  files: { path: string; bytes: number }[]
}

/** Which partitions; what is left out takes all. */
export type PartitionChoice = Partial<Omit<Partition, 'files'>>

const KEYS = ['exchange', 'table', 'kind', 'currency', 'date'] as const

/**
 * The Parquet partitions of a dataDir or a copy, by table, kind, currency and date.
 * @throws EdgeError NO_PARQUET
 */
export function listPartitions(path: string, choice: PartitionChoice = {}): Partition[] {
  const root = join(path, 'parquet')
  if (!existsSync(root)) {
    throw new EdgeError('NO_PARQUET', `no Parquet below ${path}`, {
      path,
      hint: 'edgetape compact --once makes it from sealed segments',
    })
  }
  return partitionsBelow(root, [], choice)
}

function partitionsBelow(folder: string, values: readonly string[], choice: PartitionChoice): Partition[] {
  const key = KEYS[values.length]
  if (key === undefined) return [{ ...partitionOf(values), files: filesOf(folder) }]
  return readdirSync(folder)
    .filter(name => name.startsWith(`${key}=`))
    .sort()
    .flatMap(name => {
      const value = name.slice(key.length + 1)
      if (choice[key] !== undefined && choice[key] !== value) return []
      return partitionsBelow(join(folder, name), [...values, value], choice)
    })
}

function partitionOf([exchange = '', table = '', kind = '', currency = '', date = '']: readonly string[]) {
  return { exchange, table, kind, currency, date }
}

function filesOf(folder: string): Partition['files'] {
  return readdirSync(folder)
    .filter(name => name.endsWith('.parquet'))
    .sort()
    .map(name => ({ path: join(folder, name), bytes: statSync(join(folder, name)).size }))
}
