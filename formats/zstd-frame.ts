import { readSync } from 'node:fs'

/** What the head of a zstd frame promises (RFC 8878, 3.1.1.1). */
export interface ZstdFrameHead {
  /** Bytes of the head itself. */
  length: number
  hasChecksum: boolean
  /** Bytes of its content; undefined where the head does not say. */
  contentBytes: number | undefined
}

const MAGIC = 0xfd2fb528
/** The longest head: magic, descriptor, window, dictionary, content size. */
export const LONGEST_HEAD_BYTES = 18

/** Reads the head of a zstd frame; undefined where `bytes` do not start with a whole one, e.g. with a skippable frame. */
export function parseZstdFrameHead(bytes: Buffer): ZstdFrameHead | undefined {
  if (bytes.length < 6 || bytes.readUInt32LE(0) !== MAGIC) return undefined
  const descriptor = bytes.readUInt8(4)
  const isSingleSegment = (descriptor & 0x20) !== 0
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
  const at = 5 + (isSingleSegment ? 0 : 1) + dictionaryBytes
  if (bytes.length < at + sizeBytes) return undefined
  const contentBytes = contentBytesOf(bytes, at, sizeBytes)
  return { length: at + sizeBytes, hasChecksum: (descriptor & 4) !== 0, contentBytes }
}

const BLOCK_HEAD_BYTES = 3
const RLE_BLOCK = 1

/** The last block, empty; the frame's checksum follows it, and nothing else. */
export const EMPTY_LAST_BLOCK = Buffer.of(1, 0, 0)
export const CHECKSUM_BYTES = 4

/** Where the whole blocks of a zstd frame that is not ended stand behind one another: the ends of its head and of each of them. */
export function* blockEnds(frame: Buffer): Generator<number> {
  const head = parseZstdFrameHead(frame)
  if (!head) return
  for (let at = head.length; ;) {
    yield at
    if (at + BLOCK_HEAD_BYTES > frame.length) return
    const block = frame.readUIntLE(at, BLOCK_HEAD_BYTES)
    at += BLOCK_HEAD_BYTES + (((block >> 1) & 3) === RLE_BLOCK ? 1 : block >> 3)
    if (at > frame.length) return
  }
}

const WINDOW_BYTES = 1024 * 1024
const HEAD_BYTES = LONGEST_HEAD_BYTES + BLOCK_HEAD_BYTES

/** Where the whole zstd frames of an open file begin, by the heads of their blocks alone: nothing is decoded. */
export function zstdFrameStarts(fd: number): number[] {
  const window = Buffer.allocUnsafe(WINDOW_BYTES)
  let base = 0
  let length = 0
  const bytesAt = (at: number) => {
    if (at < base || at + HEAD_BYTES > base + length) {
      base = at
      length = readSync(fd, window, 0, WINDOW_BYTES, at)
    }
    return window.subarray(at - base, Math.min(length, at - base + HEAD_BYTES))
  }
  const starts: number[] = []
  for (let at = 0; ;) {
    const head = parseZstdFrameHead(bytesAt(at))
    if (!head) return starts
    const from = at
    at += head.length
    for (let isLast = false; !isLast;) {
      const bytes = bytesAt(at)
      if (bytes.length < BLOCK_HEAD_BYTES) return [...starts, from]
      const block = bytes.readUIntLE(0, BLOCK_HEAD_BYTES)
      isLast = (block & 1) === 1
      at += BLOCK_HEAD_BYTES + (((block >> 1) & 3) === RLE_BLOCK ? 1 : block >> 3)
    }
    starts.push(from)
    if (head.hasChecksum) at += CHECKSUM_BYTES
  }
}

function contentBytesOf(bytes: Buffer, at: number, sizeBytes: number): number | undefined {
  switch (sizeBytes) {
    case 0:
      return undefined
    case 1:
      return bytes.readUInt8(at)
    case 2:
      return bytes.readUInt16LE(at) + 256
    case 4:
      return bytes.readUInt32LE(at)
    default:
      return Number(bytes.readBigUInt64LE(at))
  }
}
