import type { Disk } from '../../platform/disk.js'
import { messageOf } from '../../platform/edge-error.js'
import type { ManifestGap } from '../../formats/manifest.js'
import type { SegmentGroup } from '../../formats/raw-path.js'
import { segmentKey } from './batch-queue.js'
import { heldBytes, type Append, type StorageEvent, type StorageOptions } from './messages.js'
import { OpenWriters } from './open-writers.js'
import { isNoRoom, type Room } from './room.js'
import type { SealTask } from './seal-queue.js'
import { SegmentWriter } from './segment-writer.js'
import { encodeLines } from './line-encoding.js'

/** Frames may still be on their way from the sockets when their slot ends. */
const LATE_FRAMES_US = 2_000_000

export interface LiveSegmentsOptions {
  disk: Disk
  storage: StorageOptions
  room: Room
  emit: (event: StorageEvent) => void
  /** Takes over a segment that gets no more frames. */
  seal: (task: SealTask) => void
  /** Called before a segment is begun, with its time, ms since the epoch. */
  admit: (startedMs: number) => void
}

/**
 * The segments being written, each from its first batch until it goes to be sealed: when its slot is over, when it is large,
 * when its file cannot be trusted any more. A gap goes to the segment of its channel, or to the next one.
 */
export class LiveSegments {
  readonly #options: LiveSegmentsOptions
  readonly #writers: OpenWriters
  readonly #pendingGaps = new Map<string, ManifestGap[]>()
  #count = 0

  constructor(options: LiveSegmentsOptions) {
    this.#options = options
    const { openFilesMax } = options.storage
    this.#writers = new OpenWriters(openFilesMax, (key, writer, error) => this.#distrust(key, writer, error))
  }

  get openFiles(): number {
    return this.#writers.openFiles
  }

  get isDirty(): boolean {
    return this.#writers.entries().some(([, writer]) => writer.isDirty)
  }

  /** Where it throws, nothing of the batch counts; `failed` is to be told. */
  append(batch: Append): void {
    const key = segmentKey(batch)
    const { writer, compressedBytes } = this.#writers.withFile(key, () => {
      const writer = this.#writers.get(key) ?? this.#open(batch)
      this.#writers.set(key, writer)
      return { writer, compressedBytes: writer.append({ ...batch, bytes: this.#linesOf(batch) }) }
    })
    const { channel, bytes, frames, shares } = batch
    const buffer = shares ? {} : { buffer: bytes.buffer }
    this.#options.emit({ type: 'stored', channel, frames, compressedBytes, held: heldBytes(batch), ...buffer })
    if (writer.holds.compressedBytes >= this.#options.storage.rotateBytes) this.#retire(key, writer)
  }

  /** A file that found no room and is as it was before can be written to again; after any other fault nobody knows. */
  failed(batch: Append, error: unknown): void {
    const key = segmentKey(batch)
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
    return this.#writers
      .entries()
      .reduce((least, [, writer]) => Math.min(least, writer.frameEndsMs ?? Infinity), Infinity)
  }

  /** Ends the zstd frames of segments that got nothing more in time. */
  endFrames(nowMs: number): void {
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

  /** Makes all that was appended survive a power cut. */
  sync(): void {
    for (const [key, writer] of this.#writers.entries()) {
      if (!writer.isDirty) continue
      try {
        this.#inPlace(key, writer)?.sync()
        this.#options.emit({ type: 'synced' })
      } catch (error) {
        this.#distrust(key, writer, error)
      }
    }
  }

  /** Ends those whose slot is over. */
  endBefore(nowUs: number): void {
    for (const [key, writer] of this.#writers.entries()) {
      if (writer.slotToUs + LATE_FRAMES_US <= nowUs) this.#retire(key, writer)
    }
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
    return writers.reduce((sum, [, writer]) => sum + writer.holds.rawBytes, 0)
  }

  #linesOf({ bytes, spans, channel }: Append): Uint8Array {
    if (!spans) return bytes
    const { lines, odd } = encodeLines(bytes, spans)
    if (odd) this.#options.emit({ type: 'odd', channel, ...odd })
    return lines
  }

  #open(batch: Append): SegmentWriter {
    const writer = this.#create(batch, batch.firstRecvUs, batch.slotToUs)
    writer.gaps.push(...(this.#pendingGaps.get(batch.channel) ?? []))
    this.#pendingGaps.delete(batch.channel)
    return writer
  }

  #create({ channel, kind, currency }: SegmentGroup, firstRecvUs: number, slotToUs: number): SegmentWriter {
    const { disk, storage, admit } = this.#options
    const { dataDir, exchange, host, run, frameMs } = storage
    // A fault may have left a file of the last number: each try takes the next.
    const number = ++this.#count
    const startedMs = Math.floor(firstRecvUs / 1_000_000) * 1000
    admit(startedMs)
    const group = { channel, ...(kind !== undefined && { kind }), ...(currency !== undefined && { currency }) }
    return new SegmentWriter(disk, dataDir, { exchange, ...group, startedMs, host, run, number }, slotToUs, frameMs)
  }

  /** Leaves the file to recovery, and a new segment goes on. */
  #abandon(key: string, writer: SegmentWriter): void {
    this.#writers.delete(key)
    this.#close(writer)
    if (writer.holds.frames === 0 && this.#remove(writer)) this.#keepGaps(writer.group.channel, writer.gaps)
    else this.#seal(writer, true)
  }

  /** After a failed sync some of it may be lost while the next sync claims success: what can still be read is sealed at once. */
  #distrust(key: string, writer: SegmentWriter, error: unknown): void {
    this.#tell('sync', writer, messageOf(error))
    if (isNoRoom(error)) this.#options.room.noRoom(performance.now())
    this.#abandon(key, writer)
  }

  /** Ends a segment; it stays as it is where that fails, and is ended later. Synced first, since its seal may wait. */
  #retire(key: string, writer: SegmentWriter): void {
    try {
      const inPlace = this.#inPlace(key, writer)
      if (!inPlace) return
      inPlace.park()
      this.#writers.delete(key)
      this.#seal(inPlace, false)
    } catch (error) {
      this.#distrust(key, writer, error)
    }
  }

