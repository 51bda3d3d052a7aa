/** What the head of a zstd frame promises (RFC 8878, 3.1.1.1). */
export interface ZstdFrameHead {
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
  return { hasChecksum: (descriptor & 4) !== 0, contentBytes: contentBytesOf(bytes, at, sizeBytes) }
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
