import { existsSync, readdirSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { hasErrno } from '../../platform/edge-error.js'
import { parseSegmentPath } from '../../formats/raw-path.js'
import { parseRecorderName } from '../../formats/recorder-name.js'
import type { OpenCount } from '../../formats/left-open.js'

export interface FileCount {
  files: number
  bytes: number
}

/** Files of dataDir, as they lie there now. */
export interface DiskUse {
  /** When they were looked at, ms since the epoch. */
  atMs: number
  raw: FileCount
  /** Of those, the segments that are being written. */
  open: FileCount
  /** Those by recorder. */
  openBy: readonly OpenCount[]
  parquet: FileCount
  quarantine: FileCount
  /** Raw files by the hour (UTC, ms since the epoch) of their receive time. */
  rawByHour: ReadonlyMap<number, number>
  /** When the oldest raw segment was begun, ms since the epoch. */
  firstMs: number
}

/** What the file system of dataDir holds; undefined where dataDir is not there. */
export function spaceOf(dataDir: string): { freeBytes: number; sizeBytes: number } | undefined {
  if (!existsSync(dataDir)) return undefined
  const { bavail, bsize, blocks } = statfsSync(dataDir)
  return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize }
}

/** Looks at every file below dataDir: costs time with many of them. */
export function diskUseOf(dataDir: string, atMs: number): DiskUse {
  const open = { files: 0, bytes: 0 }
  const openBy = new Map<string, OpenCount>()
  const rawByHour = new Map<number, number>()
  let firstMs = Infinity
  const raw = sumOf(dataDir, 'raw', (path, bytes) => {
    const segment = parseSegmentPath(path)
    if (!segment) return
    if (segment.state === 'open') {
      open.files++
      open.bytes += bytes
      const { exchange } = segment.name
      const { host } = parseRecorderName(segment.name.host)
      const segments = openBy.get(`${exchange} ${host}`)?.segments ?? 0
      openBy.set(`${exchange} ${host}`, { exchange, host, segments: segments + 1 })
    }
    firstMs = Math.min(firstMs, segment.name.startedMs)
    const hourMs = segment.name.startedMs - (segment.name.startedMs % HOUR_MS)
    rawByHour.set(hourMs, (rawByHour.get(hourMs) ?? 0) + bytes)
  })
  const [parquet, quarantine] = [sumOf(dataDir, 'parquet'), sumOf(dataDir, 'quarantine')]
  return { atMs, raw, open, openBy: [...openBy.values()], parquet, quarantine, rawByHour, firstMs }
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/**
 * Bytes that a day adds to the disk, with nothing deleted: raw files of the last 24 whole hours that have any, and Parquet
 * in the proportion that it has to raw so far. Before there are two such hours, what the last day brought so far counts.
 */
export function growthPerDay(use: DiskUse): number | undefined {
  const { atMs } = use
  const whole = [...use.rawByHour].filter(([hourMs]) => hourMs + HOUR_MS <= atMs && hourMs >= atMs - 25 * HOUR_MS)
  const withParquet = use.raw.bytes === 0 ? 1 : 1 + Math.min(PARQUET_PER_RAW_MAX, use.parquet.bytes / use.raw.bytes)
  if (whole.length >= 2) {
    // The first may have begun in its middle.
    const counted = whole.sort(([a], [b]) => a - b).slice(1)
    const bytes = counted.reduce((sum, [, hourBytes]) => sum + hourBytes, 0)
    return (bytes / counted.length) * 24 * withParquet
  }
  const recent = [...use.rawByHour].filter(([hourMs]) => hourMs >= atMs - 25 * HOUR_MS)
  const ranMs = atMs - Math.max(use.firstMs, Math.min(...recent.map(([hourMs]) => hourMs)))
  if (recent.length === 0 || ranMs < MIN_RUN_MS) return undefined
  return ((recent.reduce((sum, [, bytes]) => sum + bytes, 0) * DAY_MS) / ranMs) * withParquet
}

/** Raw files may be deleted before their Parquet. */
const PARQUET_PER_RAW_MAX = 3
/** A shorter run says nothing about a day. */
const MIN_RUN_MS = 60_000

function sumOf(dataDir: string, folder: string, see?: (path: string, bytes: number) => void): FileCount {
  const sum = { files: 0, bytes: 0 }
  const walk = (below: string) => {
    for (const entry of entriesOf(join(dataDir, below))) {
      const path = `${below}/${entry.name}`
      if (entry.isDirectory()) walk(path)
      else {
        const bytes = statSync(join(dataDir, path), { throwIfNoEntry: false })?.size ?? 0
        sum.files++
        sum.bytes += bytes
        see?.(path, bytes)
      }
    }
  }
  walk(folder)
  return sum
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return []
    throw error
  }
}
