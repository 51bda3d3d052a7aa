import { setTimeout as delay } from 'node:timers/promises'
import { localDisk, type Disk } from '../../platform/disk.js'
import { messageOf } from '../../platform/edge-error.js'
import type { ManifestGap } from '../../formats/manifest.js'
import { removeVerifiedSegments } from './verified-segments.js'
import { findOpenSegments } from './open-segments.js'
import { Inheritance } from './inheritance.js'
import { OpenWriters } from './open-writers.js'
import type { Append, StorageEvent, StorageOptions, StorageRequest } from './messages.js'
import { isNoRoom, Room } from './room.js'
import { SealQueue } from './seal-queue.js'
import { SegmentWriter } from './segment-writer.js'
import { soundLines } from './sound-lines.js'
import { parseRecorderName } from '../../formats/recorder-name.js'
import { recorderState } from '../../formats/recorder-state.js'
import { groupPath, type SegmentGroup } from '../../formats/raw-path.js'
import { QUICK_SEAL_LEVEL, SEAL_LEVEL } from '../../platform/zstd.js'

/** Frames may still be on their way from the sockets when their slot ends. */
const LATE_FRAMES_US = 2_000_000
/** A disk that failed is tried again this often. */
const RETRY_MS = 1000
/** Where nothing verified was left to delete, the ledgers are read again after this. */
const LEDGERS_AGAIN_MS = 30_000
/** How often it is looked whether all is sealed. */
const SEALED_LOOK_MS = 5
/** Open segments with more than this, uncompressed, are sealed at the fast level when the recorder must end soon. */
const QUICK_SEAL_RAW_BYTES = 64 * 1024 * 1024

/**
 * Owns everything under `raw/`: appends batches, syncs, rotates, seals, recovers. Work that takes long (sealing) is cut
 * into slices between which batches are written. What fails is tried again for ever, without holding up what does not;
 * while the disk is full, only the journal is written. How much may wait is bounded by whoever sends the batches.
 */
export class SegmentStore {
  readonly #options: StorageOptions
  readonly #emit: (event: StorageEvent) => void
  readonly #disk: Disk
  readonly #room: Room
  readonly #writers: OpenWriters
  readonly #seals: SealQueue
  readonly #inheritance: Inheritance
  readonly #pendingGaps = new Map<string, ManifestGap[]>()
  /** Keys whose last write failed, and when it is tried again. */
  readonly #blocked = new Map<string, number>()
  #queue: Append[] = []
  #hasNew = false
  #segmentCount = 0
  #working = false
  #wake: NodeJS.Timeout | undefined
  #syncedAtMs = 0
  #nothingVerifiedUntilMs = 0
  #sealLevel = SEAL_LEVEL
  #closing = false

