import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { LineSplitter } from '../platform/line-splitter.js'
import { messageOf } from '../platform/edge-error.js'
import { frameDecompressor } from '../platform/zstd.js'
import { blockEnds, parseZstdFrameHead } from './zstd-frame.js'

/** With what reads them it stays in the processor's caches; of what is done between two chunks, none takes long. */
export const CHUNK_BYTES = 256 * 1024

export interface DecodedChunk {
  /** Decoded bytes; valid until the next chunk is asked for. */
  bytes: Uint8Array
  /** True when a zstd frame ended with this chunk. */
  frameEnded: boolean
  /** Compressed bytes consumed so far. */
  consumed: number
}

export interface DecodeResult {
  /** Compressed bytes in whole zstd frames. */
  wholeBytes: number
  /** … and in whole blocks of the one that is being written, which has no checksum yet. */
  flushedBytes: number
  totalBytes: number
  /** Why decoding ended before the end of the file. */
  fault?: string
}

/**
 * Decodes all zstd frames of a file, in pieces of bounded size. It ends without throwing at the first byte that cannot
 * be decoded: a torn tail or garbage behind the last whole frame is a normal sight after a crash.
 * @param from offset of the zstd frame to start at; offsets in the result count from the start of the file
 * @param to what lies behind this offset does not count
 * @param roomForChunk where decoded bytes go, asked before each chunk
 */
export function* decodeSegment(
  path: string,
  from = 0,
  to = Infinity,
  roomForChunk = ownRoom(),
): Generator<DecodedChunk, DecodeResult> {
  const fd = openSync(path, 'r')
  try {
    const context = frameDecompressor()
    const input = Buffer.allocUnsafeSlow(CHUNK_BYTES)
    let consumed = from
    let wholeBytes = from
    let decodedOfFrame = 0
    for (;;) {
      const length = readSync(fd, input, 0, Math.min(CHUNK_BYTES, to - consumed), consumed)
      if (length === 0)
        return consumed > wholeBytes
          ? {
              ...{ wholeBytes, flushedBytes: flushedIn(fd, wholeBytes, consumed), totalBytes: consumed },
              fault: 'last zstd frame is torn',
            }
          : { wholeBytes, flushedBytes: wholeBytes, totalBytes: consumed }
      let at = 0
      let full = false
      while (at < length || full) {
        let step: readonly [number, number, number]
        const output = roomForChunk()
        try {
          step = context.decompressStream(output, input.subarray(at, length))
        } catch (error) {
          const totalBytes = Math.min(fstatSync(fd).size, to)
          const flushedBytes = yield* goodBlocks(frameIn(fd, wholeBytes, totalBytes), wholeBytes, decodedOfFrame)
          return { wholeBytes, flushedBytes, totalBytes, fault: messageOf(error) }
        }
        const [remaining, produced, taken] = step
        at += taken
        consumed += taken
        const frameEnded = remaining === 0
        decodedOfFrame = frameEnded ? 0 : decodedOfFrame + produced
        if (frameEnded) wholeBytes = consumed
        if (produced > 0 || frameEnded) yield { bytes: output.subarray(0, produced), frameEnded, consumed }
        // A full output may hide more that needs no further input.
        full = produced === output.length && !frameEnded
      }
    }
  } finally {
    closeSync(fd)
  }
}

function ownRoom(): () => Uint8Array {
  const room = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  return () => room
}

/** The whole lines of a segment, up to the first byte that cannot be decoded. */
export function* decodedLines(path: string, to = Infinity): Generator<Buffer, void> {
  const splitter = new LineSplitter()
  for (const { bytes } of decodeSegment(path, 0, to)) yield* splitter.split(bytes)
}

/** A zstd frame in progress is short; one that is longer is of a sealed segment, and simply torn. */
const IN_PROGRESS_MAX = 64 * 1024 * 1024

function frameIn(fd: number, from: number, to: number): Buffer {
  if (to - from > IN_PROGRESS_MAX) return Buffer.alloc(0)
  const frame = Buffer.allocUnsafe(to - from)
  return frame.subarray(0, readSync(fd, frame, 0, frame.length, from))
}

function flushedIn(fd: number, from: number, to: number): number {
  return from + ([...blockEnds(frameIn(fd, from, to))].at(-1) ?? 0)
}

/**
 * Of a zstd frame in progress, the blocks before the one that cannot be decoded: a call that fails gives nothing of what it
 * decoded before. What a power cut or a full disk left behind the last flush must not take the flushed lines with it.
 * @param offset where the frame begins in the file
 * @param known decoded bytes of it that were given already
 * @returns offset of the end of the last good block
 */
function* goodBlocks(frame: Buffer, offset: number, known: number): Generator<DecodedChunk, number> {
  // A frame that says how long it is was written as one: it is of a sealed segment, and counts as a whole or not at all.
  if (parseZstdFrameHead(frame)?.contentBytes !== undefined) return offset
  const context = frameDecompressor()
  const output = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  let at = 0
  let skip = known
  try {
    for (const end of blockEnds(frame)) {
      for (let full = false, from = at; from < end || full;) {
        const [, produced, taken] = context.decompressStream(output, frame.subarray(from, end))
        from += taken
        full = produced === output.length
        const bytes = output.subarray(Math.min(skip, produced), produced)
        skip -= produced - bytes.length
        if (bytes.length > 0) yield { bytes, frameEnded: false, consumed: offset + end }
      }
      at = end
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error
  }
  return offset + at
}
