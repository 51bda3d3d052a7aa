import { messageOf } from '../../platform/edge-error.js'
import type { ManifestGap } from '../manifest.js'
import { findOpenSegments } from './open-segments.js'
import type { StorageEvent, StorageOptions, StorageRequest } from './messages.js'
import { sealSegment, type SealOutcome } from './seal-segment.js'
import { SegmentWriter } from './segment-writer.js'
import { APPEND_LEVEL, SEAL_LEVEL } from './zstd.js'

type Append = Extract<StorageRequest, { type: 'append' }>

interface SealTask {
  path: string
  gaps: ManifestGap[]
  recovered: boolean
}

/** Frames may still be on their way from the sockets when their slot ends. */
const LATE_FRAMES_US = 2_000_000
/** A disk that failed is tried again this often. */
const RETRY_MS = 1000
/** Open segments with more than this, uncompressed, are sealed at the fast level when the recorder must end soon. */
const QUICK_SEAL_RAW_BYTES = 64 * 1024 * 1024

/**
 * Owns everything under `raw/`: appends batches, syncs, rotates, seals, recovers. Work that takes long (sealing) is cut
 * into slices between which batches are written; a disk that fails is tried again for ever, in order, while the
 * caller's queue is bounded elsewhere.
 */
export class SegmentStore {
  readonly #options: StorageOptions
  readonly #emit: (event: StorageEvent) => void
  readonly #writers = new Map<string, SegmentWriter>()
  readonly #pendingGaps = new Map<string, ManifestGap[]>()
  #queue: Append[] = []
  #seals: SealTask[] = []
  #segmentCount = 0
  #working = false
  #lastSyncMs = 0
  #sealLevel = SEAL_LEVEL
  #closing = false
  #deadlineMs = Infinity

  constructor(options: StorageOptions, emit: (event: StorageEvent) => void) {
    this.#options = options
    this.#emit = emit
    const left = findOpenSegments(options.dataDir, options.exchange, options.host)
    this.#seals = left.map(path => ({ path, gaps: [], recovered: true }))
    void this.#work()
  }

  handle(request: StorageRequest): void {
    switch (request.type) {
      case 'append':
        this.#queue.push(request)
        break
      case 'gap':
        for (const channel of request.channels) this.#noteGap(channel, request.gap)
        break
      case 'tick':
        this.#rotateEnded(request.nowUs)
        break
      case 'close':
        void this.#close(request.withinMs)
        return
    }
    void this.#work()
  }

  /** Writes what is queued, then seals in slices, until nothing is left to do. */
  async #work(): Promise<void> {
    if (this.#working) return
    this.#working = true
    try {
      for (;;) {
        await this.#writeQueue()
        this.#syncIfDue()
        const task = this.#seals[0]
        if (!task || this.#closing) return
        if (await this.#runSeal(task)) this.#seals.shift()
      }
    } finally {
      this.#working = false
    }
  }

  async #writeQueue(): Promise<void> {
    for (let batch = this.#queue[0]; batch; batch = this.#queue[0]) {
      try {
        this.#write(batch)
        this.#queue.shift()
      } catch (error) {
        this.#emit({ type: 'failed', what: `append to ${batch.channel}`, message: messageOf(error) })
        this.#abandon(writerKey(batch.channel, batch.slotToUs))
        await pause(RETRY_MS)
      }
    }
  }

  #write(batch: Append): void {
    const key = writerKey(batch.channel, batch.slotToUs)
    let writer = this.#writers.get(key)
    if (!writer) {
      writer = this.#open(batch)
      this.#writers.set(key, writer)
    }
    const compressedBytes = writer.append(batch.bytes)
    this.#emit({ type: 'stored', bytes: batch.bytes, frames: batch.frames, compressedBytes })
    if (writer.compressedBytes >= this.#options.rotateBytes) this.#retire(key, writer)
  }

  #open(batch: Append): SegmentWriter {
    const { dataDir, exchange, host, run } = this.#options
    // A fault may have left a file of the last number: each try takes the next.
    const number = ++this.#segmentCount
    const startedMs = Math.floor(batch.firstRecvUs / 1_000_000) * 1000
    const writer = new SegmentWriter(
      dataDir,
      { exchange, channel: batch.channel, startedMs, host, run, number },
      batch.slotToUs,
    )
    writer.gaps.push(...(this.#pendingGaps.get(batch.channel) ?? []))
    this.#pendingGaps.delete(batch.channel)
    return writer
  }

  /** After a failed write nothing is known of the file's tail: it is left to recovery, and a new segment goes on. */
  #abandon(key: string): void {
    const writer = this.#writers.get(key)
    if (!writer) return
    this.#writers.delete(key)
    try {
      writer.close()
    } catch (error) {
      this.#emit({ type: 'failed', what: `close ${writer.path}`, message: messageOf(error) })
    }
    this.#seals.push({ path: writer.path, gaps: writer.gaps, recovered: true })
  }

  #retire(key: string, writer: SegmentWriter): void {
    this.#writers.delete(key)
    writer.close()
    this.#seals.push({ path: writer.path, gaps: writer.gaps, recovered: false })
  }

