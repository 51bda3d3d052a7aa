import { createRequire } from 'node:module'
import { hasErrno, messageOf } from './edge-error.js'
import type { Compressor, Decompressor, Zstd } from './zstd-api.js'
import { loadWasmZstd } from './zstd-wasm.js'

/** Names of `zstd.h`. */
export const EndDirective = { continue: 0, flush: 1, end: 2 } as const
const CParameter = {
  compressionLevel: 100,
  windowLog: 101,
  hashLog: 102,
  searchLog: 104,
  minMatch: 105,
  contentSizeFlag: 200,
  checksumFlag: 201,
  blockSplitterLevel: 1017,
} as const

/** Why the addon is not used: it is not there, or not for this machine. */
let withoutAddon: string | undefined

let loaded: Zstd | undefined
/** Loaded where it is first used: most of what imports this does without. */
const zstd = () => (loaded ??= load())
export const compressBound = (bytes: number) => zstd().compressBound(bytes)

/** Why zstd runs as WebAssembly, several times slower; undefined where the addon is there. */
export function zstdIsSlow(): string | undefined {
  zstd()
  return withoutAddon
}

/** The addon where it could be had, else the same library as WebAssembly: a machine needs no compiler. */
function load(): Zstd {
  try {
    return createRequire(import.meta.url)('zstd-napi/binding.js') as Zstd
  } catch (error) {
    if (!hasErrno(error, 'MODULE_NOT_FOUND', 'ERR_DLOPEN_FAILED')) throw error
    withoutAddon = messageOf(error).split('\n')[0] ?? ''
    return loadWasmZstd()
  }
}

/** Level for what is appended all the time: the recorder must keep up with the exchange, and sealing compresses anew. */
export const APPEND_LEVEL = 1
/** Level of a segment that must be sealed in no time: of lines, those behind it up to 4 make larger files, and take longer. */
export const QUICK_SEAL_LEVEL = 1
/** Level of a sealed segment: written once, kept for years. */
export const SEAL_LEVEL = 9
/** How a compression looks for earlier bytes: size of its table, and in how many places, as powers of 2. */
export interface Search {
  hashLog: number
  searchLog: number
}
/** Of a sealed segment, unless its lines do with less. */
export const SEAL_SEARCH: Readonly<Search> = { hashLog: 17, searchLog: 3 }

/** A context that decodes frames of any kind, one after the other. */
export const frameDecompressor = (): Decompressor => new (zstd().DCtx)()

/** A context that compresses as fast as `APPEND_LEVEL`, and looks back a mebibyte with a table of this size. */
export function fastCompressor(hashLog: number): Compressor {
  const context = new (zstd().CCtx)()
  context.setParameter(CParameter.compressionLevel, APPEND_LEVEL)
  context.setParameter(CParameter.windowLog, 20)
  context.setParameter(CParameter.hashLog, hashLog)
  context.setParameter(CParameter.minMatch, 7)
  return context
}

/**
 * A context whose frames carry a checksum, and their size where it is known beforehand.
 * @param search of `SEAL_LEVEL`
 */
export function frameCompressor(level: number, search = SEAL_SEARCH): Compressor {
  const context = new (zstd().CCtx)()
  context.setParameter(CParameter.compressionLevel, level)
  context.setParameter(CParameter.checksumFlag, 1)
  context.setParameter(CParameter.contentSizeFlag, 1)
  if (level === APPEND_LEVEL) {
    // Small tables: out of the processor's caches between the blocks of a frame, larger ones cost more, and lines compress no better.
    context.setParameter(CParameter.windowLog, 18)
    context.setParameter(CParameter.hashLog, 11)
  } else if (level === SEAL_LEVEL) {
    // Tables that fit the processor's caches, and fewer places looked at: of lines, files are 1 % larger, in two thirds of the time.
    // Beyond 1 MiB lines find next to nothing that they do not find nearer; and where blocks might be split is not worth a twentieth of it.
    context.setParameter(CParameter.windowLog, 20)
    context.setParameter(CParameter.hashLog, search.hashLog)
    context.setParameter(CParameter.searchLog, search.searchLog)
    context.setParameter(CParameter.minMatch, 6)
    context.setParameter(CParameter.blockSplitterLevel, 1)
  }
  return context
}
