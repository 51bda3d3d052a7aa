import './allocator.js'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/schema.js'
import { segmentDate } from '../formats/raw-path.js'
import { startPulse } from '../formats/pulse.js'
import { compactorState } from '../formats/receipt.js'
import { loadAddon } from '../platform/addons.js'
import { createFolderDurable } from '../platform/durable-file.js'
import { EdgeError, messageOf } from '../platform/edge-error.js'
import { describedFeeds } from '../exchanges/described-feed.js'
import type { Logger } from '../platform/log.js'
import { acquireProcessLock } from '../platform/process-lock.js'
import { isDone, SegmentFinder, type DateSegments, type SealedSegment } from './backlog.js'
import { Dates, type RebuildWish } from './date/dates.js'
import { DayLists } from './date/day-lists.js'
import { finishSwitch } from './date/folder-switch.js'
import { convertedParents } from './date/date-job.js'
import { dropPastState } from './date/past-state.js'
import { endWish, wishedAnew } from './date/wishes.js'
import { FinishedDates } from './finished-dates.js'
import { MadeTimes } from './files/made-times.js'
import { KeptEngine } from './kept-engine.js'
import { KnownReceipts } from './known-receipts.js'
import { CompactorProgress, type Summary } from './progress.js'
import { Retries } from './retries.js'
import { compactSegment, readManifest, type JobOptions } from './segment/job.js'
import { realDisk, type PublishDisk } from './segment/publish.js'
import { clearTemporary, temporaryFolder } from './temporary.js'
import { createWakeUp, watchSegments } from './watch.js'

export interface CompactorOptions {
  config: Config
  log: Logger
  /** Converts what is there and returns; otherwise waits for more until `signal`. */
  once: boolean
  signal?: AbortSignal
  /** Converts dates on disk again, whatever receipts say. */
  rebuild?: RebuildWish
  /** Converts segments again that left lines in quarantine. */
  retryQuarantine?: boolean
  /** Lists finished days anew, from their files, before anything else; called after each. */
  onListed?: (date: string, files: number) => void
  /** Called after each segment. */
  onProgress?: (summary: Summary) => void
  /** Replaced in tests by one that fails. */
  disk?: PublishDisk
  /** Now, ms since the epoch; replaced in tests. */
  nowMs?: () => number
  /** How often folders are looked through for segments that the watcher missed, ms. */
  rescanMs?: number
  /** Pause before what failed is tried again, ms; each further one is twice as long. */
  retryAfterMs?: number
}

/**
 * Converts sealed segments to Parquet, oldest first, one at a time. A segment that cannot be converted is logged, shown
 * in the status and tried again after a pause; it does not stop the others. Aborting `signal` abandons the segment
 * under way without trace.
 * @throws EdgeError LOCK_HELD another compactor works on this dataDir, ADDON_MISSING
 */
export async function runCompactor(options: CompactorOptions): Promise<Summary> {
  // Reported before the first segment comes, which may be in an hour.
  loadAddon('@duckdb/node-api')
  const { dataDir } = options.config
  createFolderDurable(join(dataDir, 'raw'))
  const lock = acquireProcessLock(join(compactorState(dataDir), 'lock'), 'compactor')
  let stopPulse: () => Promise<void> = () => Promise.resolve()
  let closeEngine: (() => void) | undefined
  try {
    finishSwitch(dataDir)
    clearTemporary(dataDir)
    const kept = new KeptEngine({
      ...options.config.compact,
      spillFolder: join(temporaryFolder(dataDir), 'kept-spill'),
    })
    closeEngine = () => kept.close()
    const compactor = new Compactor(options, kept)
    stopPulse = startPulse({ dataDir, part: 'compactor', log: options.log }, () => compactor.did)
    compactor.wish()
    await compactor.list()
    await (options.once ? compactor.drain() : compactor.follow())
    return compactor.end()
  } finally {
    void stopPulse()
    closeEngine?.()
    clearTemporary(dataDir)
    lock.release()
  }
}

/** Where the tables of a date lie, if any. */
const ofDate = (parents: readonly string[], date: string) => parents.map(parent => `${parent}/date=${date}`)

class Compactor {
  readonly #options: CompactorOptions
  readonly #job: JobOptions
  readonly #finder: SegmentFinder
  readonly #receipts: KnownReceipts
  readonly #finished: FinishedDates
  readonly #retries: Retries
  readonly #progress: CompactorProgress
  readonly #dates: Dates
  readonly #lists: DayLists
  /** Dates that are to be converted anew, as was wished. */
  readonly #wished = new Set<string>()
  /** Converted, as far as is known, of dates that are not finished: a sealed segment never changes. */
  #settled = new Set<string>()
  /** What the last look found. */
  #looked: readonly DateSegments[] = []

