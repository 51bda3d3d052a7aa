import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { LineSplitter } from '../platform/line-splitter.js'
import { messageOf } from '../platform/edge-error.js'
import { DCtx } from '../platform/zstd.js'

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
        return withFault(
          { wholeBytes, totalBytes: consumed },
          consumed > wholeBytes ? 'last zstd frame is torn' : undefined,
        )
      let at = 0
      let full = false
      while (at < length || full) {
        let step: readonly [number, number, number]
        try {
          step = context.decompressStream(output, input.subarray(at, length))
        } catch (error) {
          return { wholeBytes, totalBytes: Math.min(fstatSync(fd).size, to), fault: messageOf(error) }
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

function withFault(result: Omit<DecodeResult, 'fault'>, fault: string | undefined): DecodeResult {
  return fault === undefined ? result : { ...result, fault }
}