  constructor(options: StorageOptions, emit: (event: StorageEvent) => void, disk = localDisk) {
    this.#options = options
    this.#emit = emit
    this.#disk = disk
    const { dataDir, exchange, host, reserveBytes, openFilesMax } = options
    const reserveFolder = recorderState(dataDir, exchange, host, 'reserve')
    const makeRoom = (bytes: number) => this.#makeRoom(bytes)
    this.#room = new Room({ disk, reserveFolder, reserveBytes, makeRoom }, performance.now())
    this.#writers = new OpenWriters(openFilesMax, (key, writer, error) => this.#distrust(key, writer, error))
    const own = { exchange, host: parseRecorderName(host).host }
    this.#inheritance = new Inheritance(disk, dataDir, own)
    for (const others of this.#inheritance.found) emit({ type: 'openElsewhere', others })
    const left = [...findOpenSegments(disk, dataDir, exchange, own.host), ...this.#inheritance.segments]
    this.#seals = new SealQueue(
      { disk, dataDir, room: this.#room, emit },
      left.map(path => ({ path, gaps: [], recovered: true })),
    )
    void this.#work()
  }

  /** Open files among the segments being written. */
  get openFiles(): number {
    return this.#writers.openFiles
  }

  handle(request: StorageRequest): void {
    switch (request.type) {
      case 'append':
        this.#queue.push(request)
        this.#hasNew = true
        break
      case 'gap':
        for (const channel of request.channels) this.#noteGap(channel, request.gap)
        break
      case 'tick':
        this.#rotateEnded(request.nowUs)
        break
      case 'tryNow':
        this.#room.hurry()
        this.#blocked.clear()
        break
      case 'giveUp':
        this.#giveUp()
        break
      case 'sealAll':
        void this.#sealAll(request.withinMs)
        return
      case 'close':
        void this.#close(request.withinMs)
        return
    }
    void this.#work()
  }

  /** Writes what is queued, then seals in slices, until nothing is left to do now. */
  async #work(): Promise<void> {
    if (this.#working || this.#isClosing()) return
    this.#working = true
    clearTimeout(this.#wake)
    do {
      this.#writeQueue()
      this.#syncIfDue()
      await nextTurn()
    } while (this.#hasMore())
    this.#working = false
    if (!this.#isClosing()) this.#sleep()
  }

  #isClosing(): boolean {
    return this.#closing
  }

  /** Does a slice of sealing, where there is one; false when there is nothing to do now. */
  #hasMore(): boolean {
    if (this.#closing) return false
    const didSeal = this.#seals.step(this.#sealLevel, performance.now())
    this.#inheritance.settle(this.#seals.waiting)
    return didSeal || this.#hasNew
  }

  /** Wakes up when the first thing is due that no message announces. */
  #sleep(): void {
    const now = performance.now()
    const due = [this.#seals.nextMs, this.#room.lookAtMs]
    if (!this.#room.isFull) due.push(...this.#blocked.values())
    if (this.#isDirty()) due.push(this.#syncedAtMs + this.#options.fsyncMs)
    const next = Math.min(...due.filter(ms => ms !== undefined))
    if (next === Infinity) return
    this.#wake = setTimeout(() => void this.#work(), Math.max(0, next - now))
  }

  #writeQueue(): void {
    const now = performance.now()
    this.#hasNew = false
    const fullForMs = this.#room.lookAgain(now)
    if (fullForMs !== undefined) this.#emit({ type: 'roomAgain', afterMs: Math.round(fullForMs) })
    const stuck = new Set<string>()
    const left: Append[] = []
    for (const batch of this.#queue) {
      const key = writerKey(batch)
      if (!stuck.has(key) && this.#mayWrite(batch, key, now) && this.#tryWrite(batch, key)) continue
      stuck.add(key)
      left.push(batch)
    }
    this.#queue = left
    if (left.length === 0) this.#blocked.clear()
  }

  /** What cannot be written now goes back, except for the journal, which has until the very end. */
  #giveUp(): void {
    this.#writeQueue()
    const isJournal = ({ channel }: Append) => channel === 'journal'
    const given = this.#queue.filter(batch => !isJournal(batch))
    this.#queue = this.#queue.filter(isJournal)
    for (const batch of given) this.#emit({ type: 'dropped', batch })
  }

  #mayWrite(batch: Append, key: string, nowMs: number): boolean {
    if (this.#room.isFull && batch.channel !== 'journal') return false
    return (this.#blocked.get(key) ?? 0) <= nowMs
  }

  #tryWrite(batch: Append, key: string): boolean {
    try {
      this.#write(batch, key)
      this.#blocked.delete(key)
      return true
    } catch (error) {
      this.#failedWrite(batch, key, error)
      return false
    }
  }

  #write(batch: Append, key: string): void {
    const { writer, compressedBytes } = this.#writers.withFile(key, () => {
      const writer = this.#writers.get(key) ?? this.#open(batch)
      this.#writers.set(key, writer)
      return { writer, compressedBytes: writer.append({ ...batch, bytes: this.#linesOf(batch) }) }
    })
    const { channel, bytes, frames } = batch
    this.#emit({ type: 'stored', channel, bytes, frames, compressedBytes })
    if (writer.holds.compressedBytes >= this.#options.rotateBytes) this.#retire(key, writer)
  }

  #linesOf({ bytes, spans, channel }: Append): Uint8Array {
    if (!spans) return bytes
    const { lines, odd } = soundLines(bytes, spans)
    if (odd) this.#emit({ type: 'odd', channel, ...odd })
    return lines
  }

  #open(batch: Append): SegmentWriter {
    const writer = this.#create(batch, batch.firstRecvUs, batch.slotToUs)
    writer.gaps.push(...(this.#pendingGaps.get(batch.channel) ?? []))
    this.#pendingGaps.delete(batch.channel)
    return writer
  }

  #create({ channel, kind, currency }: SegmentGroup, firstRecvUs: number, slotToUs: number): SegmentWriter {
    const { dataDir, exchange, host, run } = this.#options
    // A fault may have left a file of the last number: each try takes the next.
    const number = ++this.#segmentCount
    const startedMs = Math.floor(firstRecvUs / 1_000_000) * 1000
    const group = { channel, ...(kind !== undefined && { kind }), ...(currency !== undefined && { currency }) }
    const name = { exchange, ...group, startedMs, host, run, number }
    return new SegmentWriter(this.#disk, dataDir, name, slotToUs)
  }

  #failedWrite(batch: Append, key: string, error: unknown): void {
    const now = performance.now()
    this.#emit({ type: 'failed', what: `append to ${batch.channel}`, message: messageOf(error) })
    const wasFull = this.#room.isFull
    if (isNoRoom(error)) this.#room.noRoom(now)
    // The reserve was released this very moment: the journal is tried again at once.
    this.#blocked.set(key, isNoRoom(error) && !wasFull ? now : now + RETRY_MS)
    const writer = this.#writers.get(key)
    // A file that found no room and is as it was before can be written to again; after any other fault nobody knows.
    if (writer && (!isNoRoom(error) || writer.isTorn)) this.#abandon(key, writer)
  }

  /** Leaves the file to recovery, and a new segment goes on. */
  #abandon(key: string, writer: SegmentWriter): void {
    this.#writers.delete(key)
    this.#closeFile(writer)
    if (writer.holds.frames === 0 && this.#remove(writer)) {
      this.#keepGaps(writer)
      return
    }
    this.#queueSeal(writer, true)
  }

  /** After a failed sync some of it may be lost while the next sync claims success: what can still be read is sealed at once. */
  #distrust(key: string, writer: SegmentWriter, error: unknown): void {
    this.#emit({ type: 'failed', what: `sync of ${writer.path}`, message: messageOf(error) })
    if (isNoRoom(error)) this.#room.noRoom(performance.now())
    this.#abandon(key, writer)
  }

  /** Ends a segment; it stays as it is where that fails, and is ended later. Synced first, since its seal may wait. */
  #retire(key: string, writer: SegmentWriter): void {
    try {
      const inPlace = this.#inPlace(key, writer)
      if (!inPlace) return
      inPlace.park()
      this.#writers.delete(key)
      this.#queueSeal(inPlace, false)
    } catch (error) {
      this.#distrust(key, writer, error)
    }
  }

  #queueSeal(writer: SegmentWriter, recovered: boolean): void {
    const { path, group, gaps, holds } = writer
    const { frames, fromUs, toUs, compressedBytes: keepBytes } = holds
    this.#seals.add({ path, gaps, recovered, keepBytes, holds: { channel: group.channel, frames, fromUs, toUs } })
  }

  /**
   * The writer whose file has a name. Another program may have taken this one's away: what was removed is written anew
   * from the file that is still open; what was moved is left to whoever moved it. Undefined: there is none now.
   */
  #inPlace(key: string, writer: SegmentWriter): SegmentWriter | undefined {
    const place = writer.whereabouts()
    if (place === 'kept') return writer
    this.#emit({ type: 'failed', what: `write ${writer.path}`, message: `the file was ${place} by another program` })
    if (place === 'removed' && writer.holds.frames > 0) return this.#writeAnew(key, writer)
    this.#writers.delete(key)
    this.#keepGaps(writer)
    this.#closeFile(writer)
    return undefined
  }

