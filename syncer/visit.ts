import type { Logger } from '../platform/log.js'
import type { Clock } from '../platform/clock.js'
import type { EdgeError } from '../platform/edge-error.js'
import type { DateLedger, FileRecord } from '../formats/ledger.js'
import type { LocalDate } from './local-tree.js'
import type { PreparedFiles } from './prepared-files.js'
import { planDate, type DatePlan } from './plan.js'
import type { Receipts } from './receipts.js'
import type { Replaced } from '../formats/replacement.js'
import type { PassReport } from './report.js'
import type { Target, Work } from './targets/target.js'
import { hoursOf, type HoursOfDate } from './verified-through.js'

/** What bounds a pass. */
export interface PassLimits {
  /** A pass over a long backlog ends after so long, so that the next one can begin with what is new, ms. */
  passMs: number
  /** What is held in memory and travels at once: few enough that what is new meanwhile does not wait long behind it. */
  batch: { files: number; bytes: number }
}

export const PASS_LIMITS: PassLimits = { passMs: 60_000, batch: { files: 2000, bytes: 256 * 1024 ** 2 } }

/** What all steps of one pass have in common. */
export interface PassWork {
  dataDir: string
  target: Target
  clock: Clock
  graceMs: number
  signal: AbortSignal
  log: Logger
  prepared: PreparedFiles
  report: PassReport
  /** Outside of `sync.window` nothing is handed over. */
  mayShip: boolean
  /** What travels at once. */
  batch: PassLimits['batch']
  /** From then on no more is begun, so that the next pass can look for what is new; ms since the epoch. */
  endsMs: number
  onFile: (bytes: number) => void
}

/** One date in the hands of a pass. */
export interface Visit {
  date: string
  local: LocalDate
  /** When `local` was read, by the clock of the file system; ms since the epoch. */
  readAtMs: number
  ledger: DateLedger
  /** Called when a Parquet file has to be proven. */
  receipts: () => Receipts
  /** What the compactor replaced. */
  superseded: Replaced
  /** The compactor is at it right now: Parquet waits for the next pass. */
  isSwitching: boolean
  /** As of now; undefined once the files or the ledger have changed. */
  plan: DatePlan | undefined
}

/** What is left to do for a date, and how much lies here. */
export interface DateSummary {
  backlogFiles: number
  backlogBytes: number
  unverifiedFiles: number
  oldestUnverifiedMs: number | undefined
  hours: HoursOfDate
  bytes: number
}

/** The plan for the files as they were listed and the ledger as it is. */
export function planNow(visit: Visit, work: PassWork): DatePlan {
  return (visit.plan ??= planDate(visit.local.files, path => visit.ledger.get(path), work.clock.nowMs(), graceOf(work)))
}

/** A target that cannot sync to disk is given twice the time. */
export function graceOf({ graceMs, target }: Pick<PassWork, 'graceMs' | 'target'>): number {
  return target.syncsToDisk ? graceMs : 2 * graceMs
}

/** Writes down, durably, what became of files of one or several dates. */
export function recordAll(changes: readonly { visit: Visit; record: FileRecord }[]): void {
  const byVisit = new Map<Visit, FileRecord[]>()
  for (const { visit, record } of changes) {
    const records = byVisit.get(visit) ?? []
    records.push(record)
    byVisit.set(visit, records)
  }
  for (const [visit, records] of byVisit) {
    visit.ledger.append(records)
    visit.plan = undefined
  }
}

export function summaryOf(visit: Visit, work: PassWork): DateSummary {
  const { ship, verify, waiting } = planNow(visit, work)
  const unverified = [...verify, ...waiting]
  const times = [...ship.map(({ file }) => file.mtimeMs), ...unverified.map(({ mtimeMs }) => mtimeMs)]
  return {
    backlogFiles: ship.length,
    backlogBytes: ship.reduce((sum, { file }) => sum + file.bytes, 0),
    unverifiedFiles: unverified.length,
    oldestUnverifiedMs: times.length === 0 ? undefined : times.reduce((oldest, time) => Math.min(oldest, time)),
    hours: hoursOf(visit.local.files, path => visit.ledger.get(path)),
    bytes: visit.local.bytes,
  }
}

/** What a target is given to work with. */
export function targetWork({ dataDir, signal, onFile }: PassWork): Work {
  return { dataDir, signal, onFile }
}

/** True where nothing more may be begun: asked to stop, or the target has failed. */
export function isStopped({ signal, report }: PassWork): boolean {
  return signal.aborted || report.error !== undefined
}

/** True where the pass has taken its time. */
export function isOver({ clock, endsMs }: PassWork): boolean {
  return clock.nowMs() >= endsMs
}

/** What failed only because we were asked to stop is no failure of the target. */
export function failWith({ report, signal }: PassWork, error: EdgeError | undefined): void {
  if (error && !signal.aborted) report.error = error
}
