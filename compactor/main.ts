import './allocator.js'
import { mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Config } from '../config/schema.js'
import { mayRollUp } from '../config/target-address.js'
import { EdgeError, messageOf } from '../platform/edge-error.js'
import { describedFeed } from '../exchanges/described-feed.js'
import type { Logger } from '../platform/log.js'
import { acquireProcessLock } from '../platform/process-lock.js'
import { parseSegmentPath, segmentDate } from '../formats/raw-path.js'
import { isDone, SegmentFinder, type SealedSegment } from './backlog.js'
import { convertedFolders, dateFiles, isRollUpDue, rollUpDate } from './date/date-job.js'
import { finishSwitch } from './date/folder-switch.js'
import { hourlyName } from '../formats/parquet-path.js'
import { CompactorProgress, type Summary } from './progress.js'
import { realDisk, type PublishDisk } from './segment/publish.js'
import { rebuildDate } from './date/rebuild.js'
import { readReceipts, compactorState, type Receipt } from '../formats/receipt.js'
import { readReplaced } from './date/roll-up.js'
import { clearTemporary, compactSegment, readManifest, type JobOptions } from './segment/job.js'
import { SCHEMA_VERSION } from './tables.js'
import { createBell, watchSegments } from './watch.js'

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
  /** Called after each segment. */
  onProgress?: (summary: Summary) => void
  /** Replaced in tests by one that fails. */
  disk?: PublishDisk
  /** Now, ms since the epoch; replaced in tests. */
  nowMs?: () => number
  /** How often folders are looked through for segments that the watcher missed, ms. */
  rescanMs?: number
}

/**
 * Converts sealed segments to Parquet, oldest first, one at a time. A segment that cannot be converted is logged, shown
 * in the status and tried again at the next start; it does not stop the others. Aborting `signal` abandons the segment
 * under way without trace.
 * @throws EdgeError LOCK_HELD another compactor works on this dataDir
 */
export async function runCompactor(options: CompactorOptions): Promise<Summary> {
  const { dataDir } = options.config
  mkdirSync(join(dataDir, 'raw'), { recursive: true })
  const lock = acquireProcessLock(join(compactorState(dataDir), 'lock'), 'compactor')
  try {
    finishSwitch(dataDir)
    clearTemporary(dataDir)
    const compactor = new Compactor(options)
    await compactor.rebuild()
    await (options.once ? compactor.drain() : compactor.follow())
    return compactor.end()
  } finally {
    clearTemporary(dataDir)
    lock.release()
  }
}

const rollsUp = ({ compact, sync }: Config) => compact.rollUp && mayRollUp(sync)

/** Which dates are converted again. */
export interface RebuildWish {
  /** `YYYY-MM-DD`; otherwise all. */
  date?: string
  /** Only those with tables of an earlier schema version. */
  outdated?: boolean
}

class Compactor {
  readonly #options: CompactorOptions
  readonly #job: JobOptions
  readonly #finder: SegmentFinder
  readonly #receipts: Map<string, Receipt>
  readonly #progress: CompactorProgress
  /** Dates that need no roll-up, as far as is known. */
  readonly #rolledUp = new Set<string>()
  /** By date: hourly files that are in files of the day; asked for segments without receipt. */
  readonly #replaced = new Map<string, Set<string>>()
  /** Settled in this run, converted or not: a sealed segment never changes. */
  readonly #settled = new Set<string>()