  #rotateEnded(nowUs: number): void {
    for (const [key, writer] of this.#writers) if (writer.slotToUs + LATE_FRAMES_US <= nowUs) this.#retire(key, writer)
  }

  #noteGap(channel: string, gap: ManifestGap): void {
    const writer = [...this.#writers.values()].find(open => open.channel === channel)
    if (writer) writer.gaps.push(gap)
    else this.#pendingGaps.set(channel, [...(this.#pendingGaps.get(channel) ?? []), gap])
  }

  #syncIfDue(atOnce = false): void {
    const now = performance.now()
    if (!atOnce && now - this.#lastSyncMs < this.#options.fsyncMs) return
    this.#lastSyncMs = now
    for (const [key, writer] of this.#writers) {
      try {
        writer.sync()
      } catch (error) {
        // A failed sync may have dropped pages while the next one would claim success: this file is never trusted again.
        this.#emit({ type: 'failed', what: `sync of ${writer.path}`, message: messageOf(error) })
        this.#abandon(key)
      }
    }
  }

  /** Seals one segment, letting batches and syncs run between slices; a failure is tried again. False: no time left. */
  async #runSeal(task: SealTask): Promise<boolean> {
    for (;;) {
      try {
        const steps = sealSegment({
          dataDir: this.#options.dataDir,
          path: task.path,
          level: this.#sealLevel,
          gaps: task.gaps,
        })
        for (;;) {
          const step = steps.next()
          if (step.done) {
            this.#report(task, step.value)
            return true
          }
          if (performance.now() > this.#deadlineMs) return false
          await nextTurn()
          await this.#writeQueue()
          this.#syncIfDue()
        }
      } catch (error) {
        this.#emit({ type: 'failed', what: `seal ${task.path}`, message: messageOf(error) })
        if (performance.now() + RETRY_MS > this.#deadlineMs) return false
        await pause(RETRY_MS)
      }
    }
  }

  #report(task: SealTask, outcome: SealOutcome): void {
    if (outcome.kind === 'sealed') {
      const { path, manifest } = outcome
      this.#emit({ type: 'sealed', path, manifest, recovered: task.recovered })
    } else if (outcome.kind === 'unreadable') {
      this.#emit({ type: 'unreadable', path: task.path, movedTo: outcome.movedTo })
    }
  }

  /** Seals all that is open, as far as the time allows; what is left is recovered at the next start. */
  async #close(withinMs: number): Promise<void> {
    this.#deadlineMs = performance.now() + withinMs
    this.#closing = true
    while (this.#working && performance.now() < this.#deadlineMs) await pause(5)
    const writers = [...this.#writers].sort(([, one], [, other]) => one.rawBytes - other.rawBytes)
    const rawBytes = writers.reduce((sum, [, writer]) => sum + writer.rawBytes, 0)
    if (rawBytes > QUICK_SEAL_RAW_BYTES) this.#sealLevel = APPEND_LEVEL
    this.#syncIfDue(true)
    for (const [key, writer] of writers) if (this.#writers.has(key)) this.#retire(key, writer)
    const leftOpen: string[] = []
    for (const task of this.#seals) if (!(await this.#runSeal(task))) leftOpen.push(task.path)
    this.#emit({ type: 'closed', leftOpen })
  }
}

const writerKey = (channel: string, slotToUs: number) => `${channel}/${slotToUs}`

const pause = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms))
/** Lets messages in. */
const nextTurn = () => new Promise<void>(resolve => setImmediate(resolve))
