import { accessSync, constants, existsSync, lstatSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { hasErrno } from '../../platform/edge-error.js'
import { folderNames } from '../../platform/folder-entries.js'
import { dateOf } from '../../platform/utc-date.js'
import { parseSegmentPath } from '../../formats/raw-path.js'
import { parseRecorderName } from '../../formats/recorder-name.js'
import { readFinishedMarks, type FinishedMark } from '../../formats/finished-mark.js'
import type { OpenCount } from '../../formats/left-open.js'

interface FileCount {
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

/** What a file system has room for. */
export interface Space {
  freeBytes: number
  sizeBytes: number
  /** Nothing can be written there: it is mounted so, or the kernel made it so after an error. */
  isReadOnly: boolean
}

/** That of dataDir; undefined where dataDir is not there. */
export function spaceOf(dataDir: string): Space | undefined {
  if (!existsSync(dataDir)) return undefined
  const { bavail, bsize, blocks } = statfsSync(dataDir)
  return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize, isReadOnly: isReadOnly(dataDir) }
}

function isReadOnly(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    return false
  } catch (error) {
    if (hasErrno(error, 'EROFS')) return true
    // Another user's folder is not for whoever looks to write.
    if (hasErrno(error, 'EACCES', 'EPERM', 'ENOENT')) return false
    throw error
  }
}

const HOUR_MS = 3_600_000

/** Growth is measured over the last day: what is younger is looked at file by file. */
const LOOKED_AT_MS = 26 * HOUR_MS

/**
 * Looks at every file below dataDir, but for dates that the compactor has finished and summed up: there a file more or less
 * is seen once the compactor has seen it.
 */
export function diskUseOf(dataDir: string, atMs: number): DiskUse {
  const open = { files: 0, bytes: 0 }
  const openBy = new Map<string, OpenCount>()
  const rawByHour = new Map<number, number>()
  let firstMs = Infinity
  const marks = readFinishedMarks(dataDir) ?? new Map<string, FinishedMark>()
  const lastDate = dateOf(atMs - LOOKED_AT_MS - 24 * HOUR_MS)
  const finished = (tree: 'raw' | 'parquet') => {
    const known = new Map<string, FileCount>()
    for (const [date, { [tree]: sum }] of marks) if (sum && date <= lastDate) known.set(`${DATE}${date}`, sum)
    return known
  }
  const raw = sumOf(dataDir, 'raw', finished('raw'), (path, bytes) => {
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
  for (const name of raw.counted) firstMs = Math.min(firstMs, Date.parse(name.slice(DATE.length)))
  const { sum: parquet } = sumOf(dataDir, 'parquet', finished('parquet'))
  const { sum: quarantine } = sumOf(dataDir, 'quarantine', new Map())
  return { atMs, raw: raw.sum, open, openBy: [...openBy.values()], parquet, quarantine, rawByHour, firstMs }
}

const DATE = 'date='

/** @param known of folders of dates, by their names; those of them that are there are `counted` */
function sumOf(
  dataDir: string,
  folder: string,
  known: ReadonlyMap<string, FileCount>,
  see?: (path: string, bytes: number) => void,
): { sum: FileCount; counted: ReadonlySet<string> } {
  const sum = { files: 0, bytes: 0 }
  const counted = new Set<string>()
  const walk = (below: string) => {
    // Names alone: of years of dates that are known nothing else is asked.
    for (const name of folderNames(join(dataDir, below))) {
      const ofDate = known.get(name)
      if (ofDate) {
        if (counted.has(name)) continue
        counted.add(name)
        sum.files += ofDate.files
        sum.bytes += ofDate.bytes
        continue
      }
      const path = `${below}/${name}`
      const found = lstatSync(join(dataDir, path), { throwIfNoEntry: false })
      if (found?.isDirectory()) walk(path)
      else if (found) {
        sum.files++
        sum.bytes += found.size
        see?.(path, found.size)
      }
    }
  }
  walk(folder)
  return { sum, counted }
}
