import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { packageRoot } from './package-info.js'
import { wasmProgram } from './web-assembly.js'
import type { Compressor, Decompressor, Step, Zstd } from './zstd-api.js'

/** As much of the input is handed over at once: frames are short, and what is behind one would be handed over again. */
const INPUT_MAX = 128 * 1024

/** What `deploy/zstd-wasm/build.sh` makes of zstd; numbers are places in its memory, or counts. */
interface Exports {
  memory: { readonly buffer: ArrayBuffer }
  _initialize(): void
  malloc(bytes: number): number
  free(at: number): void
  ez_taken(): number
  ez_produced(): number
  ez_compress(context: number, to: number, toBytes: number, from: number, fromBytes: number, directive: number): number
  ez_decompress(context: number, to: number, toBytes: number, from: number, fromBytes: number): number
  ez_pledge(context: number, bytes: number): number
  ZSTD_createCCtx(): number
  ZSTD_createDCtx(): number
  ZSTD_CCtx_setParameter(context: number, parameter: number, value: number): number
  ZSTD_compress2(context: number, to: number, toBytes: number, from: number, fromBytes: number): number
  ZSTD_compressBound(bytes: number): number
  ZSTD_isError(code: number): number
  ZSTD_getErrorName(code: number): number
}

/** zstd without an addon: the same library, for every machine and Node. */
export function loadWasmZstd(): Zstd {
  const program = wasmProgram(gunzipSync(readFileSync(join(packageRoot, 'platform', 'zstd.wasm.gz'))))
  // Each context has a memory of its own, which is gone when it is collected.
  const begin = () => new Room(program() as Exports)
  const measure = begin()
  return {
    CCtx: class extends WasmCompressor {
      constructor() {
        super(begin())
      }
    },
    DCtx: class extends WasmDecompressor {
      constructor() {
        super(begin())
      }
    },
    compressBound: bytes => measure.zstd.ZSTD_compressBound(bytes),
  }
}

/** The memory of an instance: a place for what goes in, and one for what comes out. */
class Room {
  readonly #places = new Map<'in' | 'out', { at: number; bytes: number }>()

  constructor(readonly zstd: Exports) {
    zstd._initialize()
  }

  /** Places what goes in, and makes room for what comes out. Whatever grows may move all, so it comes first. */
  place(source: Uint8Array, targetBytes: number): { from: number; to: number } {
    const to = this.#placeOf('out', targetBytes)
    const from = this.#placeOf('in', source.length)
    new Uint8Array(this.zstd.memory.buffer).set(source, from)
    return { from, to }
  }

  take(at: number, bytes: number, target: Uint8Array): void {
    target.set(new Uint8Array(this.zstd.memory.buffer, at, bytes))
  }

  /** @throws Error with zstd's name of what is wrong */
  checked(code: number): number {
    // Counts are unsigned there.
    const result = code >>> 0
    if (this.zstd.ZSTD_isError(code) === 0) return result
    const memory = Buffer.from(this.zstd.memory.buffer)
    const at = this.zstd.ZSTD_getErrorName(code)
    throw new Error(memory.toString('latin1', at, memory.indexOf(0, at)))
  }

  step(code: number, to: number, target: Uint8Array): Step {
    const remaining = this.checked(code)
    const produced = this.zstd.ez_produced()
    this.take(to, produced, target)
    return [remaining, produced, this.zstd.ez_taken()]
  }

  #placeOf(what: 'in' | 'out', bytes: number): number {
    const { zstd } = this
    const place = this.#places.get(what)
    if (place && place.bytes >= bytes) return place.at
    if (place) zstd.free(place.at)
    const at = zstd.malloc(bytes)
    if (at === 0) throw new Error(`zstd has no memory for ${bytes} bytes`)
    this.#places.set(what, { at, bytes })
    return at
  }
}

class WasmCompressor implements Compressor {
  readonly #room: Room
  readonly #context: number

  constructor(room: Room) {
    this.#room = room
    this.#context = room.zstd.ZSTD_createCCtx()
  }

  setParameter(parameter: number, value: number): void {
    this.#room.checked(this.#room.zstd.ZSTD_CCtx_setParameter(this.#context, parameter, value))
  }

  setPledgedSrcSize(bytes: number): void {
    this.#room.checked(this.#room.zstd.ez_pledge(this.#context, bytes))
  }

  compress2(target: Uint8Array, source: Uint8Array): number {
    const room = this.#room
    const { from, to } = room.place(source, target.length)
    const produced = room.checked(room.zstd.ZSTD_compress2(this.#context, to, target.length, from, source.length))
    room.take(to, produced, target)
    return produced
  }

  compressStream2(target: Uint8Array, source: Uint8Array, directive: number): Step {
    const room = this.#room
    const { from, to } = room.place(source, target.length)
    const code = room.zstd.ez_compress(this.#context, to, target.length, from, source.length, directive)
    return room.step(code, to, target)
  }
}

class WasmDecompressor implements Decompressor {
  readonly #room: Room
  readonly #context: number

  constructor(room: Room) {
    this.#room = room
    this.#context = room.zstd.ZSTD_createDCtx()
  }

  decompressStream(target: Uint8Array, source: Uint8Array): Step {
    const room = this.#room
    const piece = source.subarray(0, INPUT_MAX)
    const { from, to } = room.place(piece, target.length)
    return room.step(room.zstd.ez_decompress(this.#context, to, target.length, from, piece.length), to, target)
  }
}
