import type { LocalDate } from './local-tree.js'
import type { DateLedger } from '../formats/ledger.js'
import type { DatePlan } from './plan.js'
import type { PassReport } from './report.js'
import { hoursOf, verifiedThrough, type HoursOfDate } from './verified-through.js'

/** What is left to do for a date, and how much lies here. */
export interface DateSummary {
  backlogFiles: number
  backlogBytes: number
  unverifiedFiles: number
  oldestUnverifiedMs: number | undefined
  hours: HoursOfDate
  bytes: number
}

/** Pure. */
export function summaryOf(local: LocalDate, ledger: DateLedger, { ship, verify, waiting }: DatePlan): DateSummary {
  const unverified = [...verify, ...waiting]
  const times = [...ship.map(({ file }) => file.mtimeMs), ...unverified.map(({ mtimeMs }) => mtimeMs)]
  return {
    backlogFiles: ship.length,
    backlogBytes: ship.reduce((sum, { file }) => sum + file.bytes, 0),
    unverifiedFiles: unverified.length,
    oldestUnverifiedMs: oldestOf(times),
    hours: hoursOf(local, path => ledger.get(path)),
    bytes: local.bytes,
  }
}

/** Says in a report what is left to do of all dates. */
export function addSummaries(report: PassReport, summaries: readonly DateSummary[]): void {
  for (const { backlogFiles, backlogBytes, unverifiedFiles } of summaries) {
    report.backlogFiles += backlogFiles
    report.backlogBytes += backlogBytes
    report.unverifiedFiles += unverifiedFiles
  }
  report.oldestUnverifiedMs = oldestOf(
    summaries.flatMap(({ oldestUnverifiedMs: ms }) => (ms === undefined ? [] : [ms])),
  )
  report.verifiedThroughMs = verifiedThrough(summaries.map(({ hours }) => hours))
}

/** Of how many there may be: more than a call takes arguments. */
const oldestOf = (times: readonly number[]) =>
  times.length === 0 ? undefined : times.reduce((oldest, time) => Math.min(oldest, time))
