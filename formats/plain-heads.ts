import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../platform/package-info.js'
import { wasmProgram } from '../platform/web-assembly.js'
import { CHUNK_BYTES } from './decode-segment.js'

const NAMES_MAX = 32
const NAME_BYTES = 32
/** What stands for a connection, and before those for all of them. */
const FACTS = 3

/** What `deploy/heads-wasm/build.sh` makes; numbers are places in its memory. */
interface Program {
  memory: { readonly buffer: ArrayBuffer }
  chunk: { readonly value: number }
  names: { readonly value: number }
  known: { readonly value: number }
  counts: { readonly value: number }
  begin(): void
  countLines(from: number, to: number): number
}

/** Of lines that were counted; times and numbers as the lines have them. */
export interface PlainCounts {
  frames: number
  firstRecvUs: number
  lastRecvUs: number
  connections: { name: string; frames: number; firstSeq: number; lastSeq: number }[]
}

/**
 * Counts lines whose heads are plain, in WebAssembly: digits and names as the recorder writes them, of connections that it
 * was told of. That is a tenth of what it takes to read their heads; what it leaves is to be read as any line.
 */
export class PlainHeads {
  /** Where what is decoded is to be written. */
  readonly room: Buffer
  readonly #program: Program
  readonly #names: Buffer
  readonly #known: Uint32Array
  readonly #counts: Float64Array
  #connections: string[] = []

  constructor(program: Program) {
    const { buffer } = program.memory
    this.#program = program
    this.room = Buffer.from(buffer, program.chunk.value, CHUNK_BYTES)
    this.#names = Buffer.from(buffer, program.names.value, NAMES_MAX * (NAME_BYTES + 1))
    this.#known = new Uint32Array(buffer, program.known.value, 1)
    this.#counts = new Float64Array(buffer, program.counts.value, FACTS * (1 + NAMES_MAX))
  }

  /** Forgets all that was counted. */
  begin(): void {
    this.#connections = []
    this.#program.begin()
  }

  /** From now on lines of this connection are counted, too, where there is room for it. */
  know(conn: string): void {
    const index = this.#connections.length
    if (index === NAMES_MAX || this.#connections.includes(conn)) return
    this.#names.write(`${conn}"`, index * (NAME_BYTES + 1), 'latin1')
    this.#connections.push(conn)
    this.#known[0] = index + 1
  }

  /** Counts the lines in the room from `from` on; returns where the first begins that is not plain, or not whole. */
  count(from: number, to: number): number {
    return this.#program.countLines(from, to)
  }

  get counted(): PlainCounts {
    const [frames = 0, firstRecvUs = 0, lastRecvUs = 0, ...each] = this.#counts
    const connections = this.#connections.flatMap((name, index) => {
      const [frames = 0, firstSeq = 0, lastSeq = 0] = each.slice(FACTS * index)
      return frames > 0 ? [{ name, frames, firstSeq, lastSeq }] : []
    })
    return { frames, firstRecvUs, lastRecvUs, connections }
  }
}

let begin: (() => unknown) | undefined
let hasNone = false
/** Of those who are done with them. */
const idle: PlainHeads[] = []

/** To be given back to `returnPlainHeads`; undefined where there is no WebAssembly that can do so, or no memory for it. */
export function takePlainHeads(): PlainHeads | undefined {
  if (hasNone) return undefined
  const heads = idle.pop()
  heads?.begin()
  try {
    return heads ?? newPlainHeads()
  } catch {
    hasNone = true
    return undefined
  }
}

export function returnPlainHeads(heads: PlainHeads): void {
  idle.push(heads)
}

/** @throws Error where there is no WebAssembly that can do so */
export function newPlainHeads(): PlainHeads {
  begin ??= wasmProgram(readFileSync(join(packageRoot, 'formats', 'line-heads.wasm')))
  return new PlainHeads(begin() as Program)
}
