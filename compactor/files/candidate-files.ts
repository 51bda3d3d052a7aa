import { join } from 'node:path'
import type { SegmentName } from '../../formats/raw-path.js'
import { parquetFolder } from '../../formats/parquet-path.js'
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
 * been tabled, whoever made them. The segment's own files are left out.
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
        for (const { path, name } of parquetFilesIn(root, { ...folder, ...partition })) {
          if (isOwn(name, date, segment)) continue
          if (identity.reach === 'near' && name.hour !== undefined && !isNear(name.hour, date, segment)) continue
          found.push({ path: join(root, path), origin: originOf(name.host, name.run) })
        }
      }
    }
  }
  return found
}

const around = ({ startedMs }: SegmentName) => new Set([-HOUR_MS, 0, HOUR_MS].map(ms => dateOf(startedMs + ms)))

/**
 * The dates that have files, from the day on at which the first row was made: its first copy came at that time, and one
 * that was asked for came at any time since, whichever of them is tabled first.
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

/** What tells a connection from those of the same name in other runs. */
export const originOf = (host: string, run: string | undefined) => `${host}/${run ?? ''}/`

function isOwn(name: { hour?: number; host: string; run?: string; number?: number }, date: string, own: SegmentName) {
  const isSame = name.run === own.run && name.number === own.number && name.host === own.host
  return isSame && dateOf(own.startedMs) === date && new Date(own.startedMs).getUTCHours() === name.hour
}

/** Segments are at most an hour long: a file of the hour before or after may overlap. */
function isNear(hour: number, date: string, own: SegmentName): boolean {
  const startsMs = Date.parse(`${date}T00:00:00Z`) + hour * HOUR_MS
  return Math.abs(startsMs - Math.floor(own.startedMs / HOUR_MS) * HOUR_MS) <= HOUR_MS
}
