import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { LineSplitter } from '../platform/line-splitter.js'
import { messageOf } from '../platform/edge-error.js'
import { DCtx } from '../platform/zstd.js'
import { wholeBlocks } from './zstd-frame.js'

const CHUNK_BYTES = 1024 * 1024

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
 */
export function* decodeSegment(path: string, from = 0, to = Infinity): Generator<DecodedChunk, DecodeResult> {
  const fd = openSync(path, 'r')
  try {
    const context = new DCtx()
    const input = Buffer.allocUnsafeSlow(CHUNK_BYTES)
    const output = Buffer.allocUnsafeSlow(CHUNK_BYTES)
    let consumed = from
    let wholeBytes = from
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
        try {
          step = context.decompressStream(output, input.subarray(at, length))
        } catch (error) {
          const totalBytes = Math.min(fstatSync(fd).size, to)
          return { wholeBytes, flushedBytes: wholeBytes, totalBytes, fault: messageOf(error) }
        }
        const [remaining, produced, taken] = step
        at += taken
        consumed += taken
        const frameEnded = remaining === 0
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

/** The whole lines of a segment, up to the first byte that cannot be decoded. */
export function* decodedLines(path: string, to = Infinity): Generator<Buffer, void> {
  const splitter = new LineSplitter()
  for (const { bytes } of decodeSegment(path, 0, to)) yield* splitter.split(bytes)
}

/** A zstd frame in progress is short; one that is longer is of a sealed segment, and simply torn. */
const IN_PROGRESS_MAX = 64 * 1024 * 1024

function flushedIn(fd: number, from: number, to: number): number {
  if (to - from > IN_PROGRESS_MAX) return from
  const frame = Buffer.allocUnsafe(to - from)
  return from + wholeBlocks(frame.subarray(0, readSync(fd, frame, 0, frame.length, from)))
}
