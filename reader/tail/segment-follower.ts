import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import { LineHeadReader } from '../../formats/line-head.js'
import { withState, type SegmentName } from '../../formats/raw-path.js'
import { endOfLine } from '../../formats/stored-line.js'
import { hasErrno } from '../../platform/edge-error.js'
import { frameDecompressor } from '../../platform/zstd.js'
import { LineFrame } from '../frame.js'

const CHUNK_BYTES = 256 * 1024
/** Of all followers: nothing is in them but while one of them decodes. */
const input = Buffer.allocUnsafeSlow(CHUNK_BYTES)
const output = Buffer.allocUnsafeSlow(CHUNK_BYTES)

/**
 * The lines of one segment as they are written: each time it is asked, what came since. Its file stays open over the
 * sealing, which puts another file with the same lines in its place; what is begun anew passes over the lines that were given.
 */
export class SegmentFollower {
  readonly name: SegmentName
  /** Under its open name. */
  readonly #path: string
  readonly #heads = new LineHeadReader()
  #fd: number | undefined
  #decoder = frameDecompressor()
  #at = 0
  #rest: Buffer = Buffer.alloc(0)
  /** Lines that were given. */
  #given = 0
  /** Lines of this reading that were given by the one before it. */
  #skip = 0

  constructor(path: string, name: SegmentName) {
    this.#path = withState(path, 'open')
    this.name = name
  }

  /** True when nothing more can come. */
  get isOver(): boolean {
    return !existsSync(this.#path)
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  /** What was written since, in blocks. */
  *drain(): Generator<LineFrame[], void> {
    const fd = this.#open()
    if (fd === undefined) return
    // What a failed append left was taken back: the decoder may have seen it.
    if (fstatSync(fd).size < this.#at) this.#again()
    let beganAgain = false
    for (;;) {
      const length = readSync(fd, input, 0, CHUNK_BYTES, this.#at)
      if (length === 0) return
      this.#at += length
      const blocks = this.#decoded(length)
      if (!blocks) {
        // Something else took the place of what was taken back: once more, and if need be at the next change.
        this.#again()
        if (beganAgain) return
        beganAgain = true
        continue
      }
      for (const block of blocks) {
        const frames = this.#frames(block)
        if (frames.length > 0) yield frames
      }
    }
  }

  #open(): number | undefined {
    if (this.#fd !== undefined) return this.#fd
    for (const state of ['open', 'sealed'] as const) {
      try {
        this.#fd = openSync(withState(this.#path, state), 'r')
        return this.#fd
      } catch (error) {
        if (!hasErrno(error, 'ENOENT')) throw error
      }
    }
    return undefined
  }

  /** Reads from the start again. */
  #again(): void {
    this.#decoder = frameDecompressor()
    this.#at = 0
    this.#rest = Buffer.alloc(0)
    this.#skip = this.#given
  }

  /** Undefined for what is no zstd: a write that is under way, or was taken back. */
  #decoded(length: number): Buffer[] | undefined {
    const blocks: Buffer[] = []
    for (let at = 0, full = false; at < length || full;) {
      try {
        const [, produced, taken] = this.#decoder.decompressStream(output, input.subarray(at, length))
        at += taken
        full = produced === output.length
        if (produced > 0) blocks.push(Buffer.from(output.subarray(0, produced)))
        else if (taken === 0) break
      } catch (error) {
        if (error instanceof Error) return undefined
        throw error
      }
    }
    return blocks
  }

  #frames(bytes: Buffer): LineFrame[] {
    const block = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    const frames: LineFrame[] = []
    let from = 0
    for (let to = endOfLine(block, from); to >= 0; to = endOfLine(block, from)) {
      const facts = this.#heads.read(block, from, to)
      if (this.#skip > 0) this.#skip--
      else {
        this.#given++
        if (facts) frames.push(new LineFrame(block, from, to, facts, this.name))
      }
      from = to + 1
    }
    this.#rest = block.subarray(from)
    return frames
  }
}
