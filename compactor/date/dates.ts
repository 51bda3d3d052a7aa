import { basename, join } from 'node:path'
import type { Config } from '../../config/schema.js'
import { mayRollUp } from '../../config/target-address.js'
import { hourlyName } from '../../formats/parquet-path.js'
import { segmentDate } from '../../formats/raw-path.js'
import { messageOf } from '../../platform/edge-error.js'
import type { SealedSegment, SegmentFinder } from '../backlog.js'
import type { FinishedDates } from '../finished-dates.js'
import type { KnownReceipts } from '../known-receipts.js'
import type { CompactorProgress } from '../progress.js'
import type { Retries } from '../retries.js'
import type { JobOptions } from '../segment/job.js'
import { SCHEMA_VERSION } from '../tables.js'
import type { DayLists } from './day-lists.js'
import { convertedDates, dateFiles, isRollUpDue, rollUpDate } from './date-job.js'
import { rebuildDate } from './rebuild.js'
import { readReplaced } from './roll-up.js'

/** Which dates are converted again. */
export interface RebuildWish {
  /** `YYYY-MM-DD`; otherwise all. */
  date?: string
  /** Only those with tables of an earlier schema version. */
  outdated?: boolean
}

const DAY_MINUTES = 24 * 60
const LOOK_EVERY_MS = 600_000
/** Late segments come for a few dates at once. */
const REPLACED_DATES_MAX = 8

const rollingUp = (date: string) => `${date} rolled up`
const rebuilding = (date: string) => `${date} anew`

/** What is done to a date as a whole: its hours become one file in each partition, and all of it is made anew. */
export class Dates {
  readonly #compact: Config['compact']
  readonly #rollsUp: boolean
  readonly #job: JobOptions
  readonly #finder: SegmentFinder
  readonly #receipts: KnownReceipts
  readonly #finished: FinishedDates
  readonly #lists: DayLists
  readonly #retries: Retries
  readonly #progress: CompactorProgress
  readonly #nowMs: () => number
  /** Those that need no roll-up, as far as is known. */
  readonly #rolledUp = new Set<string>()
  #lookedAtMs = -Infinity
  /** By date: hourly files that are in files of the day; asked for segments without receipt. */
  readonly #replaced = new Map<string, Set<string>>()

  constructor(
    { compact, sync }: Config,
    job: JobOptions,
    known: {
      finder: SegmentFinder
      receipts: KnownReceipts
      finished: FinishedDates
      lists: DayLists
      retries: Retries
      progress: CompactorProgress
      nowMs: () => number
    },
  ) {
    this.#compact = compact
    this.#rollsUp = compact.rollUp && mayRollUp(sync)
    this.#job = job
    this.#finder = known.finder
    this.#receipts = known.receipts
    this.#finished = known.finished
    this.#lists = known.lists
    this.#retries = known.retries
    this.#progress = known.progress
    this.#nowMs = known.nowMs
  }

  /** The dates of segments that a wish is about. */
  wished({ date: wanted, outdated }: RebuildWish): string[] {
    const segments = wanted === undefined ? this.#finder.find() : (this.#finder.date(wanted)?.sealed ?? [])
    const dates = new Set(segments.map(({ name }) => segmentDate(name)))
    const old = outdated === true ? this.#outdated() : dates
    return [...dates].filter(date => old.has(date))
  }

  /** Those with tables of an earlier schema version, by their receipts. */
  #outdated(): Set<string> {
    const outdated = new Set<string>()
    for (const [date, receipts] of this.#receipts.byDate())
      if ([...receipts.values()].some(({ schema_version: version }) => version < SCHEMA_VERSION)) outdated.add(date)
    return outdated
  }

