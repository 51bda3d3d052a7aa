import { Transform, type TransformCallback } from 'node:stream'
import { frameDecompressor, EndDirective, frameCompressor } from './zstd.js'
import type { Compressor, Step } from './zstd-api.js'

const PIECE_BYTES = 128 * 1024

/** Makes one zstd frame of all that is written. */
export class CompressStream extends Transform {
  readonly #compressor: Compressor

  constructor(level: number) {
    super()
    this.#compressor = frameCompressor(level)
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    this.#feed(chunk, EndDirective.continue)
    done()
  }

  override _flush(done: TransformCallback): void {
    this.#feed(Buffer.alloc(0), EndDirective.end)
    done()
  }

  #feed(source: Buffer, directive: number): void {
    for (let [from, left] = [0, 1]; from < source.length || left > 0;) {
      const target = Buffer.allocUnsafe(PIECE_BYTES)
      const [remaining, produced, taken] = this.#compressor.compressStream2(target, source.subarray(from), directive)
      from += taken
      left = directive === EndDirective.end ? remaining : 0
      if (produced > 0) this.push(target.subarray(0, produced))
    }
  }
}

/** Decodes all zstd frames that are written. */
export class DecompressStream extends Transform {
  readonly #context = frameDecompressor()
  #isWhole = true

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    let full = false
    for (let from = 0; from < chunk.length || full;) {
      const target = Buffer.allocUnsafe(PIECE_BYTES)
      let step: Step
      try {
        step = this.#context.decompressStream(target, chunk.subarray(from))
      } catch (error) {
        done(error as Error)
        return
      }
      const [remaining, produced, taken] = step
      from += taken
      this.#isWhole = remaining === 0
      // A full target may hide more that needs no further input.
      full = produced === target.length && !this.#isWhole
      if (produced > 0) this.push(target.subarray(0, produced))
    }
    done()
  }

  override _flush(done: TransformCallback): void {
    done(this.#isWhole ? null : new Error('the last zstd frame is torn'))
  }
}