  constructor(options: CompactorOptions, kept: KeptEngine) {
    const { dataDir, compact, exchanges } = options.config
    this.#options = options
    this.#job = {
      dataDir,
      limits: compact,
      kept,
      duplicates: {
        keepDuplicates: compact.duplicates === 'keep',
        windowMs: compact.duplicatesWindowMs,
        madeTimes: new MadeTimes(),
      },
      disk: options.disk ?? realDisk,
      feeds: describedFeeds(exchanges),
      log: options.log,
      signal: options.signal,
    }
    this.#finder = new SegmentFinder(dataDir)
    this.#receipts = new KnownReceipts(dataDir)
    this.#finished = new FinishedDates(dataDir)
    this.#retries = new Retries(options.once ? Infinity : (options.retryAfterMs ?? 60_000))
    this.#progress = new CompactorProgress(dataDir, this.#retries, options)
    this.#lists = new DayLists(this.#job, options.config.host)
    this.#dates = new Dates(options.config, this.#job, {
      finder: this.#finder,
      receipts: this.#receipts,
      finished: this.#finished,
      lists: this.#lists,
      retries: this.#retries,
      progress: this.#progress,
      nowMs: options.nowMs ?? Date.now,
    })
  }

  /** Says good-bye in the status; what the run did. */
  end(): Summary {
    this.#progress.ended()
    return this.#progress.summary()
  }

  get did(): string {
    return this.#progress.did
  }

  /** Notes the dates that were asked for. */
  wish(): void {
    const { rebuild: wish } = this.#options
    if (wish) for (const date of this.#dates.wished(wish)) this.#wished.add(date)
  }

  /** Lists finished days anew where that was asked for. */
  async list(): Promise<void> {
    const { onListed } = this.#options
    if (onListed) await this.#lists.rebuild(date => this.#dates.isOver(date), onListed)
  }

  async #rebuildWished(): Promise<void> {
    for (const date of wishedAnew(this.#job.dataDir)) {
      if (this.#finder.date(date)?.sealed.length) this.#wished.add(date)
      else endWish(this.#job.dataDir, date)
    }
    for (const date of this.#wished) {
      if (this.#options.signal?.aborted) return
      if (!this.#dates.isRebuildPaused(date)) await this.#rebuildDate(date)
    }
  }

  async #rebuildDate(date: string): Promise<void> {
    const settled = await this.#dates.rebuild(date)
    if (!settled) return
    this.#wished.delete(date)
    endWish(this.#job.dataDir, date)
    for (const { path } of settled) {
      this.#settled.add(path)
      this.#retries.succeeded(path)
    }
  }

  /** Converts until nothing is left but what failed, and rolls up the days that are due. */
  async drain(): Promise<void> {
    await this.#rebuildWished()
    for (;;) {
      const waiting = await this.#waiting()
      // Where it is to end, what waits is what was said last.
      if (!waiting) return
      const due = this.#due(waiting)
      for (const [index, segment] of due.entries()) {
        if (this.#options.signal?.aborted) return
        await this.#settle(segment, waiting.length - index)
      }
      if (due.length > 0) continue
      await this.#dates.rollUp()
      await this.#finish(this.#looked, waiting)
      this.#progress.idle(waiting.length)
      return
    }
  }

  /** Drains whenever segments appear, until aborted. */
  async follow(): Promise<void> {
    const { config, log, signal, rescanMs = 30_000 } = this.#options
    const wakeUp = createWakeUp()
    const watcher = watchSegments(config.dataDir, log, wakeUp.wake)
    const timer = setInterval(wakeUp.wake, rescanMs)
    signal?.addEventListener('abort', wakeUp.wake)
    try {
      while (!signal?.aborted) {
        await this.drain()
        if (!signal?.aborted) await wakeUp.woken()
      }
    } finally {
      clearInterval(timer)
      signal?.removeEventListener('abort', wakeUp.wake)
      await watcher.close()
    }
  }

  /** Segments that are not converted, in the order in which they are to be; undefined where it is to end. */
  async #waiting(): Promise<SealedSegment[] | undefined> {
    const waiting: SealedSegment[] = []
    const settled = new Set<string>()
    const looked: DateSegments[] = []
    for (const date of this.#look()) {
      // After years a look takes long, and a wish to end is heard only between turns of the loop.
      await nextTurn()
      if (this.#options.signal?.aborted) return undefined
      looked.push(date)
      for (const segment of date.sealed)
        if (this.#settled.has(segment.path) || this.#isConverted(segment)) settled.add(segment.path)
        else waiting.push(segment)
    }
    // Of those that are gone, or of finished dates, nothing is to be remembered.
    this.#settled = settled
    this.#looked = looked
    return this.#options.config.compact.order === 'newest' ? waiting.reverse() : waiting
  }

  /** Dates that are not finished, with what is there; some of the others are looked at closely, for what people put there or took away. */
  *#look(): Generator<DateSegments> {
    const turn = this.#finished.turn(performance.now())
    const parents = turn ? convertedParents(this.#job.dataDir) : []
    const again = this.#options.retryQuarantine === true
    const here = new Set<string>()
    yield* this.#finder.dates(({ date, folders }) => {
      here.add(date)
      const parquet = turn?.has(date) ? ofDate(parents, date) : []
      return !again && this.#finished.has(date, { raw: folders, parquet }, turn?.has(date) === true)
    })
    if (turn) {
      this.#finished.keepOnly(here)
      const isHere = (date: string) => here.has(date) || this.#hasTables(ofDate(parents, date))
      dropPastState(this.#job.dataDir, isHere, (this.#options.nowMs ?? Date.now)())
    }
  }

  /** Marks dates of which nothing is left to do. */
  async #finish(dates: readonly DateSegments[], waiting: readonly SealedSegment[]): Promise<void> {
    const busy = new Set(waiting.map(({ name }) => segmentDate(name)))
    const isOpen = ({ date, isQuiet }: DateSegments) =>
      isQuiet && !busy.has(date) && this.#dates.isSettled(date, false) && !this.#finished.isMarked(date)
    const done = dates.filter(isOpen)
    if (done.length > 0) {
      const parents = convertedParents(this.#job.dataDir)
      for (const { date, folders } of done) {
        await nextTurn()
        if (this.#options.signal?.aborted) break
        const parquet = ofDate(parents, date)
        if (!this.#dates.isSettled(date, this.#hasTables(parquet))) continue
        this.#finished.addIf(date, { raw: folders, parquet }, () => this.#isAllConverted(date))
      }
    }
    this.#finished.save()
  }

  #hasTables(folders: readonly string[]): boolean {
    return folders.some(folder => existsSync(join(this.#job.dataDir, folder)))
  }

  #due(waiting: readonly SealedSegment[]): SealedSegment[] {
    return waiting.filter(
      ({ path, name }) => !this.#retries.isPaused(path) && !this.#dates.isRebuildPaused(segmentDate(name)),
    )
  }

  #isAllConverted(date: string): boolean {
    const here = this.#finder.date(date)
    return here?.isQuiet === true && here.sealed.every(segment => this.#settled.has(segment.path))
  }

  /** By its receipt; asked once for each segment. */
  #isConverted(segment: SealedSegment): boolean {
    const receipt = this.#receipts.get(segment.path)
    if (!receipt || (this.#options.retryQuarantine === true && receipt.quarantined > 0)) return false
    try {
      if (!isDone(this.#job.dataDir, receipt, readManifest(this.#job.dataDir, segment).sha256)) return false
    } catch (error) {
      // Without a readable manifest it is in the backlog, where the same error is reported.
      if (error instanceof EdgeError) return false
      throw error
    }
    this.#settled.add(segment.path)
    return true
  }

  async #settle(segment: SealedSegment, backlog: number): Promise<void> {
    const { log, signal } = this.#options
    if (this.#settled.has(segment.path)) return
    const date = segmentDate(segment.name)
    // A date that is whole is made only as a whole, and that failed a moment ago.
    if (this.#dates.isRebuildPaused(date)) return
    const startedAt = performance.now()
    try {
      if (await this.#dates.isRolledUp(segment)) {
        await this.#rebuildDate(date)
        return
      }
      this.#dates.grew(date)
      this.#progress.started(segment.path, backlog)
      const manifest = readManifest(this.#job.dataDir, segment)
      const earlier = this.#receipts.get(segment.path)
      const { receipt, conversion } = await compactSegment(this.#job, segment, manifest, earlier)
      this.#receipts.set(receipt)
      this.#settled.add(segment.path)
      this.#retries.succeeded(segment.path)
      this.#progress.converted(receipt, conversion)
      const { frames, rows, quarantined, double_rows: duplicates, outputs } = receipt
      const ms = Math.round(performance.now() - startedAt)
      log.info(
        { segment: segment.path, frames, rows, duplicates, quarantined, files: outputs.length, ms },
        'segment converted',
      )
      if (quarantined > 0) log.warn({ segment: segment.path, reasons: conversion.reasons }, 'lines put into quarantine')
    } catch (error) {
      if (signal?.aborted) return
      const pauseMs = this.#progress.failed(segment.path, messageOf(error))
      log.error({ segment: segment.path, err: error, pauseMs }, 'segment not converted; it is tried again later')
    }
  }
}
