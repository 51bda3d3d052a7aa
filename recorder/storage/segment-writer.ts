import { fstatSync, readSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Disk } from '../../platform/disk.js'
import { atOnce, type DiskSteps } from '../../platform/disk-steps.js'
import { writeFully } from '../../platform/durable-file.js'
import { EdgeError } from '../../platform/edge-error.js'
import type { ManifestGap } from '../../formats/manifest.js'
import { segmentPath, type SegmentGroup, type SegmentName } from '../../formats/raw-path.js'
import type { Append } from './messages.js'
import { BATCH_BYTES, HAND_OVER_MS } from '../line-batch.js'
import { NewFolders } from './new-folders.js'
import { isNoRoom } from './room.js'
import { endOfCutFrame, FrameInProgress, wholeFrame } from './frame-in-progress.js'

const COPY_BYTES = 256 * 1024

const NOTHING = new Uint8Array(0)

/** Whole lines, to be written as they are. */
export interface Lines extends Pick<Append, 'frames' | 'firstRecvUs' | 'lastRecvUs'> {
  bytes: Uint8Array
}

/** What an open segment holds so far. */
export interface WrittenSoFar {
  frames: number
  rawBytes: number
  compressedBytes: number
  /** Span of the receive times, µs since the epoch. */
  fromUs: number
  toUs: number
}

/**
 * An open segment: every append is one or more whole blocks of a zstd frame, ending at a line's end, so that it can be read
 * at any moment. A frame gets what is appended within `frameMs`; where nothing came for that long, an append is one by
 * itself. The file may be closed meanwhile (`park`) and is opened again by the next append.
 */
export class SegmentWriter {
  /** Below `dataDir`. */
  readonly path: string
  readonly group: SegmentGroup
  readonly ofDate: boolean
  #slotToUs: number
  readonly gaps: ManifestGap[] = []
  readonly #disk: Disk
  readonly #folders: NewFolders
  readonly #file: string
  #fd: number | undefined
  #dirty = false
  /** While the disk is asked to keep what was written so far. */
  #isSyncing = false
  #named = false
  #torn = false
  readonly #frameMs: number
  #frame: FrameInProgress | undefined
  /** Where a zstd frame begins that a failed append left without its end. */
  #cutFrom: number | undefined
  #appendedMs = -Infinity
  readonly #holds: WrittenSoFar = { frames: 0, rawBytes: 0, compressedBytes: 0, fromUs: Infinity, toUs: 0 }

