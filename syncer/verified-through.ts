import type { FileRecord } from '../formats/ledger.js'
import type { LocalFile } from './local-tree.js'
import { isCurrent } from './plan.js'

/** Of the files of one date: the end of their newest hour, and of the first hour with one that is not verified. */
export interface HoursOfDate {
  newestEndMs: number | undefined
  firstOpenEndMs: number | undefined
}

const HOUR_MS = 3_600_000

/** Pure. */
export function hoursOf(files: readonly LocalFile[], recordOf: (path: string) => FileRecord | undefined): HoursOfDate {
  const hours: HoursOfDate = { newestEndMs: undefined, firstOpenEndMs: undefined }
  for (const file of files) {
    hours.newestEndMs = Math.max(hours.newestEndMs ?? 0, file.hourEndMs)
    const record = recordOf(file.path)
    if (isCurrent(file, record) && record.state === 'verified') continue
    hours.firstOpenEndMs = Math.min(hours.firstOpenEndMs ?? Infinity, file.hourEndMs)
  }
  return hours
}

/**
 * The moment through which everything here is verified at the target, ms since the epoch: the end of the last hour before
 * the first one with something left to do; undefined where there is nothing. Pure.
 */
export function verifiedThrough(dates: readonly HoursOfDate[]): number | undefined {
  let newestMs: number | undefined
  let openMs: number | undefined
  for (const { newestEndMs, firstOpenEndMs } of dates) {
    if (newestEndMs !== undefined) newestMs = Math.max(newestMs ?? 0, newestEndMs)
    if (firstOpenEndMs !== undefined) openMs = Math.min(openMs ?? Infinity, firstOpenEndMs)
  }
  return openMs === undefined ? newestMs : openMs - HOUR_MS
}
