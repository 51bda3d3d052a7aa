import type { DataChunk } from '@duckdb/node-bindings'
import { CHUNK_BYTES, decodeSegment } from '../../formats/decode-segment.js'
import { duckdbBindings } from '../../platform/duckdb.js'
import { LINE, type LinePlan } from './line-plan.js'
import { configureProgram, startProgram, type LineMachine } from './line-program.js'
import { copyColumn } from './vectors.js'

/** Lines that are longer are left. */
const BUFFER_BYTES = 1024 * 1024
/** Zeros behind all lines, and what is read too much. */
const SLACK = 64
const LINE_FEED = 0x0a

/** Lines of a segment that rows were not made of. */
export interface LinesLeft {
  count: number
  /** @param lineNo from 1 */
  has: (lineNo: number) => boolean
}

/** Rows of the lines of segments, one segment after the other. */
export interface LineRows {
  /**
   * Begins with a segment.
   * @param frames how many lines it has; one more is read at most
   * @param left numbers of lines, from 1, that are not to be read
   */
  open(plan: LinePlan, path: string, frames: number, left: Iterable<number>): void
  /**
   * Puts the next rows into a chunk of DuckDB; none at the end.
   * @param wanted of which column of the plan each column of the chunk is
   * @throws Error the file cannot be decoded to its end; those of the disk
   */
  fill(chunk: DataChunk, wanted: readonly number[]): void
  /** Of the segment that was opened last, once there are no more rows. */
  left(): LinesLeft
}

interface OpenSegment {
  machine: LineMachine
  lines: LineBuffer
  left: { at: number; bytes: number }
}

/** @throws Error where there is no WebAssembly that can do so */
export function openLineRows(): LineRows {
  const program = startProgram()
  const duckdb = duckdbBindings()
  let segment: OpenSegment | undefined
  const opened = (): OpenSegment => {
    if (!segment) throw new Error('no segment was opened')
    return segment
  }
  const marksOf = ({ left: { at, bytes } }: OpenSegment) => new Uint8Array(program.memory.buffer, at, bytes)
  return {
    open(plan, path, frames, left) {
      segment?.lines.close()
      const machine = configureProgram(program, plan)
      const lines = new LineBuffer(machine, path)
      const bytes = Math.ceil((frames + 1) / 8)
      segment = { machine, lines, left: { at: machine.reserve(bytes), bytes } }
      const marks = marksOf(segment).fill(0)
      for (const lineNo of left) marks[(lineNo - 1) >> 3] = (marks[(lineNo - 1) >> 3] ?? 0) | (1 << ((lineNo - 1) & 7))
      machine.set(program.left, segment.left.at)
      machine.set(program.lines, 0)
      machine.set(program.linesMax, frames + 1)
    },
    fill(chunk, wanted) {
      const { machine, lines } = opened()
      machine.set(program.wantsLine, Number(wanted.includes(LINE)))
      program.begin()
      lines.take()
      const rows = machine.get(program.rows)
      duckdb.data_chunk_set_size(chunk, rows)
      if (rows === 0) return
      for (const [index, number] of wanted.entries()) {
        const column = machine.columns[number]
        if (column) copyColumn(machine, duckdb.data_chunk_get_vector(chunk, index), column, rows)
      }
    },
    left() {
      const marks = marksOf(opened()).slice()
      const has = (lineNo: number) => (((marks[(lineNo - 1) >> 3] ?? 0) >> ((lineNo - 1) & 7)) & 1) === 1
      let count = 0
      for (const mark of marks) for (let bits = mark; bits > 0; bits &= bits - 1) count++
      return { count, has }
    },
  }
}

/** The decoded lines of a segment in the program's memory, a part after the other. */
class LineBuffer {
  readonly #machine: LineMachine
  readonly #path: string
  readonly #start: number
  #chunks: ReturnType<typeof decodeSegment> | undefined
  /** From where to where lines are whole, and where the rest ends. */
  #from: number
  #wholeTo: number
  #to: number
  /** In the middle of a line that has no room. */
  #skips = false

  constructor(machine: LineMachine, path: string) {
    this.#machine = machine
    this.#path = path
    this.#start = this.#from = this.#wholeTo = this.#to = machine.reserve(BUFFER_BYTES + CHUNK_BYTES + SLACK)
    // Decoded to where the program reads it, behind the rest of a line.
    this.#chunks = decodeSegment(
      path,
      0,
      Infinity,
      () => new Uint8Array(machine.program.memory.buffer, this.#to, CHUNK_BYTES),
    )
  }

  /** Gives lines to the program until it has no more room for rows, or there are none. */
  take(): void {
    const { program } = this.#machine
    do {
      if (this.#from < this.#wholeTo) this.#from = program.take(this.#from, this.#wholeTo)
    } while (this.#from === this.#wholeTo && this.#readMore())
  }

  close(): void {
    this.#chunks?.return({ wholeBytes: 0, flushedBytes: 0, totalBytes: 0 })
    this.#chunks = undefined
  }

  #readMore(): boolean {
    if (!this.#chunks) return false
    const memory = new Uint8Array(this.#machine.program.memory.buffer)
    memory.copyWithin(this.#start, this.#from, this.#to)
    this.#to -= this.#from - this.#start
    this.#from = this.#start
    const chunk = this.#chunks.next()
    if (chunk.done === true) {
      this.#chunks = undefined
      if (chunk.value.fault !== undefined) throw new Error(`${this.#path}: ${chunk.value.fault}`)
      // A last line without line feed counts.
      if (this.#to > this.#start || this.#skips) memory[this.#to++] = LINE_FEED
    } else {
      const bytes = this.#withoutLongLine(chunk.value.bytes)
      if (bytes.buffer !== memory.buffer || bytes.byteOffset !== this.#to) memory.set(bytes, this.#to)
      this.#to += bytes.length
    }
    memory.fill(0, this.#to, this.#to + SLACK)
    this.#wholeTo = memory.subarray(this.#start, this.#to).lastIndexOf(LINE_FEED) + 1 + this.#start
    return true
  }

  /** An empty line takes the place of one that has no room: neither has rows. */
  #withoutLongLine(bytes: Uint8Array): Uint8Array {
    if (!this.#skips && this.#to - this.#start + bytes.length < BUFFER_BYTES) return bytes
    this.#to = this.#start
    const end = bytes.indexOf(LINE_FEED)
    this.#skips = end < 0
    return this.#skips ? bytes.subarray(bytes.length) : bytes.subarray(end)
  }
}
