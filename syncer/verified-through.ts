import type { FileRecord } from '../formats/ledger.js'
import type { LocalDate } from './local-tree.js'
import { isCurrent } from './plan.js'

/**
 * Of the files of one date: the end of the last hour in which any begins, and when the first hour begins of which something
 * is not verified, or not sealed yet.
 */
export interface HoursOfDate {
  newestEndMs: number | undefined
  firstOpenMs: number | undefined
}

const HOUR_MS = 3_600_000

/** Pure. */
export function hoursOf(
  { files, openFromMs }: Pick<LocalDate, 'files' | 'openFromMs'>,
  recordOf: (path: string) => FileRecord | undefined,
): HoursOfDate {
  const hours: HoursOfDate = { newestEndMs: undefined, firstOpenMs: openFromMs }
  for (const file of files) {
    hours.newestEndMs = Math.max(hours.newestEndMs ?? 0, file.hourMs + HOUR_MS)
    const record = recordOf(file.path)
    if (isCurrent(file, record) && record.state === 'verified') continue
    hours.firstOpenMs = Math.min(hours.firstOpenMs ?? Infinity, file.hourMs)
  }
  return hours
}

/**
 * The moment through which everything here is verified at the target, ms since the epoch: the begin of the first hour with
 * something left to do, or the end of the last; undefined where there is nothing. Pure.
 */
export function verifiedThrough(dates: readonly HoursOfDate[]): number | undefined {
  let newestMs: number | undefined
  let openMs = Infinity
  for (const { newestEndMs, firstOpenMs } of dates) {
    if (newestEndMs !== undefined) newestMs = Math.max(newestMs ?? 0, newestEndMs)
    if (firstOpenMs !== undefined) openMs = Math.min(openMs, firstOpenMs)
  }
  return newestMs && Math.min(openMs, newestMs)
}
