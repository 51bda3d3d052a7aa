import { statfsSync } from 'node:fs'
import type { Config } from '../config/schema.js'
import type { Syncer } from './pass-work.js'

const GIB = 1024 ** 3

/** Bytes that must be freed to keep the promises about disk space; `heldBytes` is what lies under `dataDir`. */
export function neededBytes(dataDir: string, retention: Config['retention'], heldBytes: number): number {
  const { bavail, bsize } = statfsSync(dataDir)
  const forFree = retention.minFreeGiB * GIB - bavail * bsize
  const forData = retention.maxDataGiB > 0 ? heldBytes - retention.maxDataGiB * GIB : 0
  return Math.max(0, forFree, forData)
}

/** The same by what the passes counted so far. */
export function spaceNeeded({ dataDir, config, memory }: Syncer): number {
  const heldBytes = [...memory.dates.values()].reduce((sum, { bytes }) => sum + bytes, 0)
  return neededBytes(dataDir, config.retention, heldBytes)
}
