import type { LineHead } from '../formats/raw-line.js'
import type { SegmentGroup } from '../formats/raw-path.js'

/** Bytes that one batch holds before it is handed on; a zstd frame of this size compresses as well as a larger one. */
export const BATCH_BYTES = 256 * 1024
/** Lines wait so long for others, at most: with what writing takes, a kill loses less than 0.1 s. */
export const HAND_OVER_MS = 80
/** More than the longest line head (96) and its end. */
const LINE_OVERHEAD = 128

/** Lines of one segment group and one rotation slot, on their way to the disk. */
export class LineBatch {
  readonly group: SegmentGroup
  /** Rotation slot of all its lines: from (inclusive) and to (exclusive), µs since the epoch. */
  readonly slotFromUs: number
  readonly slotToUs: number
  /** Of its group, as the storage thread knows it; undefined while it does not. */
  number: number | undefined
  #buffer: Buffer
  #length = 0
  #spans = new Uint32Array(64)
  frames = 0
  /** The earliest of its lines. */
  firstRecvUs = 0
  /** The latest of its lines. */
  lastRecvUs = 0

  constructor(group: SegmentGroup, slotFromUs: number, slotToUs: number, buffer: Buffer) {
    this.group = group
    this.slotFromUs = slotFromUs
    this.slotToUs = slotToUs
    this.#buffer = buffer
  }

  get length(): number {
    return this.#length
  }

  get memory(): ArrayBufferLike {
    return this.#buffer.buffer
  }

  covers(recvUs: number): boolean {
    return recvUs >= this.slotFromUs && recvUs < this.slotToUs
  }

  hasRoomFor(frame: Buffer): boolean {
    return this.#length + frame.length + LINE_OVERHEAD <= this.#buffer.length
  }

  /** Adds a line, as if the frame were JSON: whoever takes the batch looks. Only an empty batch grows, for a frame that is longer than any batch. */
  add(recvUs: number, head: LineHead, seq: number, frame: Uint8Array): void {
    const needed = this.#length + frame.length + LINE_OVERHEAD
    if (needed > this.#buffer.length) this.#grow(needed)
    const buffer = this.#buffer
    let at = head.write(buffer, this.#length, recvUs, seq)
    buffer.set(frame, at)
    this.#note(at, (at += frame.length))
    buffer[at++] = 0x7d
    buffer[at++] = 0x0a
    this.#length = at
    if (this.frames++ === 0 || recvUs < this.firstRecvUs) this.firstRecvUs = recvUs
    if (recvUs > this.lastRecvUs) this.lastRecvUs = recvUs
  }

  #note(from: number, to: number): void {
    const index = 2 * this.frames
    if (index === this.#spans.length) {
      const longer = new Uint32Array(2 * index)
      longer.set(this.#spans)
      this.#spans = longer
    }
    this.#spans[index] = from
    this.#spans[index + 1] = to
  }

  #grow(bytes: number): void {
    const larger = Buffer.allocUnsafeSlow(bytes)
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }

  /** The lines where they are, and where their frames stand, until this memory is filled again. */
  view(): { bytes: Uint8Array<ArrayBuffer>; spans: Uint32Array<ArrayBuffer> } {
    const memory = this.#buffer.buffer as ArrayBuffer
    return { bytes: new Uint8Array(memory, 0, this.#length), spans: this.#spans.subarray(0, 2 * this.frames) }
  }

  /**
   * The lines for another thread, and where their frames stand: from and to, one pair a line. A batch that is mostly
   * empty is copied, so that its buffer can be filled again.
   */
  take(): { bytes: Uint8Array<ArrayBuffer>; spans: Uint32Array<ArrayBuffer>; reusable: Buffer | undefined } {
    const memory = this.#buffer.buffer as ArrayBuffer
    const spans = this.#spans.slice(0, 2 * this.frames)
    if (this.#length <= BATCH_BYTES / 4)
      return { bytes: new Uint8Array(memory.slice(0, this.#length)), spans, reusable: this.#buffer }
    return { bytes: new Uint8Array(memory, 0, this.#length), spans, reusable: undefined }
  }
}
