import { dirname } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { Config } from '../config/schema.js'
import type { Clock } from '../platform/clock.js'
import { EdgeError, messageOf } from '../platform/edge-error.js'
import type { Logger } from '../platform/log.js'
import { compare, handOver, handOverInPlace, type Parcel } from './hand-over.js'
import type { DateLedger } from '../formats/ledger.js'
import type { LedgerStore } from './ledger-store.js'
import { listDates, readDate, type LocalDate, type LocalFile } from './local-tree.js'
import { PreparedFiles } from './prepared-files.js'
import { isCurrent } from './plan.js'
import { readReceipts, type Receipts } from './receipts.js'
import { addProblem, emptyReport, type PassReport } from './report.js'
import { dueOf } from './retention.js'
import { retireProven, type DueDate } from './proven-retirement.js'
import { finishedFolders, removeEmptyFolders } from './retire.js'
import type { TargetPlace } from './place/target-place.js'
import { sortParcels } from './replacements.js'
import { isStillSettled, settle } from './settled.js'
import { neededBytes } from './space.js'
import { isSwitching, readReplaced } from '../formats/replacement.js'
import { noticePath, writeNotice } from '../formats/superseded-files.js'
import { verifiedThrough } from './verified-through.js'
import {
  failWith,
  graceOf,
  isOver,
  isStopped,
  planNow,
  summaryOf,
  type DateSummary,
  type PassLimits,
  type PassWork,
  type Visit,
} from './visit.js'
import { isOpen, parseWindow } from './window.js'
import type { Target } from './targets/target.js'

/** What a syncer is made of; everything that touches time or the target is passed in. */
export interface Syncer {
  /** Real path. */
  dataDir: string
  config: Pick<Config, 'sync' | 'retention'>
  /** Of the recorder here, as in the names of its files. */
  recorder: string
  target: Target
  place: TargetPlace
  ledgers: LedgerStore
  clock: Clock
  log: Logger
  signal: AbortSignal
  limits: PassLimits
  /** Called now and then while a pass is at work. */
  onProgress: (report: PassReport) => void
  memory: PassMemory
}

/** What one pass leaves for the next. All of it can be found out again. */
export interface PassMemory {
  /** By date: what is still to be done, and the bytes here. */
  dates: Map<string, DateSummary>
  prepared: PreparedFiles
  lastFullMs: number | undefined
  /** An error of the target that needs time or a person: until then passes leave it alone. */
  barred: { error: EdgeError; untilMs: number } | undefined
}

/** How often a pass looks at all dates, not only at the newest and those with something left to do. */
const HOUR_MS = 3_600_000
const FULL_EVERY_MS = HOUR_MS
/** The same while the disk is short of space. */
const FULL_UNDER_PRESSURE_MS = 60_000
const NEWEST_DATES = 2
/** Files of hours that ended no longer ago than this are new, and go before any backlog. */
const NEW_MS = 2 * HOUR_MS
/** Dates are taken together, for one rsync, until there are so many files to do. */
const GROUP_FILES = 4000
/** What is due for deletion is compared and deleted together, until there are so many files of it. */
const DUE_FILES = 20_000

export function emptyMemory(): PassMemory {
  return { dates: new Map(), prepared: new PreparedFiles(), lastFullMs: undefined, barred: undefined }
}

/** One pass over what is here: first what is new, so that it does not wait behind a backlog, then all from the oldest on. */
export async function runPass(syncer: Syncer): Promise<PassReport> {
  const startedMs = performance.now()
  const report = emptyReport(syncer.target.label)
  await meetTarget(syncer, report)
  const folders = listDates(syncer.dataDir)
  for (const date of syncer.memory.dates.keys()) if (!folders.has(date)) syncer.memory.dates.delete(date)
  const isFull = isFullDue(syncer)
  if (isFull) beginFull(syncer, new Set(folders.keys()))
  const dates = isFull ? [...folders.keys()] : datesToVisit(syncer, [...folders.keys()])
  await new Pass(syncer, report, folders, isFull).run(dates)
  const summaries = [...syncer.memory.dates.values()]
  for (const summary of summaries) addSummary(report, summary)
  report.verifiedThroughMs = verifiedThrough(summaries.map(({ hours }) => hours))
  report.durationMs = Math.round(performance.now() - startedMs)
  return report
}

