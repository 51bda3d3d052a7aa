import { chunked } from '../chunks.js'

/** The exchange takes at most 500 channels in a call and refuses frames over 32 kB; envelope and quotes need room. */
export const CHANNELS_PER_CALL = 500
const NAMES_BYTES_MAX = 30_000

/** Cuts a list of channels into calls that the exchange takes. */
export function chunkChannels(channels: readonly string[]): string[][] {
  const limits = { countMax: CHANNELS_PER_CALL, bytesMax: NAMES_BYTES_MAX }
  return chunked(channels, limits, channel => Buffer.byteLength(channel) + 3)
}
