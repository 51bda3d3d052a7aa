import { closeSync, fdatasyncSync, openSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createFolderDurable, fsyncFolder, writeFully } from '../../platform/durable-file.js'
import type { ManifestGap } from '../manifest.js'
import { segmentPath, type SegmentName } from '../segment-format.js'
import { APPEND_LEVEL, compressBound, frameCompressor } from './zstd.js'

const compressor = frameCompressor(APPEND_LEVEL)
let scratch = Buffer.allocUnsafeSlow(compressBound(256 * 1024))

/** One zstd frame of these lines; the memory is reused by the next call. */
function compress(lines: Uint8Array): Uint8Array {
  const bound = compressBound(lines.length)
  if (bound > scratch.length) scratch = Buffer.allocUnsafeSlow(bound)
  return scratch.subarray(0, compressor.compress2(scratch, lines))
}

/** An open segment: every append is one whole zstd frame, ending at a line's end, so that it can be read at any moment. */
export class SegmentWriter {
  /** Below `dataDir`. */
  readonly path: string
  readonly channel: string
  readonly slotToUs: number
  readonly gaps: ManifestGap[] = []
  readonly #folder: string
  readonly #fd: number
  #dirty = false
  #named = false
  compressedBytes = 0
  rawBytes = 0

  /** Creates the file; it must not exist. */
  constructor(dataDir: string, name: SegmentName, slotToUs: number) {
    this.path = segmentPath(name, 'open')
    this.channel = name.channel
    this.slotToUs = slotToUs
    const file = join(dataDir, this.path)
    this.#folder = dirname(file)
    createFolderDurable(this.#folder)
    this.#fd = openSync(file, 'ax', 0o644)
  }

  /** Appends lines. Afterwards every reader sees them; `sync` makes them survive a power cut. Returns bytes written. */
  append(lines: Uint8Array): number {
    const compressed = compress(lines)
    writeFully(this.#fd, compressed)
    this.#dirty = true
    this.compressedBytes += compressed.length
    this.rawBytes += lines.length
    return compressed.length
  }

  sync(): void {
    if (!this.#dirty) return
    fdatasyncSync(this.#fd)
    if (!this.#named) fsyncFolder(this.#folder)
    this.#named = true
    this.#dirty = false
  }

  close(): void {
    closeSync(this.#fd)
  }
}
