import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parquetFilesIn, parquetFolders } from '../formats/parquet-tree.js'
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
  return [...parquetFolders(path, choice)].flatMap(folder => {
    const { exchange, table, kind = 'none', currency = 'none', date } = folder
    const files = parquetFilesIn(path, folder).flatMap(file => sizedFile(join(path, file.path)))
    return files.length === 0 ? [] : [{ exchange, table, kind, currency, date, files }]
  })
}

/** Nothing for one that was rolled up meanwhile. */
function sizedFile(path: string): Partition['files'] {
  const found = statSync(path, { throwIfNoEntry: false })
  return found ? [{ path, bytes: found.size }] : []
}
