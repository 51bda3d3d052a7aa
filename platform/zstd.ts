import binding, { type CCtx as Compressor } from 'zstd-napi/binding.js'

// A CommonJS module without names that could be imported one by one. Its low-level API alone tells how many bytes were
// consumed, which is what recovery lives on.
export const { CCtx, DCtx, CParameter, EndDirective, ResetDirective, compressBound } = binding
export type { Compressor }

/** Level for what is appended all the time: the recorder must keep up with the exchange, and sealing compresses anew. */
export const APPEND_LEVEL = 1
/** Level of a segment that must be sealed in no time. */
export const QUICK_SEAL_LEVEL = 3
/** Level of a sealed segment: written once, kept for years. */
export const SEAL_LEVEL = 9

/** A context whose frames carry their size and a checksum. */
export function frameCompressor(level: number): Compressor {
  const context = new CCtx()
  context.setParameter(CParameter.compressionLevel, level)
  context.setParameter(CParameter.checksumFlag, 1)
  context.setParameter(CParameter.contentSizeFlag, 1)
  return context
}
