import { readSync } from 'node:fs'
import { CHECKSUM_BYTES, EMPTY_LAST_BLOCK } from '../../formats/zstd-frame.js'
import { APPEND_LEVEL, compressBound, frameDecompressor, EndDirective, frameCompressor } from '../../platform/zstd.js'
import type { Compressor } from '../../platform/zstd-api.js'

/** More than the head and the end of a zstd frame. */
const FRAME_OVERHEAD = 64
const DECODE_BYTES = 256 * 1024

const compressor = frameCompressor(APPEND_LEVEL)
/** Of frames that ended: as many as were in progress at once. */
const idle: Compressor[] = []
let scratch = Buffer.allocUnsafeSlow(compressBound(256 * 1024) + FRAME_OVERHEAD)

function scratchFor(lines: Uint8Array): Buffer {
  const bound = compressBound(lines.length) + FRAME_OVERHEAD
  if (bound > scratch.length) scratch = Buffer.allocUnsafeSlow(bound)
  return scratch
}

/** One zstd frame of these lines; the memory is reused by the next call. */
export function wholeFrame(lines: Uint8Array): Uint8Array {
  const target = scratchFor(lines)
  return target.subarray(0, compressor.compress2(target, lines))
}

/** A zstd frame that is written block by block: each can be read as soon as it is in the file. */
export class FrameInProgress {
  readonly #compressor = idle.pop() ?? frameCompressor(APPEND_LEVEL)
  /** Where it begins in the file. */
  readonly from: number
  /** ms of `performance.now`. */
  readonly begunMs: number
  rawBytes = 0

  constructor(from: number, begunMs: number) {
    this.from = from
    this.begunMs = begunMs
  }

  /** The lines as blocks, and with the last the frame's end; the memory is reused by the next call. */
  blocks(lines: Uint8Array, isLast: boolean): Uint8Array {
    const target = scratchFor(lines)
    const directive = isLast ? EndDirective.end : EndDirective.flush
    // The target has room for all: one step does it.
    const [, produced] = this.#compressor.compressStream2(target, lines, directive)
    this.rawBytes += lines.length
    if (isLast) idle.push(this.#compressor)
    return target.subarray(0, produced)
  }
}

/**
 * What ends the zstd frame whose blocks fill a file from `from` to `to`, where whoever compressed them cannot go on: an
 * empty block, and the checksum of the lines, which a frame of its own of the same lines has, too.
 */
export function endOfCutFrame(fd: number, from: number, to: number): Uint8Array {
  const blocks = Buffer.allocUnsafe(to - from)
  const length = readSync(fd, blocks, 0, blocks.length, from)
  const context = frameDecompressor()
  const lines: Buffer[] = []
  for (let at = 0, full = false; at < length || full;) {
    const piece = Buffer.allocUnsafe(DECODE_BYTES)
    const [, produced, taken] = context.decompressStream(piece, blocks.subarray(at, length))
    at += taken
    full = produced === piece.length
    if (produced > 0) lines.push(piece.subarray(0, produced))
    else if (taken === 0) break
  }
  return Buffer.concat([EMPTY_LAST_BLOCK, wholeFrame(Buffer.concat(lines)).subarray(-CHECKSUM_BYTES)])
}
