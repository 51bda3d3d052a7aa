import { setImmediate } from 'node:timers/promises'
import type { Config } from '../config/schema.js'
import type { Clock } from '../platform/clock.js'
import { EdgeError, messageOf } from '../platform/edge-error.js'
import type { Logger } from '../platform/log.js'
import { planNow, visitDate, type Suspects, type Visit } from './date-visit.js'
import type { DateLedger } from './ledger.js'
import type { LedgerStore } from './ledger-store.js'
import { listDates, readDate, type LocalDate } from './local-tree.js'
import { readReceipts } from './receipts.js'
import { addProblem, emptyReport, type PassReport } from './report.js'
import { planRetention } from './retention.js'
import { finishedFolders, removeEmptyFolders, retire } from './retire.js'
import { isStillSettled, settle } from './settled.js'
import { neededBytes } from './space.js'
import { hoursOf, verifiedThrough, type HoursOfDate } from './verified-through.js'
import { isOpen, parseWindow } from './window.js'
import type { Target } from './targets/target.js'

/** What a syncer is made of; everything that touches time or the target is passed in. */
export interface Syncer {
  /** Real path. */
  dataDir: string
  config: Pick<Config, 'sync' | 'retention'>
  target: Target
  ledgers: LedgerStore
  clock: Clock
  log: Logger
  signal: AbortSignal
  /** Called now and then while a pass is at work. */
  onProgress: (report: PassReport) => void
  memory: PassMemory
}

/** What one pass leaves for the next. All of it can be found out again. */
export interface PassMemory {
  /** By date: what is still to be done, and the bytes here. */
  dates: Map<string, DateSummary>
  suspects: Suspects
  lastFullMs: number | undefined
  /** An error of the target that needs time or a person: until then passes leave it alone. */
  barred: { error: EdgeError; untilMs: number } | undefined
}

interface DateSummary {
  backlogFiles: number
  backlogBytes: number
  unverifiedFiles: number
  oldestUnverifiedMs: number | undefined
  hours: HoursOfDate
  bytes: number
}

/** How often a pass looks at all dates, not only at the newest and those with something left to do. */
const HOUR_MS = 3_600_000
const FULL_EVERY_MS = HOUR_MS
/** The same while the disk is short of space. */
const FULL_UNDER_PRESSURE_MS = 60_000
const NEWEST_DATES = 2

export function emptyMemory(): PassMemory {
  return { dates: new Map(), suspects: new Map(), lastFullMs: undefined, barred: undefined }
}

/**
 * One pass over what is here: the newest date first, so that what is new does not wait behind a long backlog, then the
 * others from the oldest on; retention strictly from the oldest on. When the target fails, the pass still counts what
 * waits and deletes what was verified before.
 */
export async function runPass(syncer: Syncer): Promise<PassReport> {
  const startedMs = performance.now()
  const report = emptyReport(syncer.target.label)
  await meetTarget(syncer, report)
  const folders = listDates(syncer.dataDir)
  for (const date of syncer.memory.dates.keys()) if (!folders.has(date)) syncer.memory.dates.delete(date)
  const isFull = isFullDue(syncer)
  if (isFull) beginFull(syncer, new Set(folders.keys()))
  const dates = isFull ? [...folders.keys()] : datesToVisit(syncer, [...folders.keys()])
  const newest = dates.at(-1)
  const visitOne = (date: string) => visitOneDate(syncer, date, folders.get(date) ?? [], isFull, report)

  const newestVisit = newest === undefined ? undefined : await visitOne(newest)
  for (const date of dates.slice(0, -1)) retireDate(syncer, date, await visitOne(date), report)
  if (newest !== undefined && newestVisit) retireDate(syncer, newest, newestVisit, report)

  const summaries = [...syncer.memory.dates.values()]
  for (const summary of summaries) addSummary(report, summary)
  report.verifiedThroughMs = verifiedThrough(summaries.map(({ hours }) => hours))
  report.durationMs = Math.round(performance.now() - startedMs)
  return report
}

async function meetTarget({ target, ledgers, memory, clock }: Syncer, report: PassReport): Promise<void> {
  if (memory.barred && clock.nowMs() < memory.barred.untilMs) {
    report.error = memory.barred.error
    report.tried = false
    return
  }
  try {
    ledgers.meet(await target.open(ledgers.identity))
  } catch (error) {
    report.error =
      error instanceof EdgeError
        ? error
        : new EdgeError('SYNC_TARGET_UNREACHABLE', messageOf(error), { retry: true, cause: error })
  }
}

function isFullDue(syncer: Syncer): boolean {
  const { memory, clock } = syncer
  const every = spaceNeeded(syncer) > 0 ? FULL_UNDER_PRESSURE_MS : FULL_EVERY_MS
  return memory.lastFullMs === undefined || Math.abs(clock.nowMs() - memory.lastFullMs) >= every
}

function beginFull({ memory, clock, ledgers }: Syncer, dates: ReadonlySet<string>): void {
  memory.lastFullMs = clock.nowMs()
  memory.suspects.clear()
  ledgers.forgetAllBut(dates)
}

/** Of a pass that is not a full one: the newest dates, those never looked at, and those with something left to do. */
function datesToVisit({ memory }: Syncer, dates: readonly string[]): string[] {
  return dates.filter((date, index) => {
    const summary = memory.dates.get(date)
    if (!summary || index >= dates.length - NEWEST_DATES) return true
    return summary.backlogFiles > 0 || summary.unverifiedFiles > 0
  })
}