  #seal({ path, group, gaps, holds }: SegmentWriter, recovered: boolean): void {
    const { frames, fromUs, toUs, compressedBytes: keepBytes } = holds
    this.#options.seal({ path, gaps, recovered, keepBytes, holds: { channel: group.channel, frames, fromUs, toUs } })
  }

  /**
   * The writer whose file has a name. Another program may have taken this one's away: what was removed is written anew
   * from the file that is still open; what was moved is left to whoever moved it. Undefined: there is none now.
   */
  #inPlace(key: string, writer: SegmentWriter): SegmentWriter | undefined {
    const place = writer.whereabouts()
    if (place === 'kept') return writer
    this.#tell('write', writer, `the file was ${place} by another program`)
    if (place === 'removed' && writer.holds.frames > 0) return this.#writeAnew(key, writer)
    this.#writers.delete(key)
    this.#keepGaps(writer.group.channel, writer.gaps)
    this.#close(writer)
    return undefined
  }

  /** Where it fails, the writer goes on with its file without a name, and the next sync tries again. */
  #writeAnew(key: string, writer: SegmentWriter): SegmentWriter | undefined {
    let copy: SegmentWriter | undefined
    try {
      copy = this.#create(writer.group, writer.holds.fromUs, writer.slotToUs)
      writer.copyTo(copy)
    } catch (error) {
      this.#tell('rescue', writer, messageOf(error))
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

  /** Gaps of which no segment tells go to the next one. */
  #keepGaps(channel: string, gaps: readonly ManifestGap[]): void {
    if (gaps.length > 0) this.#pendingGaps.set(channel, [...(this.#pendingGaps.get(channel) ?? []), ...gaps])
  }

  /** False where it failed, which is told. */
  #try(what: string, writer: SegmentWriter, action: () => void): boolean {
    try {
      action()
      return true
    } catch (error) {
      this.#tell(what, writer, messageOf(error))
      return false
    }
  }

  #tell(what: string, { path }: SegmentWriter, message: string): void {
    this.#options.emit({ type: 'failed', what: `${what} ${path}`, message })
  }
}