  /** Where it fails, the writer goes on with its file without a name, and the next sync tries again. */
  #writeAnew(key: string, writer: SegmentWriter): SegmentWriter | undefined {
    let copy: SegmentWriter | undefined
    try {
      copy = this.#create(writer.group, writer.holds.fromUs, writer.slotToUs)
      writer.copyTo(copy)
    } catch (error) {
      this.#emit({ type: 'failed', what: `rescue ${writer.path}`, message: messageOf(error) })
      if (!copy) return undefined
      this.#closeFile(copy)
      this.#remove(copy)
      return undefined
    }
    this.#writers.set(key, copy)
    this.#closeFile(writer)
    return copy
  }

  #closeFile(writer: SegmentWriter): void {
    try {
      writer.close()
    } catch (error) {
      this.#emit({ type: 'failed', what: `close ${writer.path}`, message: messageOf(error) })
    }
  }

  #remove(writer: SegmentWriter): boolean {
    try {
      writer.remove()
      return true
    } catch (error) {
      this.#emit({ type: 'failed', what: `remove ${writer.path}`, message: messageOf(error) })
      return false
    }
  }

  #rotateEnded(nowUs: number): void {
    for (const [key, writer] of this.#writers.entries()) {
      if (writer.slotToUs + LATE_FRAMES_US <= nowUs) this.#retire(key, writer)
    }
  }

  #noteGap(channel: string, gap: ManifestGap): void {
    const writers = this.#writers.entries().filter(([, writer]) => writer.group.channel === channel)
    for (const [, writer] of writers) writer.gaps.push(gap)
    if (writers.length === 0) this.#pendingGaps.set(channel, [...(this.#pendingGaps.get(channel) ?? []), gap])
  }

  /** The gaps of a segment that is no more go to the next one. */
  #keepGaps(writer: SegmentWriter): void {
    if (writer.gaps.length === 0) return
    this.#pendingGaps.set(writer.group.channel, [
      ...(this.#pendingGaps.get(writer.group.channel) ?? []),
      ...writer.gaps,
    ])
  }

  #isDirty(): boolean {
    return this.#writers.entries().some(([, writer]) => writer.isDirty)
  }

  /** Never more than `fsyncMs` between a write and the sync behind it. */
  #syncIfDue(): void {
    const now = performance.now()
    if (now - this.#syncedAtMs < this.#options.fsyncMs) return
    this.#syncedAtMs = now
    for (const [key, writer] of this.#writers.entries()) {
      if (!writer.isDirty) continue
      try {
        this.#inPlace(key, writer)?.sync()
        this.#emit({ type: 'synced' })
      } catch (error) {
        this.#distrust(key, writer, error)
      }
    }
  }

  #makeRoom(bytes: number): void {
    const now = performance.now()
    if (now < this.#nothingVerifiedUntilMs) return
    const gone = removeVerifiedSegments(this.#disk, this.#options, bytes)
    if (gone.files.length > 0) this.#emit({ type: 'madeRoom', ...gone })
    else this.#nothingVerifiedUntilMs = now + LEDGERS_AGAIN_MS
  }

  /** Seals all but the journal, as far as the time allows. */
  async #sealAll(withinMs: number): Promise<void> {
    const deadlineMs = performance.now() + withinMs
    this.#blocked.clear()
    this.#writeQueue()
    this.#retireAll(({ group }) => group.channel !== 'journal')
    void this.#work()
    while (this.#seals.waiting.length > 0 && performance.now() < deadlineMs) await delay(SEALED_LOOK_MS)
    this.#emit({ type: 'sealedAll' })
  }

  /** Seals the journal; what was not sealed before is left to the next start, whose journal tells of it. */
  async #close(withinMs: number): Promise<void> {
    const deadlineMs = performance.now() + withinMs
    this.#closing = true
    clearTimeout(this.#wake)
    while (this.#working) await nextTurn()
    this.#blocked.clear()
    this.#writeQueue()
    const leftOpen = this.#seals.leave()
    this.#inheritance.settle([])
    this.#retireAll(() => true)
    while (this.#seals.step(this.#sealLevel, performance.now()) && performance.now() < deadlineMs) await nextTurn()
    this.#emit({ type: 'closed', leftOpen: [...leftOpen, ...this.#seals.waiting] })
  }

  /** Ends segments, the small ones first: of those that the time does not reach there are few. */
  #retireAll(which: (writer: SegmentWriter) => boolean): void {
    const writers = this.#writers
      .entries()
      .filter(([, writer]) => which(writer))
      .sort(([, one], [, other]) => one.holds.rawBytes - other.holds.rawBytes)
    const rawBytes = writers.reduce((sum, [, writer]) => sum + writer.holds.rawBytes, 0)
    if (rawBytes > QUICK_SEAL_RAW_BYTES) this.#sealLevel = QUICK_SEAL_LEVEL
    for (const [key, writer] of writers) this.#retire(key, writer)
    this.#seals.retryNow()
  }
}

const writerKey = (batch: Append) => `${groupPath(batch)}/${batch.slotToUs}`

/** Lets messages in. */
const nextTurn = () => new Promise<void>(resolve => setImmediate(resolve))
