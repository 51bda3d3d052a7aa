import type { Disk } from '../../platform/disk.js'
import { atOnce, type DiskSteps } from '../../platform/disk-steps.js'
import { messageOf } from '../../platform/edge-error.js'
import type { ManifestGap } from '../../formats/manifest.js'
import { groupPath, withState, type SegmentGroup } from '../../formats/raw-path.js'
import { segmentKey } from './batch-queue.js'
import { heldBytes, type Append, type Stored, type StorageEvent, type StorageOptions } from './messages.js'
import { NewFolders } from './new-folders.js'
import { OpenWriters } from './open-writers.js'
import type { HourVolumes } from './hour-volumes.js'
import { isNoRoom, type Room } from './room.js'
import type { SealTask } from './seal-queue.js'
import { endOfSegmentMs, goesOn } from './segment-length.js'
import { SegmentWriter } from './segment-writer.js'
import { encodeLines } from './line-encoding.js'

/** Frames may still be on their way from the sockets when their slot ends. */
const LATE_FRAMES_US = 2_000_000
const HOUR_US = 3_600_000_000

export interface LiveSegmentsOptions {
  disk: Disk
  storage: StorageOptions
  /** What the last hours brought, where segments may go on for several; else nobody counts. */
  volumes?: HourVolumes | undefined
  room: Room
  emit: (event: StorageEvent) => void
  /** Takes over a segment that gets no more frames. */
  seal: (task: SealTask) => void
  /** Called before a segment is begun, with its time, ms since the epoch. */
  admit: (startedMs: number) => void
}

/** The segment of a group that goes on beyond its hour, and the end of the last slot that it took, µs. */
interface Long {
  key: string
  toUs: number
}

/**
 * The segments being written, each from its first batch until it goes to be sealed: when its slot is over, when it is large,
 * when its file cannot be trusted any more. A gap goes to the segment of its channel, or to the next one.
 */
export class LiveSegments {
  readonly #options: LiveSegmentsOptions
  readonly #writers: OpenWriters
  readonly #folders: NewFolders
  readonly #pendingGaps = new Map<string, ManifestGap[]>()
  /** By group. */
  readonly #longs = new Map<string, Long>()
  /** Of slots whose lines go to a segment that was begun before: its key. */
  readonly #slots = new Map<string, string>()
  /** What is to be done with the disk, a segment each, in the order in which it came up. */
  #turns: DiskSteps<void>[] = []
  /** Of those: how many sync what is still written to. */
  #syncs = 0
  /** They get no more lines, and are to be synced, closed and sealed. */
  readonly #ended = new Set<SegmentWriter>()
  #announcedHour: number | undefined
  #count = 0