  /** A segment of this date got files of its own, which are not in the files of the day. */
  grew(date: string): void {
    this.#rolledUp.delete(date)
    this.#finished.forget(date)
    this.#lookedAtMs = -Infinity
    if (this.isOver(date) && (this.#rollsUp || this.#lists.has(date))) this.#lists.revoke(date)
  }

  /** Whether a date as a whole is as it is to stay: its day is long over, and its tables, if any, are rolled up. */
  isSettled(date: string, hasTables: boolean): boolean {
    const isOver = isRollUpDue(date, this.#nowMs(), Math.max(DAY_MINUTES, this.#compact.rollUpAfterMinutes))
    return isOver && (!this.#rollsUp || !hasTables || this.#rolledUp.has(date))
  }

  /** Whether it is time to make one file of a date's hours, and to list what it has. */
  isOver(date: string): boolean {
    return isRollUpDue(date, this.#nowMs(), this.#compact.rollUpAfterMinutes)
  }

  #isDue(date: string): boolean {
    return this.#rollsUp && this.isOver(date)
  }

  /** Names of all dates are gone through when one may be due: another hour, something new, something that failed. */
  #isLookDue(): boolean {
    const nowMs = this.#nowMs()
    if (this.#retries.size === 0 && Math.abs(nowMs - this.#lookedAtMs) < LOOK_EVERY_MS) return false
    this.#lookedAtMs = nowMs
    return true
  }

  /** Rolls up dates that are due and not yet looked at, or got files since. */
  async rollUp(): Promise<void> {
    if (!this.#rollsUp || !this.#isLookDue()) return
    const { dataDir, signal, log } = this.#job
    const dates = convertedDates(dataDir)
    const here = new Set(dates)
    for (const date of this.#rolledUp) if (!here.has(date)) this.#rolledUp.delete(date)
    for (const date of dates) {
      if (signal?.aborted) return
      if (
        this.#finished.isMarked(date) ||
        this.#rolledUp.has(date) ||
        !this.#isDue(date) ||
        this.#retries.isPaused(rollingUp(date))
      )
        continue
      try {
        const { receipts, rolled } = await rollUpDate(this.#job, date)
        for (const receipt of receipts) this.#receipts.set(receipt)
        if (!this.#lists.has(date)) await this.#lists.write(date)
        this.#rolledUp.add(date)
        this.#retries.succeeded(rollingUp(date))
        const files = rolled.reduce((sum, { rollUp }) => sum + rollUp.files.length, 0)
        if (rolled.length > 0) log.info({ date, files, into: rolled.length }, 'day rolled up')
      } catch (error) {
        if (signal?.aborted) return
        const pauseMs = this.#progress.failed(rollingUp(date), messageOf(error))
        log.error({ date, err: error, pauseMs }, 'day not rolled up; its hours stay, and it is tried again later')
      }
    }
  }

  /**
   * Converts a date anew.
   * @returns the segments that this settled; undefined where it failed
   */
  async rebuild(date: string): Promise<readonly SealedSegment[] | undefined> {
    const { log, signal } = this.#job
    this.grew(date)
    const segments = this.#finder.date(date)?.sealed ?? []
    this.#progress.started(`${date} as a whole`, segments.length)
    try {
      const receipts = await rebuildDate(this.#job, date, segments, this.#isDue(date), (receipt, conversion) =>
        this.#progress.converted(receipt, conversion),
      )
      for (const receipt of receipts) this.#receipts.set(receipt)
      this.#retries.succeeded(rebuilding(date))
      log.info({ date, segments: segments.length }, 'date converted again')
      return segments
    } catch (error) {
      if (signal?.aborted) return undefined
      const pauseMs = this.#progress.failed(rebuilding(date), messageOf(error))
      log.error({ date, err: error, pauseMs }, 'date not converted again; its files stay as they are')
      return undefined
    }
  }

  /** True while a date that could not be converted anew is left alone. */
  isRebuildPaused(date: string): boolean {
    return this.#retries.isPaused(rebuilding(date))
  }

  /** True where the segment's rows are, or were, in a file of the whole day, which is made only as a whole. */
  async isRolledUp({ name, path }: SealedSegment): Promise<boolean> {
    const receipt = this.#receipts.get(path)
    if (receipt) return receipt.outputs.some(output => basename(output.path).startsWith('day-'))
    return (await this.#replacedOf(segmentDate(name))).has(hourlyName(name))
  }

  async #replacedOf(date: string): Promise<Set<string>> {
    const { dataDir, limits } = this.#job
    const known = this.#replaced.get(date)
    if (known) return known
    const days = dateFiles(dataDir, date).filter(({ name }) => name.hour === undefined)
    const paths = days.map(({ path }) => join(dataDir, path))
    const replaced = await readReplaced(limits, paths)
    if (this.#replaced.size >= REPLACED_DATES_MAX) this.#replaced.clear()
    this.#replaced.set(date, replaced)
    return replaced
  }
}
