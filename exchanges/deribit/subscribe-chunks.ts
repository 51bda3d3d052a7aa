/** The exchange takes at most 500 channels in a call and refuses frames over 32 kB; envelope and quotes need room. */
export const CHANNELS_PER_CALL = 500
const NAMES_BYTES_MAX = 30_000

/** Cuts a list of channels into calls that the exchange takes. */
export function chunkChannels(channels: readonly string[]): string[][] {
  const chunks: string[][] = []
  let current: string[] = []
  let bytes = 0
  for (const channel of channels) {
    const size = Buffer.byteLength(channel) + 3
    if (current.length === CHANNELS_PER_CALL || bytes + size > NAMES_BYTES_MAX) {
      chunks.push(current)
      current = []
      bytes = 0
    }
    current.push(channel)
    bytes += size
  }
  if (current.length > 0) chunks.push(current)
  return chunks
}
