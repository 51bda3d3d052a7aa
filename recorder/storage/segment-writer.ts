import { fstatSync, readSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Disk } from '../../platform/disk.js'
import { createFolderDurable, writeFully } from '../../platform/durable-file.js'
import { EdgeError } from '../../platform/edge-error.js'
import type { ManifestGap } from '../../formats/manifest.js'
import { segmentPath, type SegmentGroup, type SegmentName } from '../../formats/raw-path.js'
import type { Append } from './messages.js'
import { APPEND_LEVEL, compressBound, frameCompressor } from '../../platform/zstd.js'

const COPY_BYTES = 256 * 1024

const compressor = frameCompressor(APPEND_LEVEL)
let scratch = Buffer.allocUnsafeSlow(compressBound(256 * 1024))

/** One zstd frame of these lines; the memory is reused by the next call. */
function compress(lines: Uint8Array): Uint8Array {
  const bound = compressBound(lines.length)
  if (bound > scratch.length) scratch = Buffer.allocUnsafeSlow(bound)
  return scratch.subarray(0, compressor.compress2(scratch, lines))
}

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
 * An open segment: every append is one whole zstd frame, ending at a line's end, so that it can be read at any moment.
 * Its file may be closed meanwhile (`park`) and is opened again by the next append.
 */
export class SegmentWriter {
  /** Below `dataDir`. */
  readonly path: string
  readonly group: SegmentGroup
  readonly slotToUs: number
  readonly gaps: ManifestGap[] = []
  readonly #disk: Disk
  readonly #file: string
  #fd: number | undefined
  #dirty = false
  #named = false
  #torn = false
  #holds: WrittenSoFar = { frames: 0, rawBytes: 0, compressedBytes: 0, fromUs: Infinity, toUs: 0 }

  /** Creates the file; it must not exist. */
  constructor(disk: Disk, dataDir: string, name: SegmentName, slotToUs: number) {
    this.path = segmentPath(name, 'open')
    this.group = name
    this.slotToUs = slotToUs
    this.#disk = disk
    this.#file = join(dataDir, this.path)
    createFolderDurable(dirname(this.#file), disk)
    this.#fd = disk.open(this.#file, 'create')
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
    const compressed = compress(bytes)
    const holds = this.#holds
    try {
      writeFully(fd, compressed, this.#disk)
    } catch (error) {
      this.#takeBack(fd)
      throw error
    }
    this.#dirty = true
    this.#holds = {
      frames: holds.frames + frames,
      rawBytes: holds.rawBytes + bytes.length,
      compressedBytes: holds.compressedBytes + compressed.length,
      fromUs: Math.min(holds.fromUs, firstRecvUs),
      toUs: Math.max(holds.toUs, lastRecvUs),
    }
    return compressed.length
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

  /** Afterwards everything appended survives a power cut. */
  sync(): void {
    if (!this.#dirty || this.#fd === undefined) return
    this.#disk.sync(this.#fd)
    if (!this.#named) this.#disk.syncFolder(dirname(this.#file))
    this.#named = true
    this.#dirty = false
  }

  /** Closes the file until the next append. Synced first: an error of a later write-back would reach nobody. */
  park(): void {
    this.sync()
    this.close()
  }

  close(): void {
    if (this.#fd === undefined) return
    const fd = this.#fd
    this.#fd = undefined
    this.#disk.close(fd)
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
    target.#holds = { ...this.#holds }
    target.gaps.push(...this.gaps)
    target.#dirty = true
    target.sync()
  }
}
