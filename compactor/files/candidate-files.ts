import { join } from 'node:path'
import { segmentDate, type SegmentName } from '../../formats/raw-path.js'
import { segmentEndMs, segmentHourMs } from '../../formats/segment-span.js'
import { hourlyName, parquetFolder, timeOfParquet } from '../../formats/parquet-path.js'
import { parquetFilesIn, parquetFolders } from '../../formats/parquet-tree.js'
import type { Partition } from '../../formats/partition.js'
import { identityOf, type Table } from '../../exchanges/table.js'
import { dateOf } from '../../platform/utc-date.js'

const HOUR_MS = 3_600_000
const LAST_DATE = '9999-12-31'

/** A Parquet file that may hold copies of a segment's rows. */
export interface CandidateFile {
  /** Full path. */
  path: string
  /** Starts the name of a connection: host and, where one is known, run. */
  origin: string
}

/**
 * Files that are already there for the table and partitions of a segment and lie near it in time: rows in them have
 * been written, whoever made them. The segment's own files are left out.
 * @param rootsOf the folders that have `parquet/` with a date's files
 * @param oldestMs when the first of its rows was made, at the exchange: copies that were asked for later reach far back
 */
export function findCandidateFiles(
  rootsOf: (date: string) => readonly string[],
  segment: SegmentName,
  table: Table,
  partitions: readonly Partition[],
  oldestMs: number,
): CandidateFile[] {
  const identity = identityOf(table)
  if (!identity) return []
  const found: CandidateFile[] = []
  const { exchange } = segment
  for (const partition of partitions) {
    const dates = identity.reach === 'days' ? datesSince(rootsOf, segment, table, partition, oldestMs) : around(segment)
    for (const date of dates) {
      const folder = { path: parquetFolder(exchange, table.name, partition, date), exchange, table: table.name, date }
      for (const root of rootsOf(date)) {
        for (const { path, file, name } of parquetFilesIn(root, { ...folder, ...partition })) {
          if (file === hourlyName(segment) && date === segmentDate(segment)) continue
          if (identity.reach === 'near' && !isNear(timeOfParquet(name, date), segment)) continue
          found.push({ path: join(root, path), origin: originOf(name.host, name.run) })
        }
      }
    }
  }
  return found
}

const around = (segment: SegmentName) =>
  new Set(
    [segment.startedMs - HOUR_MS, segment.startedMs, segment.startedMs + HOUR_MS, segmentEndMs(segment)].map(dateOf),
  )

/**
 * The dates that have files, from the day on at which the first row was made: its first copy came at that time, and one
 * that was asked for came at any time since, whichever of them is converted first.
 */
function datesSince(
  rootsOf: (date: string) => readonly string[],
  segment: SegmentName,
  table: Table,
  { kind, currency }: Partition,
  oldestMs: number,
): Set<string> {
  const dates = around(segment)
  const first = dateOf(Math.max(0, Math.min(oldestMs, segment.startedMs) - HOUR_MS))
  const query = { exchange: segment.exchange, table: table.name, kind, currency, dates: { first, last: LAST_DATE } }
  for (const root of rootsOf(LAST_DATE)) for (const { date } of parquetFolders(root, query)) dates.add(date)
  return dates
}

/** Distinguishes a connection from those of the same name in other runs. */
export const originOf = (host: string, run: string | undefined) => `${host}/${run ?? ''}/`

/** What was on its way when an hour or a date ended may be in a file of the next: those that touch overlap. */
function isNear({ fromMs, toMs }: { fromMs: number; toMs: number }, own: SegmentName): boolean {
  return fromMs <= segmentEndMs(own) && toMs >= segmentHourMs(own)
}