  /**
   * Creates the file; it must not exist.
   * @param frameMs span of what a zstd frame holds; 0: each append is one
   * @param folders shared by segments that may be in one folder
   */
  constructor(
    disk: Disk,
    dataDir: string,
    name: SegmentName,
    slotToUs: number,
    frameMs = 0,
    folders = new NewFolders(disk),
  ) {
    this.#frameMs = frameMs
    this.path = segmentPath(name, 'open')
    this.group = name
    this.ofDate = name.ofDate === true
    this.#slotToUs = slotToUs
    this.#disk = disk
    this.#folders = folders
    this.#file = join(dataDir, this.path)
    folders.make(dirname(this.#file))
    this.#fd = disk.open(this.#file, 'create')
  }

  /** Until when it takes lines. */
  get slotToUs(): number {
    return this.#slotToUs
  }

  endEarly(slotToUs: number): void {
    this.#slotToUs = Math.min(this.#slotToUs, slotToUs)
  }

  get holds(): Readonly<WrittenSoFar> {
    return this.#holds
  }

  get isParked(): boolean {
    return this.#fd === undefined
  }

  get isDirty(): boolean {
    return this.#dirty
  }

  get isSyncing(): boolean {
    return this.#isSyncing
  }

  /** True after a failed append whose first bytes could not be taken back: behind `compressedBytes` lies what does not count. */
  get isTorn(): boolean {
    return this.#torn
  }

  /**
   * Appends lines. Afterwards every reader sees them; `sync` makes them survive a power cut. Returns bytes written.
   * When it throws, none of them counts, and what was there before is as it was.
   */
  append({ bytes, frames, firstRecvUs, lastRecvUs }: Lines): number {
    const fd = this.#open()
    this.#endCutFrame(fd)
    const written = this.#write(fd, bytes, this.#endsWith(bytes.length))
    const holds = this.#holds
    holds.frames += frames
    holds.rawBytes += bytes.length
    holds.fromUs = Math.min(holds.fromUs, firstRecvUs)
    holds.toUs = Math.max(holds.toUs, lastRecvUs)
    return written
  }

  /** Ends the zstd frame in progress once it is as old as a frame may be, or at once where no time is given. */
  endFrame(nowMs = Infinity): void {
    if (nowMs === Infinity && this.#cutFrom !== undefined) this.#endCutFrame(this.#open())
    if (this.#frame && nowMs >= this.frameEndsMs) this.#write(this.#open(), NOTHING, true)
  }

  /** When `endFrame` has something to do, ms of `performance.now`; Infinity: it has nothing. */
  get frameEndsMs(): number {
    return this.#frame ? this.#frame.begunMs + this.#frameMs : Infinity
  }

  /** Whether the zstd frame is over with so many bytes more. */
  #endsWith(bytes: number): boolean {
    const nowMs = performance.now()
    const isFirst = nowMs - this.#appendedMs > this.#frameMs
    this.#appendedMs = nowMs
    if (isFirst && !this.#frame) return true
    const { begunMs, rawBytes } = this.#frame ?? { begunMs: nowMs, rawBytes: 0 }
    return nowMs + HAND_OVER_MS > begunMs + this.#frameMs || rawBytes + bytes >= BATCH_BYTES
  }

  /** Its lines are in the file all the same: on a full disk the next append ends it, or the seal does without. */
  endFrameIfRoom(): void {
    try {
      this.endFrame()
    } catch (error) {
      if (!isNoRoom(error) || this.#torn) throw error
    }
  }

  /** Returns bytes written; where it throws, what was there before is as it was, but for the end of its zstd frame. */
  #write(fd: number, lines: Uint8Array, isLast: boolean): number {
    const at = this.#holds.compressedBytes
    const from = this.#frame?.from ?? at
    const compressed = this.#compress(lines, isLast)
    try {
      writeFully(fd, compressed, this.#disk)
    } catch (error) {
      this.#frame = undefined
      if (from < at) this.#cutFrom = from
      this.#takeBack(fd)
      throw error
    }
    this.#wrote(compressed.length)
    return compressed.length
  }

  #compress(lines: Uint8Array, isLast: boolean): Uint8Array {
    if (isLast && !this.#frame) return wholeFrame(lines)
    const frame = (this.#frame ??= new FrameInProgress(this.#holds.compressedBytes, performance.now()))
    if (isLast) this.#frame = undefined
    return frame.blocks(lines, isLast)
  }

  /** What compressed its blocks has seen lines that are not in the file: the frame gets its end without it. */
  #endCutFrame(fd: number): void {
    if (this.#cutFrom === undefined) return
    const end = endOfCutFrame(fd, this.#cutFrom, this.#holds.compressedBytes)
    try {
      writeFully(fd, end, this.#disk)
    } catch (error) {
      this.#takeBack(fd)
      throw error
    }
    this.#wrote(end.length)
    this.#cutFrom = undefined
  }

  #wrote(bytes: number): void {
    this.#dirty = true
    this.#holds.compressedBytes += bytes
  }

  /** Removes what a failed append left: the same lines are about to be written again, and must not stand there twice. */
  #takeBack(fd: number): void {
    try {
      this.#disk.truncate(fd, this.#holds.compressedBytes)
    } catch (error) {
      if (!(error instanceof Error)) throw error
      this.#torn = true
    }
  }

  #open(): number {
    if (this.#fd !== undefined) return this.#fd
    const fd = this.#disk.open(this.#file, 'append')
    const { size } = fstatSync(fd)
    if (size !== this.#holds.compressedBytes) {
      this.#disk.close(fd)
      throw new EdgeError('SEGMENT_CHANGED', `${this.path} has ${size} bytes, not ${this.#holds.compressedBytes}`, {
        path: this.path,
        hint: 'nothing else may write to segments that are open',
      })
    }
    this.#fd = fd
    return fd
  }

  /** Whether the file is still there under its name; another program may have moved or removed it. */
  whereabouts(): 'kept' | 'moved' | 'removed' {
    return this.#fd === undefined ? 'kept' : this.#disk.nameOf(this.#fd, this.#file)
  }

  /** Afterwards everything that was appended before survives a power cut. Its file stays open until then, whoever closes it. */
  *sync(): DiskSteps<void> {
    const fd = this.#fd
    if (!this.#dirty || fd === undefined) return
    this.#isSyncing = true
    // What is appended meanwhile is for the next one.
    this.#dirty = false
    try {
      yield { sync: fd }
      if (!this.#named) {
        yield* this.#folders.sync()
        yield { syncFolder: dirname(this.#file) }
      }
      this.#named = true
    } catch (error) {
      this.#dirty = true
      throw error
    } finally {
      this.#isSyncing = false
      if (this.#fd !== fd) this.#disk.close(fd)
    }
  }

  /** Closes the file until the next append. Synced first: an error of a later write-back would reach nobody. */
  park(): void {
    this.endFrameIfRoom()
    atOnce(this.#disk, this.sync())
    this.close()
  }

  close(): void {
    if (this.#fd === undefined) return
    const fd = this.#fd
    this.#fd = undefined
    if (!this.#isSyncing) this.#disk.close(fd)
  }

  /** Removes the file. */
  remove(): void {
    this.#disk.remove(this.#file)
  }

  /** Writes all that it holds to a new segment, from the open file: for when its name was removed. Durable afterwards. */
  copyTo(target: SegmentWriter): void {
    if (this.#fd === undefined || target.#fd === undefined) return
    const chunk = Buffer.allocUnsafe(COPY_BYTES)
    for (let at = 0; at < this.#holds.compressedBytes;) {
      const length = readSync(this.#fd, chunk, 0, Math.min(chunk.length, this.#holds.compressedBytes - at), at)
      if (length === 0) throw new EdgeError('SEGMENT_CHANGED', `${this.path} ended early`, { path: this.path })
      writeFully(target.#fd, chunk.subarray(0, length), this.#disk)
      at += length
    }
    Object.assign(target.#holds, this.#holds)
    target.#cutFrom = this.#frame?.from ?? this.#cutFrom
    target.gaps.push(...this.gaps)
    target.#dirty = true
    atOnce(this.#disk, target.sync())
  }
}
