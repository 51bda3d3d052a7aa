import { createHash } from 'node:crypto'
import type { Disk } from '../../platform/disk.js'
import type { DiskSteps } from '../../platform/disk-steps.js'
import { writeFully } from '../../platform/durable-file.js'
import { compressBound, EndDirective, frameCompressor } from '../../platform/zstd.js'

/** So much is compressed before it is written. */
const WRITE_BYTES = 256 * 1024

export interface Written {
  bytes: number
  sha256: string
  md5: string
}

/** One zstd frame with checksum and size, in the making. What is not ended is removed: on a full disk frames need its room. */
export class SealedCopy {
  readonly #disk: Disk
  readonly #path: string
  readonly #compressor
  readonly #fd: number
  readonly #output = Buffer.allocUnsafeSlow(WRITE_BYTES + compressBound(WRITE_BYTES))
  #filled = 0
  readonly #sha256 = createHash('sha256')
  readonly #md5 = createHash('md5')
  #bytes = 0
  #missing: number
  #isWhole = false

  /** @param rawBytes what it will hold, uncompressed */
  constructor({ disk, level }: { disk: Disk; level: number }, path: string, rawBytes: number) {
    this.#disk = disk
    this.#path = path
    this.#missing = rawBytes
    this.#compressor = frameCompressor(level)
    this.#compressor.setPledgedSrcSize(rawBytes)
    this.#fd = disk.open(path, 'replace')
  }

  /** Bytes that are still to come. */
  get missing(): number {
    return this.#missing
  }

  /** Takes what comes next; what is more than it holds is left out. */
  add(bytes: Uint8Array): void {
    if (this.#missing === 0) return
    const kept = bytes.subarray(0, this.#missing)
    this.#missing -= kept.length
    this.#compress(kept, this.#missing === 0 ? EndDirective.end : EndDirective.continue)
  }

  /** Once nothing is missing; afterwards it is durable. */
  *end(): DiskSteps<Written> {
    this.#write()
    yield { sync: this.#fd }
    this.#isWhole = true
    return { bytes: this.#bytes, sha256: this.#sha256.digest('hex'), md5: this.#md5.digest('hex') }
  }

  close(): void {
    this.#disk.close(this.#fd)
    if (!this.#isWhole) this.#disk.remove(this.#path)
  }

  #compress(source: Uint8Array, directive: number): void {
    for (let from = 0, left = 1; from < source.length || left > 0;) {
      const target = this.#output.subarray(this.#filled)
      const [remaining, produced, taken] = this.#compressor.compressStream2(target, source.subarray(from), directive)
      from += taken
      left = directive === EndDirective.end ? remaining : 0
      this.#filled += produced
      if (this.#filled >= WRITE_BYTES) this.#write()
    }
  }

  #write(): void {
    const piece = this.#output.subarray(0, this.#filled)
    writeFully(this.#fd, piece, this.#disk)
    this.#sha256.update(piece)
    this.#md5.update(piece)
    this.#bytes += piece.length
    this.#filled = 0
  }
}
