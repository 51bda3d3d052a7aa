import { encodePayload, writeLineHead, type FrameEncoding, type SegmentGroup } from './segment-format.js'

/** Bytes that one batch holds before it is handed on; a zstd frame of this size compresses as well as a larger one. */
export const BATCH_BYTES = 256 * 1024
/** More than the longest line head (96) and its end. */
const LINE_OVERHEAD = 128

/** Lines of one segment group and one rotation slot, on their way to the disk. */
export class LineBatch {
  readonly group: SegmentGroup
  /** Rotation slot of all its lines: from (inclusive) and to (exclusive), µs since the epoch. */
  readonly slotFromUs: number
  readonly slotToUs: number
  #buffer: Buffer
  #length = 0
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

  covers(recvUs: number): boolean {
    return recvUs >= this.slotFromUs && recvUs < this.slotToUs
  }

  hasRoomFor(frame: Buffer): boolean {
    return this.#length + frame.length + LINE_OVERHEAD <= this.#buffer.length
  }

  /** Adds a line. Only an empty batch grows, for a frame that is longer than any batch. */
  add(recvUs: number, conn: string, seq: number, encoding: FrameEncoding, frame: Buffer): void {
    const payload = encodePayload(frame, encoding)
    const needed = this.#length + payload.length + LINE_OVERHEAD
    if (needed > this.#buffer.length) this.#grow(needed)
    const buffer = this.#buffer
    let at = writeLineHead(buffer, this.#length, recvUs, conn, seq, encoding)
    buffer.set(payload, at)
    at += payload.length
    buffer[at++] = 0x7d
    buffer[at++] = 0x0a
    this.#length = at
    if (this.frames++ === 0 || recvUs < this.firstRecvUs) this.firstRecvUs = recvUs
    if (recvUs > this.lastRecvUs) this.lastRecvUs = recvUs
  }

  #grow(bytes: number): void {
    const larger = Buffer.allocUnsafeSlow(bytes)
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }

  /** The bytes for another thread. A batch that is mostly empty is copied, so that its buffer can be filled again. */
  take(): { bytes: Uint8Array<ArrayBuffer>; reusable: Buffer | undefined } {
    const memory = this.#buffer.buffer as ArrayBuffer
    if (this.#length <= BATCH_BYTES / 4)
      return { bytes: new Uint8Array(memory.slice(0, this.#length)), reusable: this.#buffer }
    return { bytes: new Uint8Array(memory, 0, this.#length), reusable: undefined }
  }
}
