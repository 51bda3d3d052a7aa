import type { DiskUse, Space } from './disk-use.js'
import { least } from '../../platform/extremes.js'

export interface DiskSeen extends Space {
  rawBytes: number
  parquetBytes: number
  growthBytesPerDay: number | undefined
  /** Until it is full if nothing were deleted any more. */
  daysLeft: number | undefined
}

export function diskOf(use: DiskUse, space: Space): DiskSeen {
  const growth = growthPerDay(use)
  return {
    ...space,
    rawBytes: use.raw.bytes,
    parquetBytes: use.parquet.bytes,
    growthBytesPerDay: growth,
    daysLeft: growth === undefined || growth === 0 ? undefined : space.freeBytes / growth,
  }
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Raw files may be deleted before their Parquet. */
const PARQUET_PER_RAW_MAX = 3
/** A shorter run says nothing about a day. */
const MIN_RUN_MS = 60_000

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
  const ranMs = atMs - Math.max(use.firstMs, least(recent.map(([hourMs]) => hourMs)))
  if (recent.length === 0 || ranMs < MIN_RUN_MS) return undefined
  return ((recent.reduce((sum, [, bytes]) => sum + bytes, 0) * DAY_MS) / ranMs) * withParquet
}