/** The dates of one pass, taken up, worked on and put away again. Retention goes strictly from the oldest on. */
class Pass {
  readonly #syncer: Syncer
  readonly #work: PassWork
  readonly #folders: ReadonlyMap<string, readonly string[]>
  readonly #isFull: boolean
  /** New files that had their turn in this pass. */
  readonly #tried = new Set<string>()
  readonly #opened = new Map<string, Visit>()
  readonly #due: (DueDate & { visit: Visit })[] = []

  constructor(syncer: Syncer, report: PassReport, folders: ReadonlyMap<string, readonly string[]>, isFull: boolean) {
    this.#syncer = syncer
    this.#work = workOf(syncer, report)
    this.#folders = folders
    this.#isFull = isFull
  }

  /** @param dates oldest first */
  async run(dates: readonly string[]): Promise<void> {
    await this.#shipNew(dates.slice(-NEWEST_DATES))
    let group: Visit[] = []
    let isFirst = true
    for (const date of dates) {
      const mayWork = !isStopped(this.#work) && (isFirst || !isOver(this.#work))
      const visit = await this.#open(date, mayWork)
      if (visit) group.push(visit)
      if (this.#pendingFiles(group) < GROUP_FILES && date !== dates.at(-1)) continue
      if (mayWork) await this.#workOn(group)
      isFirst = false
      for (const done of group) this.#close(done)
      group = []
      if (this.#due.reduce((sum, { files }) => sum + files.length, 0) > DUE_FILES) await this.#retire()
    }
    await this.#retire()
    this.#work.report.cutShort = isOver(this.#work)
  }

  async #shipNew(newest: readonly string[]): Promise<void> {
    const visits: Visit[] = []
    for (const date of newest) {
      const visit = await this.#open(date, !isStopped(this.#work))
      if (visit) visits.push(visit)
    }
    const fromMs = this.#work.clock.nowMs() - NEW_MS
    const tried = await this.#ship(visits, ({ hourEndMs }) => hourEndMs >= fromMs)
    for (const { file } of tried) this.#tried.add(file.path)
  }

  async #workOn(visits: readonly Visit[]): Promise<void> {
    await this.#verify(visits)
    await this.#ship(visits, ({ path }) => !this.#tried.has(path))
    if (graceOf(this.#work) === 0) await this.#verify(visits)
  }

  async #ship(visits: readonly Visit[], isWanted: (file: LocalFile) => boolean): Promise<Parcel[]> {
    const planned = () =>
      visits.flatMap(visit =>
        planNow(visit, this.#work).ship.flatMap(parcel =>
          isWanted(parcel.file) && !(visit.isSwitching && parcel.file.kind === 'parquet') ? [{ ...parcel, visit }] : [],
        ),
      )
    if (!this.#work.mayShip || planned().length === 0 || !(await this.#prepare(visits)) || !(await this.#advance()))
      return []
    const parcels = planned()
    const { plain, replacing } = sortParcels(parcels)
    await handOver(this.#work, plain)
    for (const { parcels: together, gone } of replacing) {
      if (isStopped(this.#work)) break
      if (this.#work.target.replace) await handOverInPlace(this.#work, together, gone)
    }
    if (!this.#work.target.replace) await this.#shipAfterNotice(replacing.flatMap(({ parcels: held }) => held))
    return parcels
  }

  /** Where nothing is deleted, readers must know what to leave out before they find what replaces it. */
  async #shipAfterNotice(held: readonly Parcel[]): Promise<void> {
    const isTold = ({ visit: { date, ledger, local } }: Parcel) => {
      const path = noticePath(date, this.#syncer.recorder)
      const notice = local.files.find(file => file.path === path)
      const record = ledger.get(path)
      return notice && isCurrent(notice, record) && (record.state === 'shipped' || record.state === 'verified')
    }
    await handOver(this.#work, held.filter(isTold))
  }

  async #verify(visits: readonly Visit[]): Promise<void> {
    const due = () => visits.flatMap(visit => planNow(visit, this.#work).verify.map(record => ({ visit, record })))
    if (due().length === 0 || !(await this.#prepare(visits))) return
    await compare(this.#work, due())
  }

  async #advance(): Promise<boolean> {
    try {
      await this.#syncer.place.advance(this.#work.signal)
      return true
    } catch (error) {
      if (!(error instanceof EdgeError)) throw error
      failWith(this.#work, error)
      return false
    }
  }

  /** Afterwards it is known what the target can do, on which the grace period and so the plans depend. */
  async #prepare(visits: readonly Visit[]): Promise<boolean> {
    if (isStopped(this.#work)) return false
    try {
      await this.#work.target.prepare()
    } catch (error) {
      if (!(error instanceof EdgeError)) throw error
      this.#work.report.error = error
      return false
    }
    for (const visit of visits) visit.plan = undefined
    return true
  }

  #pendingFiles(visits: readonly Visit[]): number {
    return visits.reduce((sum, visit) => {
      const { ship, verify } = planNow(visit, this.#work)
      return sum + ship.length + verify.length
    }, 0)
  }

  /** Undefined for a date of which nothing is to be done or to be found out. */
  async #open(date: string, mayWork: boolean): Promise<Visit | undefined> {
    const opened = this.#opened.get(date)
    if (opened) return opened
    await setImmediate()
    const { memory, ledgers } = this.#syncer
    // With the target away there is nothing to do for a date that was counted before; a full pass counts it again.
    if (!mayWork && !this.#isFull && memory.dates.has(date)) return undefined
    const folders = this.#folders.get(date) ?? []
    if (isSettled(this.#syncer, date, folders)) return undefined
    const visit = openVisit(this.#syncer, date, folders, ledgers.of(date))
    if (visit.local.files.length === 0 && visit.ledger.size > 0) visit.ledger.remove()
    this.#opened.set(date, visit)
    return visit
  }

  #close(visit: Visit): void {
    const { memory, ledgers, dataDir } = this.#syncer
    const { date, ledger, local } = visit
    this.#opened.delete(date)
    for (const file of planNow(visit, this.#work).unproven) {
      addProblem(this.#work.report, {
        path: file.path,
        reason: 'a sealed segment without its manifest; it stays here',
      })
    }
    ledgers.keep(date, ledger)
    const summary = summaryOf(visit, this.#work)
    memory.dates.set(date, summary)
    const isDone = local.files.length > 0 && summary.backlogFiles + summary.unverifiedFiles === 0
    ledgers.settle(date, isDone ? settle(dataDir, local, visit.readAtMs) : undefined)
    const due = isStopped(this.#work) ? undefined : dueDate(this.#syncer, visit, this.#due)
    if (due) this.#due.push(due)
    else removeFinishedFolders(this.#syncer, visit)
  }

  /** Deletes here what may go, once the target has shown again that it has it. */
  async #retire(): Promise<void> {
    const due = this.#due.splice(0)
    if (due.length === 0 || isStopped(this.#work)) return
    const { report, log, signal, clock } = this.#work
    const { dataDir, target, place, ledgers, memory } = this.#syncer
    const context = { dataDir, target, place, identity: ledgers.identity, signal, nowMs: () => clock.nowMs() }
    const { retired, bad, problems, error } = await retireProven(context, due)
    for (const { path, state } of bad) {
      report[state === 'wrong' ? 'wrongFiles' : 'missingFiles']++
      log.error({ path, state }, 'verified once, and no longer right at the target; it stays here and is shipped anew')
    }
    for (const problem of problems) addProblem(report, problem)
    failWith(this.#work, error)
    for (const date of due) {
      const { visit } = date
      const { files = 0, bytes = 0, problems: here = [] } = retired.get(date) ?? {}
      report.retiredFiles += files
      report.retiredBytes += bytes
      for (const problem of here) addProblem(report, problem)
      visit.plan = undefined
      if (files > 0) visit.local = readDate(dataDir, visit.local.tops)
      if (date.files.some(({ path }) => visit.ledger.get(path)?.state !== 'verified'))
        ledgers.settle(visit.date, undefined)
      memory.dates.set(visit.date, summaryOf(visit, this.#work))
      removeFinishedFolders(this.#syncer, visit)
    }
  }
}

function openVisit(
  { dataDir, target, recorder }: Syncer,
  date: string,
  folders: readonly string[],
  ledger: DateLedger,
): Visit {
  const readAtMs = Date.now()
  let local = readDate(dataDir, folders)
  // In this order: what is listed and is not being replaced now, `superseded` tells about.
  const switching = isSwitching(dataDir)
  const superseded = readReplaced(dataDir, date)
  const present = new Set(local.files.map(({ path }) => path))
  if (!target.replace && !switching && [...superseded.values()].some(by => by.some(path => present.has(path)))) {
    const notice = noticePath(date, recorder)
    if (writeNotice(dataDir, notice, superseded)) local = readDate(dataDir, [...new Set([...folders, dirname(notice)])])
  }
  let receipts: Receipts | undefined
  return {
    ...{ date, readAtMs, local, ledger, superseded, isSwitching: switching, plan: undefined },
    receipts: () => (receipts ??= readReceipts(dataDir, date)),
  }
}

async function meetTarget({ place, ledgers, memory, clock, signal }: Syncer, report: PassReport): Promise<void> {
  if (memory.barred && clock.nowMs() < memory.barred.untilMs) {
    report.error = memory.barred.error
    report.tried = false
    return
  }
  try {
    ledgers.meet(await place.prove(signal))
  } catch (error) {
    if (signal.aborted) return
    if (error instanceof EdgeError && error.code === 'SYNC_TARGET_NOT_ELSEWHERE') throw error
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
  memory.prepared.clear()
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

function workOf(syncer: Syncer, report: PassReport): PassWork {
  const { dataDir, target, clock, signal, log, memory, config, limits } = syncer
  return {
    ...{ dataDir, target, clock, signal, log, report, prepared: memory.prepared },
    graceMs: config.sync.graceMinutes * 60_000,
    mayShip: isOpen(parseWindow(config.sync.window), clock.nowMs()),
    batch: limits.batch,
    endsMs: clock.nowMs() + limits.passMs,
    onFile: bytes => {
      report.handledFiles++
      report.handledBytes += bytes
      syncer.onProgress(report)
    },
  }
}

/** What may go of one date, if anything is old enough or needed beyond what is `due` already. */
function dueDate(syncer: Syncer, visit: Visit, due: readonly DueDate[]): (DueDate & { visit: Visit }) | undefined {
  const { clock, config } = syncer
  const nowMs = clock.nowMs()
  const keepMs = config.retention.keepHours * HOUR_MS
  const dueBytes = due.reduce((sum, { files }) => sum + files.reduce((bytes, file) => bytes + file.bytes, 0), 0)
  const needBytes = Math.max(0, spaceNeeded(syncer) - dueBytes)
  const { local, ledger } = visit
  if (needBytes === 0 && !local.files.some(file => file.hourEndMs + keepMs <= nowMs)) return undefined
  const question = { files: local.files, recordOf: (path: string) => ledger.get(path), nowMs, keepMs, needBytes }
  const { answer, again } = dueOf({ ...question, receipts: visit.receipts() })
  return answer.retire.length === 0 ? undefined : { visit, ledger, files: answer.retire, plan: again }
}

function removeFinishedFolders({ dataDir, clock }: Syncer, { local, date }: Visit): void {
  const hasRaw = local.files.some(file => file.kind === 'segment') || hasOpenRaw(local)
  removeEmptyFolders(dataDir, finishedFolders(local.bareFolders, date, clock.nowMs(), hasRaw))
}

/** More bytes in the raw folders than our files explain: open segments, which will be sealed and converted. */
function hasOpenRaw({ bytes, files }: LocalDate): boolean {
  return bytes > files.reduce((sum, file) => sum + file.bytes, 0)
}

function spaceNeeded({ dataDir, config, memory }: Syncer): number {
  const heldBytes = [...memory.dates.values()].reduce((sum, { bytes }) => sum + bytes, 0)
  return neededBytes(dataDir, config.retention, heldBytes)
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