  constructor(options: LiveSegmentsOptions) {
    this.#options = options
    const { openFilesMax } = options.storage
    this.#folders = new NewFolders(options.disk)
    this.#writers = new OpenWriters(
      openFilesMax,
      writer => !this.#isBehindEnded(writer),
      (key, writer, error) => this.#distrust(key, writer, error),
    )
  }

  /**
   * True while an earlier segment of its group waits to be synced: to sync this one before would leave a hole where the
   * power fails in between, which nobody would see.
   */
  #isBehindEnded({ group }: SegmentWriter): boolean {
    for (const ended of this.#ended) if (groupPath(ended.group) === groupPath(group)) return true
    return false
  }

  get openFiles(): number {
    return this.#writers.openFiles
  }

  get isDirty(): boolean {
    for (const writer of this.#writers.all()) if (writer.isDirty) return true
    return false
  }

  /** Where it throws, nothing of the batch counts; `failed` is to be emitted. */
  append(batch: Append): void {
    const key = this.#keyOf(batch)
    const { lines, odd } = batch.spans ? encodeLines(batch.bytes, batch.spans) : { lines: batch.bytes }
    const encoded = odd ? { ...batch, bytes: lines } : batch
    const { writer, compressedBytes } = this.#writers.withFile(key, () => {
      const writer = this.#writers.get(key) ?? this.#open(key, batch)
      this.#writers.set(key, writer)
      return { writer, compressedBytes: writer.append(encoded) }
    })
    // Once, however often it was tried.
    if (odd) this.#options.emit({ type: 'odd', channel: batch.channel, ...odd })
    if (writer.holds.frames === batch.frames) this.#announceLong(writer)
    this.#options.volumes?.note(batch.group, batch.firstRecvUs / 1000, compressedBytes)
    const { channel, number, bytes, frames, shares } = batch
    const stored: Stored = { type: 'stored', channel, frames, compressedBytes, held: heldBytes(batch) }
    if (number !== undefined) stored.number = number
    if (!shares) stored.buffer = bytes.buffer
    this.#options.emit(stored)
    if (writer.holds.compressedBytes >= this.#options.storage.rotateBytes) this.#retire(key, writer)
  }

  /** A file that found no room and is as it was before can be written to again; after any other fault nobody knows. */
  failed(batch: Append, error: unknown): void {
    const key = this.#knownKeyOf(batch)
    const writer = this.#writers.get(key)
    if (writer && (!isNoRoom(error) || writer.isTorn)) this.#abandon(key, writer)
  }

  noteGap(channel: string, gap: ManifestGap): void {
    const writers = this.#writers.entries().filter(([, writer]) => writer.group.channel === channel)
    for (const [, writer] of writers) writer.gaps.push(gap)
    if (writers.length === 0) this.#keepGaps(channel, [gap])
  }

  /** When the first zstd frame in progress is to be ended, ms of `performance.now`; Infinity: there is none. */
  get frameEndsMs(): number {
    let least = Infinity
    for (const { frameEndsMs } of this.#writers.all()) if (frameEndsMs < least) least = frameEndsMs
    return least
  }

  /** Ends the zstd frames of segments that got nothing more in time. */
  endFrames(nowMs: number): void {
    if (nowMs < this.frameEndsMs) return
    for (const [key, writer] of this.#writers.entries()) {
      try {
        writer.endFrame(nowMs)
      } catch (error) {
        // It is ended by the next append, or by its seal; nothing that was written is in doubt.
        if (isNoRoom(error) && !writer.isTorn) this.#options.room.noRoom(nowMs)
        else this.#distrust(key, writer, error)
      }
    }
  }

  /** A segment's turn with the disk, the next one that came up. Only one is to be under way at a time. */
  nextTurn(): DiskSteps<void> | undefined {
    return this.#turns.shift()
  }

  get hasTurns(): boolean {
    return this.#turns.length > 0
  }

  /** Makes all that was appended survive a power cut, in turns; false where that is under way. */
  sync(): boolean {
    if (this.#syncs > 0) return false
    for (const [key, writer] of this.#writers.entries()) {
      if (!writer.isDirty) continue
      this.#syncs++
      this.#turns.push(this.#sync(key, writer))
    }
    return true
  }

  *#sync(key: string, writer: SegmentWriter): DiskSteps<void> {
    this.#syncs--
    if (!writer.isDirty || this.#writers.get(key) !== writer) return
    let synced: SegmentWriter | undefined
    try {
      synced = this.#inPlace(key, writer)
      if (synced) yield* synced.sync()
      this.#options.emit({ type: 'synced' })
    } catch (error) {
      this.#distrust(key, synced ?? writer, error)
    }
  }

  /** Ends those of now whose slot is over. */
  endBefore(nowUs: number): void {
    for (const [key, writer] of this.#writers.entries())
      if (writer.slotToUs + LATE_FRAMES_US <= nowUs) this.#retire(key, writer)
  }

  /**
   * Ends segments, the small ones first: of those that there is no time to seal there are few.
   * @returns how many bytes they hold, uncompressed
   */
  endAll(which: (channel: string) => boolean): number {
    const writers = this.#writers
      .entries()
      .filter(([, { group }]) => which(group.channel))
      .sort(([, one], [, other]) => one.holds.rawBytes - other.holds.rawBytes)
    for (const [key, writer] of writers) this.#retire(key, writer)
    for (let turn = this.nextTurn(); turn; turn = this.nextTurn()) atOnce(this.#options.disk, turn)
    return writers.reduce((sum, [, writer]) => sum + writer.holds.rawBytes, 0)
  }

  #knownKeyOf(batch: Append): string {
    const own = segmentKey(batch)
    return this.#slots.get(own) ?? own
  }

  /** The key of the segment that takes a batch: one that goes on takes the next hour, too, or ends there. */
  #keyOf(batch: Append): string {
    const key = this.#knownKeyOf(batch)
    const long = this.#longs.get(batch.group)
    const writer = long && this.#writers.get(long.key)
    if (!long || !writer || this.#writers.get(key) || batch.slotFromUs < long.toUs) return key
    if (!this.#takesNext(writer, batch)) {
      writer.endEarly(long.toUs)
      this.#longs.delete(batch.group)
      return key
    }
    long.toUs = batch.slotToUs
    this.#slots.set(key, long.key)
    return long.key
  }

  #takesNext({ slotToUs, holds }: SegmentWriter, batch: Append): boolean {
    const { volumes, storage } = this.#options
    if (!storage.long || batch.slotToUs > slotToUs) return false
    return goesOn(holds.compressedBytes, volumes?.bytesAnHour(batch.group, batch.slotFromUs / 1000), storage.long)
  }

  /** When the segment of a batch ends: with its slot, unless there is so little that it may go on. */
  #endOf(batch: Append): number {
    const { volumes, storage } = this.#options
    const { channel, slotFromUs, slotToUs } = batch
    const mayGoOn = channel !== 'journal' && slotToUs - slotFromUs === HOUR_US && !this.#longs.has(batch.group)
    if (!storage.long || !volumes || !mayGoOn) return slotToUs
    const bytesAnHour = volumes.bytesAnHour(batch.group, slotFromUs / 1000)
    return endOfSegmentMs(slotFromUs / 1000, bytesAnHour, storage.long) * 1000
  }

  #open(key: string, batch: Append): SegmentWriter {
    const toUs = this.#endOf(batch)
    const writer = this.#create(batch, batch.firstRecvUs, toUs, toUs > batch.slotToUs)
    if (writer.ofDate) this.#longs.set(batch.group, { key, toUs: batch.slotToUs })
    writer.gaps.push(...(this.#pendingGaps.get(batch.channel) ?? []))
    this.#pendingGaps.delete(batch.channel)
    return writer
  }

  #create(
    { channel, kind, currency }: SegmentGroup,
    firstRecvUs: number,
    slotToUs: number,
    ofDate: boolean,
  ): SegmentWriter {
    const { disk, storage, admit } = this.#options
    const { dataDir, exchange, host, run, frameMs } = storage
    // A fault may have left a file of the last number: each try takes the next.
    const number = ++this.#count
    const startedMs = Math.floor(firstRecvUs / 1_000_000) * 1000
    admit(startedMs)
    const group = { channel, ...(kind !== undefined && { kind }), ...(currency !== undefined && { currency }) }
    const name = { exchange, ...group, startedMs, ...(ofDate && { ofDate: true as const }), host, run, number }
    return new SegmentWriter(disk, dataDir, name, slotToUs, frameMs, this.#folders)
  }

  #announceLong({ path, ofDate, slotToUs }: SegmentWriter): void {
    if (ofDate) this.#options.emit({ type: 'goesOn', path: withState(path, 'sealed'), toUs: slotToUs })
  }

  announceLongs(nowUs: number): void {
    const hour = Math.floor(nowUs / HOUR_US)
    const isFirst = this.#announcedHour === undefined
    if (hour === this.#announcedHour) return
    this.#announcedHour = hour
    if (isFirst) return
    for (const [, writer] of this.#writers.entries()) if (writer.slotToUs > nowUs) this.#announceLong(writer)
  }

  /** It takes no more lines. */
  #forget(key: string): void {
    this.#writers.delete(key)
    for (const [slot, of] of this.#slots) if (of === key) this.#slots.delete(slot)
    for (const [group, long] of this.#longs) if (long.key === key) this.#longs.delete(group)
  }

  /** Leaves the file to recovery, and a new segment goes on. */
  #abandon(key: string, writer: SegmentWriter): void {
    this.#forget(key)
    this.#leave(writer)
  }

  #leave(writer: SegmentWriter): void {
    this.#close(writer)
    if (writer.holds.frames === 0 && this.#remove(writer)) this.#keepGaps(writer.group.channel, writer.gaps)
    else this.#seal(writer, true)
  }

  /** After a failed sync some of it may be lost while the next sync claims success: what can still be read is sealed at once. */
  #distrust(key: string, writer: SegmentWriter, error: unknown): void {
    this.#reportFailed('sync', writer, messageOf(error))
    if (isNoRoom(error)) this.#options.room.noRoom(performance.now())
    if (this.#ended.delete(writer)) this.#leave(writer)
    else if (this.#writers.get(key) === writer) this.#abandon(key, writer)
  }

  /** Ends a segment; it stays as it is where that fails, and is ended later. */
  #retire(key: string, writer: SegmentWriter): void {
    try {
      const inPlace = this.#inPlace(key, writer)
      if (!inPlace) return
      inPlace.endFrameIfRoom()
      this.#forget(key)
      this.#ended.add(inPlace)
      this.#turns.push(this.#settle(key, inPlace))
    } catch (error) {
      this.#distrust(key, writer, error)
    }
  }

  /** Synced first, since its seal may wait, and an error of a later write-back would reach nobody. */
  *#settle(key: string, writer: SegmentWriter): DiskSteps<void> {
    // What was in its turn when it ended may have found that it cannot be trusted.
    if (!this.#ended.has(writer)) return
    try {
      yield* writer.sync()
    } catch (error) {
      this.#distrust(key, writer, error)
      return
    }
    this.#ended.delete(writer)
    this.#close(writer)
    this.#seal(writer, false)
  }

  #seal({ path, group, gaps, holds }: SegmentWriter, recovered: boolean): void {
    const { frames, fromUs, toUs, rawBytes, compressedBytes: keepBytes } = holds
    const loss = { channel: group.channel, frames, fromUs, toUs }
    this.#options.seal({ path, gaps, recovered, keepBytes, ...(!recovered && { rawBytes }), holds: loss })
  }

  /**
   * The writer whose file has a name. Another program may have taken this one's away: what was removed is written anew
   * from the file that is still open; what was moved is left to whoever moved it. Undefined: there is none now.
   */
  #inPlace(key: string, writer: SegmentWriter): SegmentWriter | undefined {
    const place = writer.whereabouts()
    if (place === 'kept') return writer
    this.#reportFailed('write', writer, `the file was ${place} by another program`)
    if (place === 'removed' && writer.holds.frames > 0) return this.#writeAnew(key, writer)
    this.#forget(key)
    this.#keepGaps(writer.group.channel, writer.gaps)
    this.#close(writer)
    return undefined
  }

  /** Where it fails, the writer goes on with its file without a name, and the next sync tries again. */
  #writeAnew(key: string, writer: SegmentWriter): SegmentWriter | undefined {
    let copy: SegmentWriter | undefined
    try {
      copy = this.#create(writer.group, writer.holds.fromUs, writer.slotToUs, writer.ofDate)
      writer.copyTo(copy)
      this.#announceLong(copy)
    } catch (error) {
      this.#reportFailed('rescue', writer, messageOf(error))
      if (!copy) return undefined
      this.#close(copy)
      this.#remove(copy)
      return undefined
    }
    this.#writers.set(key, copy)
    this.#close(writer)
    return copy
  }

  #close(writer: SegmentWriter): void {
    this.#try('close', writer, () => writer.close())
  }

  #remove(writer: SegmentWriter): boolean {
    return this.#try('remove', writer, () => writer.remove())
  }

  /** Gaps that are in no manifest go to the next one. */
  #keepGaps(channel: string, gaps: readonly ManifestGap[]): void {
    if (gaps.length > 0) this.#pendingGaps.set(channel, [...(this.#pendingGaps.get(channel) ?? []), ...gaps])
  }

  /** False where it failed, which is reported. */
  #try(what: string, writer: SegmentWriter, action: () => void): boolean {
    try {
      action()
      return true
    } catch (error) {
      this.#reportFailed(what, writer, messageOf(error))
      return false
    }
  }

  #reportFailed(what: string, { path }: SegmentWriter, message: string): void {
    this.#options.emit({ type: 'failed', what: `${what} ${path}`, message })
  }
}