  constructor(options: CompactorOptions) {
    const { dataDir, compact, exchange } = options.config
    this.#options = options
    this.#job = {
      dataDir,
      limits: compact,
      doubles: { keepDoubles: compact.doubles === 'keep', windowMs: compact.doublesWindowMs },
      disk: options.disk ?? realDisk,
      feed: describedFeed(exchange),
      log: options.log,
      signal: options.signal,
    }
    this.#finder = new SegmentFinder(dataDir)
    this.#receipts = readReceipts(dataDir)
    this.#progress = new CompactorProgress(dataDir, options.onProgress)
  }

  /** Says good-bye in the status; what the run did. */
  end(): Summary {
    this.#progress.ended()
    return this.#progress.summary()
  }

  /** Converts the dates anew that were asked for. */
  async rebuild(): Promise<void> {
    const wish = this.#options.rebuild
    if (!wish) return
    for (const date of new Set(this.#finder.find().map(({ name }) => segmentDate(name)))) {
      if (this.#options.signal?.aborted) return
      if (wish.date !== undefined && wish.date !== date) continue
      if (wish.outdated !== true || this.#outdated().has(date)) await this.#rebuildDate(date)
    }
  }

  /** Dates with tables of an earlier schema version, by their receipts. */
  #outdated(): Set<string> {
    const outdated = [...this.#receipts.values()].filter(({ schema_version: version }) => version < SCHEMA_VERSION)
    return new Set(outdated.flatMap(({ segment }) => parseSegmentPath(segment)?.name ?? []).map(segmentDate))
  }

  /** Converts until nothing is left, and rolls up the days that are due. */
  async drain(): Promise<void> {
    for (let backlog = this.#backlog(); backlog.length > 0; backlog = this.#backlog()) {
      for (const [index, segment] of backlog.entries()) {
        if (this.#options.signal?.aborted) return
        await this.#settle(segment, backlog.length - index)
      }
    }
    if (rollsUp(this.#options.config)) await this.#rollUp()
    this.#progress.idle()
  }

  /** Rolls up dates that are due and not yet looked at, or got files since. */
  async #rollUp(): Promise<void> {
    const { config, nowMs = Date.now, signal, log } = this.#options
    const dates = new Set(convertedFolders(config.dataDir).map(({ date }) => date))
    for (const date of [...dates].sort()) {
      if (signal?.aborted) return
      if (this.#rolledUp.has(date) || !isRollUpDue(date, nowMs(), config.compact.rollUpAfterMinutes)) continue
      this.#rolledUp.add(date)
      try {
        const { receipts, rolled } = await rollUpDate(this.#job, date)
        for (const receipt of receipts) this.#receipts.set(receipt.segment, receipt)
        const files = rolled.reduce((sum, { rollUp }) => sum + rollUp.files.length, 0)
        if (rolled.length > 0) log.info({ date, files, into: rolled.length }, 'day rolled up')
      } catch (error) {
        if (signal?.aborted) return
        this.#progress.troubled(`${date}: ${messageOf(error)}`)
        log.error({ date, err: error }, 'day not rolled up; its hours stay, and it is tried again at the next start')
      }
    }
  }

  async #rebuildDate(date: string): Promise<void> {
    const { config, log, nowMs = Date.now, signal } = this.#options
    const segments = this.#finder.find().filter(({ name }) => segmentDate(name) === date)
    const rollUp = rollsUp(config) && isRollUpDue(date, nowMs(), config.compact.rollUpAfterMinutes)
    for (const { path } of segments) this.#settled.add(path)
    this.#progress.started(`${date} as a whole`, segments.length)
    try {
      const receipts = await rebuildDate(this.#job, date, segments, rollUp, (receipt, conversion) =>
        this.#progress.converted(receipt, conversion),
      )
      for (const receipt of receipts) this.#receipts.set(receipt.segment, receipt)
      log.info({ date, segments: segments.length }, 'date converted anew')
    } catch (error) {
      if (signal?.aborted) return
      this.#progress.failed(date, messageOf(error))
      log.error({ date, err: error }, 'date not converted anew; its files stay as they are')
    }
  }

  /** True where the segment's rows are, or were, in a file of the whole day, which is made only as a whole. */
  async #isRolledUp({ name, path }: SealedSegment): Promise<boolean> {
    const { dataDir, limits } = this.#job
    const receipt = this.#receipts.get(path)
    if (receipt) return receipt.outputs.some(output => basename(output.path).startsWith('day-'))
    const date = segmentDate(name)
    let replaced = this.#replaced.get(date)
    if (!replaced) {
      const days = dateFiles(dataDir, date).filter(({ name }) => name.hour === undefined)
      replaced = await readReplaced(
        limits,
        days.map(({ path }) => join(dataDir, path)),
      )
      this.#replaced.set(date, replaced)
    }
    return replaced.has(hourlyName(name))
  }

  /** Drains whenever segments appear, until aborted. */
  async follow(): Promise<void> {
    const { config, log, signal, rescanMs = 30_000 } = this.#options
    const bell = createBell()
    const watcher = watchSegments(config.dataDir, log, bell.ring)
    const timer = setInterval(bell.ring, rescanMs)
    signal?.addEventListener('abort', bell.ring)
    try {
      while (!signal?.aborted) {
        await this.drain()
        if (!signal?.aborted) await bell.rung()
      }
    } finally {
      clearInterval(timer)
      signal?.removeEventListener('abort', bell.ring)
      await watcher.close()
    }
  }

  #backlog(): SealedSegment[] {
    const waiting = this.#finder
      .find()
      .filter(segment => !this.#settled.has(segment.path) && !this.#isConverted(segment))
    return this.#options.config.compact.order === 'newest' ? waiting.reverse() : waiting
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
    if (await this.#isRolledUp(segment)) {
      await this.#rebuildDate(segmentDate(segment.name))
      return
    }
    this.#rolledUp.delete(segmentDate(segment.name))
    this.#progress.started(segment.path, backlog)
    const startedAt = performance.now()
    try {
      const manifest = readManifest(this.#job.dataDir, segment)
      const earlier = this.#receipts.get(segment.path)
      const { receipt, conversion } = await compactSegment(this.#job, segment, manifest, earlier)
      this.#receipts.set(segment.path, receipt)
      this.#progress.converted(receipt, conversion)
      const { frames, rows, quarantined, double_rows: doubles, outputs } = receipt
      const ms = Math.round(performance.now() - startedAt)
      log.info(
        { segment: segment.path, frames, rows, doubles, quarantined, files: outputs.length, ms },
        'segment converted',
      )
      if (quarantined > 0) log.warn({ segment: segment.path, reasons: conversion.reasons }, 'lines put into quarantine')
    } catch (error) {
      if (signal?.aborted) return
      this.#progress.failed(segment.path, messageOf(error))
      log.error({ segment: segment.path, err: error }, 'segment not converted; it is tried again at the next start')
    }
    this.#settled.add(segment.path)
  }
}
