import { createHash } from 'node:crypto'
import type { Disk } from '../../platform/disk.js'
import type { DiskSteps } from '../../platform/disk-steps.js'
import { writeFully } from '../../platform/durable-file.js'
import { compressBound, EndDirective, frameCompressor, SEAL_LEVEL } from '../../platform/zstd.js'
import type { Compressor } from '../../platform/zstd-api.js'
import { ASKED_FROM_BYTES, searchFor, SAMPLE_BYTES } from './seal-reach.js'

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
  readonly #rawBytes: number
  #compressor: Compressor | undefined
  /** Copies of what came before there was a compressor. */
  #sample: Uint8Array[] = []
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
    this.#rawBytes = rawBytes
    this.#missing = rawBytes
    if (level !== SEAL_LEVEL || rawBytes < ASKED_FROM_BYTES) this.#begin(frameCompressor(level))
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
    if (this.#compressor) this.#compress(this.#compressor, kept)
    else this.#addToSample(kept)
  }

  #addToSample(bytes: Uint8Array): void {
    this.#sample.push(Buffer.from(bytes))
    if (this.#rawBytes - this.#missing < SAMPLE_BYTES) return
    const sample = Buffer.concat(this.#sample)
    this.#sample = []
    const compressor = frameCompressor(SEAL_LEVEL, searchFor(sample.subarray(0, SAMPLE_BYTES)))
    this.#begin(compressor)
    this.#compress(compressor, sample)
  }

  #begin(compressor: Compressor): void {
    compressor.setPledgedSrcSize(this.#rawBytes)
    this.#compressor = compressor
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

  #compress(compressor: Compressor, source: Uint8Array): void {
    const directive = this.#missing === 0 ? EndDirective.end : EndDirective.continue
    for (let from = 0, left = 1; from < source.length || left > 0;) {
      const target = this.#output.subarray(this.#filled)
      const [remaining, produced, taken] = compressor.compressStream2(target, source.subarray(from), directive)
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
