import { closeSync, openSync } from 'node:fs'
import { writeFully } from './durable-file.js'
import { EndDirective, frameCompressor } from './zstd.js'

const PIECE_BYTES = 128 * 1024

/** A file of one zstd frame, in the making. What the disk does not take is an error of the call that brought it. */
export class ZstdFile {
  readonly #fd: number
  readonly #compressor
  readonly #target = Buffer.allocUnsafeSlow(PIECE_BYTES)

  constructor(path: string, level: number) {
    this.#compressor = frameCompressor(level)
    this.#fd = openSync(path, 'w')
  }

  write(bytes: Uint8Array): void {
    this.#feed(bytes, EndDirective.continue)
  }

  /** Ends the frame, which is torn without. */
  end(): void {
    this.#feed(Buffer.alloc(0), EndDirective.end)
  }

  close(): void {
    closeSync(this.#fd)
  }

  #feed(source: Uint8Array, directive: number): void {
    for (let [from, left] = [0, 1]; from < source.length || left > 0;) {
      const [remaining, produced, taken] = this.#compressor.compressStream2(
        this.#target,
        source.subarray(from),
        directive,
      )
      from += taken
      left = directive === EndDirective.end ? remaining : 0
      writeFully(this.#fd, this.#target.subarray(0, produced))
    }
  }
}