async function visitOneDate(
  syncer: Syncer,
  date: string,
  folders: readonly string[],
  isFull: boolean,
  report: PassReport,
): Promise<Visit | undefined> {
  await setImmediate()
  const isIdle = syncer.signal.aborted || report.error !== undefined
  // With the target away there is nothing to do for a date that was counted before; a full pass counts it again.
  if (isIdle && !isFull && syncer.memory.dates.has(date)) return undefined
  if (isSettled(syncer, date, folders)) return undefined
  const readAtMs = Date.now()
  const local = readDate(syncer.dataDir, folders)
  const ledger = syncer.ledgers.of(date)
  const visit = visitOf(syncer, date, local, ledger, report)
  if (local.files.length === 0) {
    if (ledger.size > 0) ledger.remove()
  } else if (!isIdle) await visitDate(visit)
  syncer.ledgers.keep(date, ledger)
  const summary = summaryOf(visit)
  syncer.memory.dates.set(date, summary)
  const isDone = local.files.length > 0 && summary.backlogFiles + summary.unverifiedFiles === 0
  syncer.ledgers.settle(date, isDone ? settle(syncer.dataDir, local, readAtMs) : undefined)
  return visit
}

/** True for a date with nothing to ship, to verify or to delete, as its folders tell; its files are not looked at. */
function isSettled(syncer: Syncer, date: string, tops: readonly string[]): boolean {
  const { dataDir, ledgers, memory, clock, config } = syncer
  const firstHourEndMs = Date.parse(`${date}T01:00:00Z`)
  if (firstHourEndMs + config.retention.keepHours * HOUR_MS <= clock.nowMs() || spaceNeeded(syncer) > 0) return false
  const settled = ledgers.settled(date)
  if (!settled) return false
  if (!isStillSettled(dataDir, settled, tops)) return false
  memory.dates.set(date, {
    ...{ backlogFiles: 0, backlogBytes: 0, unverifiedFiles: 0, oldestUnverifiedMs: undefined },
    hours: { newestEndMs: settled.newestHourEndMs, firstOpenEndMs: undefined },
    bytes: settled.bytes,
  })
  return true
}

function visitOf(syncer: Syncer, date: string, local: LocalDate, ledger: DateLedger, report: PassReport): Visit {
  const { dataDir, target, clock, signal, log, memory, config } = syncer
  return {
    dataDir,
    local,
    ledger,
    receipts: () => readReceipts(dataDir, date),
    target,
    clock,
    graceMs: config.sync.graceMinutes * 60_000,
    signal,
    log,
    suspects: memory.suspects,
    report,
    plan: undefined,
    mayShip: isOpen(parseWindow(config.sync.window), clock.nowMs()),
    onFile: bytes => {
      report.handledFiles++
      report.handledBytes += bytes
      syncer.onProgress(report)
    },
  }
}

/** Deletes what may go of one date, if anything is old enough or needed. */
function retireDate(syncer: Syncer, date: string, visit: Visit | undefined, report: PassReport): void {
  if (!visit || syncer.signal.aborted) return
  const { dataDir, clock, config } = syncer
  const nowMs = clock.nowMs()
  const keepMs = config.retention.keepHours * HOUR_MS
  const needBytes = spaceNeeded(syncer)
  const { local, ledger } = visit
  const mayRetire = needBytes > 0 || local.files.some(file => file.hourEndMs + keepMs <= nowMs)
  if (mayRetire && local.files.length > 0) {
    const question = { files: local.files, recordOf: (path: string) => ledger.get(path), nowMs, keepMs, needBytes }
    const { retire: chosen } = planRetention({ ...question, receipts: visit.receipts() })
    const { files, bytes, problems } = retire(dataDir, chosen)
    report.retiredFiles += files
    report.retiredBytes += bytes
    for (const problem of problems) addProblem(report, problem)
    if (files > 0) {
      visit.local = readDate(dataDir, local.tops)
      visit.plan = undefined
      syncer.memory.dates.set(date, summaryOf(visit))
    }
  }
  const hasRaw = visit.local.files.some(file => file.kind === 'segment') || hasOpenRaw(visit.local)
  removeEmptyFolders(dataDir, finishedFolders(visit.local.bareFolders, date, nowMs, hasRaw))
}

/** More bytes in the raw folders than our files explain: open segments, which will be sealed and converted. */
function hasOpenRaw({ bytes, files }: LocalDate): boolean {
  return bytes > files.reduce((sum, file) => sum + file.bytes, 0)
}

function spaceNeeded({ dataDir, config, memory }: Syncer): number {
  const heldBytes = [...memory.dates.values()].reduce((sum, { bytes }) => sum + bytes, 0)
  return neededBytes(dataDir, config.retention, heldBytes)
}

function summaryOf(visit: Visit): DateSummary {
  const { ship, verify, waiting } = planNow(visit)
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

function addSummary(report: PassReport, summary: DateSummary): void {
  report.backlogFiles += summary.backlogFiles
  report.backlogBytes += summary.backlogBytes
  report.unverifiedFiles += summary.unverifiedFiles
  report.oldestUnverifiedMs = minOf(report.oldestUnverifiedMs, summary.oldestUnverifiedMs)
}

function minOf(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return Math.min(a, b)
}
