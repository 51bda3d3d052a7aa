import { compressBound, fastCompressor, SEAL_SEARCH, type Search } from '../../platform/zstd.js'

/** So many bytes of lines show how far back they repeat … */
export const SAMPLE_BYTES = 1024 * 1024
/** … and are worth asking of so many: asking takes as long as sealing half of the sample. */
export const ASKED_FROM_BYTES = 4 * SAMPLE_BYTES

/** Lines that repeat what stands near: a small table finds as much, in less time, and what it finds is spelled in fewer bits … */
const NEAR: Search = { ...SEAL_SEARCH, hashLog: 15 }
/** … of which those that repeat the very last ones need not be looked for in many places. */
const VERY_NEAR: Search = { ...NEAR, searchLog: 2 }

/** Tables of a fast compression: by what the smaller one makes of the sample, against the larger one, it is known how far back lines repeat. */
const [SMALL_LOG, LARGE_LOG] = [12, 16]
const [FAR_FROM, VERY_NEAR_TO] = [1.02, 0.95]

/**
 * How the seal of a segment is to look for earlier bytes. Quotes and trades repeat the last lines; tickers of hundreds of
 * instruments repeat what was said of the same one long ago, and would be a third larger with a small table, or several
 * times as large where they come in turns.
 * @param sample the first lines
 */
export function searchFor(sample: Uint8Array): Search {
  const target = Buffer.allocUnsafeSlow(compressBound(sample.length))
  const bytesWith = (hashLog: number) => fastCompressor(hashLog).compress2(target, sample)
  const ratio = bytesWith(SMALL_LOG) / bytesWith(LARGE_LOG)
  if (ratio > FAR_FROM) return SEAL_SEARCH
  return ratio < VERY_NEAR_TO ? VERY_NEAR : NEAR
}
