/** What is used of zstd: its low-level API alone reports how many bytes were consumed, which is what recovery lives on. */
export interface Zstd {
  CCtx: new () => Compressor
  DCtx: new () => Decompressor
  /** The most bytes that so many can become. */
  compressBound(bytes: number): number
}

/** What a step left to do (0: nothing), how many bytes it made, and how many it took. */
export type Step = readonly [remaining: number, produced: number, taken: number]

export interface Compressor {
  setParameter(parameter: number, value: number): void
  setPledgedSrcSize(bytes: number): void
  /** @returns how many bytes of `target` it filled */
  compress2(target: Uint8Array, source: Uint8Array): number
  compressStream2(target: Uint8Array, source: Uint8Array, directive: number): Step
}

export interface Decompressor {
  decompressStream(target: Uint8Array, source: Uint8Array): Step
}
