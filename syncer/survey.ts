import { setImmediate } from 'node:timers/promises'
import { isNear } from '../platform/clock.js'
import { linkProblem, listDates } from './local-tree.js'
import { isOver, isStopped, type PassWork, type Syncer } from './pass-work.js'
import { addProblem } from './report.js'
import { isStillSettled } from './settled.js'
import { spaceNeeded } from './space.js'
import { openDatePass, planNow, type DatePass } from './date-pass.js'

const HOUR_MS = 3_600_000
/** How often a pass looks at all dates, not only at the newest and those with something left to do. */
const FULL_EVERY_MS = HOUR_MS
/** The same while the disk is short of space. */
const FULL_UNDER_PRESSURE_MS = 60_000
const NEWEST_DATES = 2
/** Dates are taken together, for one rsync, until there are so many files to do. */
const GROUP_FILES = 4000

/** The dates that one pass looks at, taken up one after the other. */
export class Survey {
  readonly #work: PassWork
  readonly #folders: ReadonlyMap<string, readonly string[]>
  readonly #isFull: boolean
  /** Oldest first. */
  readonly #dates: readonly string[]
  readonly #opened = new Map<string, DatePass>()

  constructor(work: PassWork) {
    this.#work = work
    this.#folders = listDates(work.dataDir, path => addProblem(work.report, linkProblem(path)))
    const here = [...this.#folders.keys()]
    const { dates } = work.memory
    for (const date of dates.keys()) if (!this.#folders.has(date)) dates.delete(date)
    this.#isFull = isFullDue(work)
    if (this.#isFull) beginFull(work, new Set(here))
    this.#dates = this.#isFull ? here : datesToWalk(work, here)
  }

  /** The newest of them, where new files come. */
  async newest(): Promise<DatePass[]> {
    const datePasses: DatePass[] = []
    for (const date of this.#dates.slice(-NEWEST_DATES)) {
      const datePass = await this.#open(date, !isStopped(this.#work))
      if (datePass) datePasses.push(datePass)
    }
    return datePasses
  }

  /** All of them, the oldest first, together as many as one rsync takes. Where nothing may be begun, they are only counted. */
  async *groups(): AsyncGenerator<{ datePasses: readonly DatePass[]; mayWork: boolean }> {
    let datePasses: DatePass[] = []
    let isFirst = true
    for (const date of this.#dates) {
      const mayWork = !isStopped(this.#work) && (isFirst || !isOver(this.#work))
      const datePass = await this.#open(date, mayWork)
      if (datePass) datePasses.push(datePass)
      if (this.#pendingFiles(datePasses) < GROUP_FILES && date !== this.#dates.at(-1)) continue
      yield { datePasses, mayWork }
      for (const { date: done } of datePasses) this.#opened.delete(done)
      isFirst = false
      datePasses = []
    }
  }

  #pendingFiles(datePasses: readonly DatePass[]): number {
    return datePasses.reduce((sum, datePass) => {
      const { ship, verify } = planNow(datePass, this.#work)
      return sum + ship.length + verify.length
    }, 0)
  }

  /** Undefined for a date of which nothing is to be done or to be found out. */
  async #open(date: string, mayWork: boolean): Promise<DatePass | undefined> {
    const opened = this.#opened.get(date)
    if (opened) return opened
    await setImmediate()
    // With the target away there is nothing to do for a date that was counted before; a full pass counts it again.
    if (!mayWork && !this.#isFull && this.#work.memory.dates.has(date)) return undefined
    const folders = this.#folders.get(date) ?? []
    if (isSettled(this.#work, date, folders)) return undefined
    const datePass = openDatePass(this.#work, date, folders)
    this.#opened.set(date, datePass)
    return datePass
  }
}

function isFullDue(syncer: Syncer): boolean {
  const { memory, clock } = syncer
  const every = spaceNeeded(syncer) > 0 ? FULL_UNDER_PRESSURE_MS : FULL_EVERY_MS
  return memory.lastFullMs === undefined || !isNear(memory.lastFullMs, clock.nowMs(), every)
}

function beginFull({ memory, clock, ledgers }: Syncer, dates: ReadonlySet<string>): void {
  memory.lastFullMs = clock.nowMs()
  memory.prepared.clear()
  ledgers.forgetAllBut(dates)
}

/** Of a pass that is not a full one: the newest dates, those never looked at, and those with something left to do. */
function datesToWalk({ memory }: Syncer, dates: readonly string[]): string[] {
  return dates.filter((date, index) => {
    const summary = memory.dates.get(date)
    if (!summary || index >= dates.length - NEWEST_DATES) return true
    return summary.backlogFiles > 0 || summary.unverifiedFiles > 0
  })
}

/** True for a date with nothing to ship, to verify or to delete, as its folders show; its files are not looked at. */
function isSettled(syncer: Syncer, date: string, tops: readonly string[]): boolean {
  const { dataDir, ledgers, memory, clock, config } = syncer
  const firstHourEndMs = Date.parse(`${date}T01:00:00Z`)
  if (firstHourEndMs + config.retention.keepHours * HOUR_MS <= clock.nowMs() || spaceNeeded(syncer) > 0) return false
  const settled = ledgers.settled(date)
  if (!settled) return false
  if (!isStillSettled(dataDir, settled, tops)) return false
  memory.dates.set(date, {
    ...{ backlogFiles: 0, backlogBytes: 0, unverifiedFiles: 0, oldestUnverifiedMs: undefined },
    hours: { newestEndMs: settled.newestHourEndMs, firstOpenMs: undefined },
    bytes: settled.bytes,
  })
  return true
}
