import { isUtf8 } from 'node:buffer'
import { gunzipSync, inflateRawSync, inflateSync } from 'node:zlib'

/** How the text in a binary message is compressed: `deflate` has zlib's head and checksum, `deflate-raw` has none. */
export const COMPRESSIONS = ['gzip', 'deflate', 'deflate-raw'] as const
export type Compression = (typeof COMPRESSIONS)[number]

/** No message holds more text: a small one that grows without end is stopped there. */
export const INFLATED_BYTES_MAX = 8 * 1024 * 1024

const inflaters = { gzip: gunzipSync, deflate: inflateSync, 'deflate-raw': inflateRawSync }

/** The text that a message holds, in UTF-8; undefined where it holds none, or too much. For any bytes. */
export function inflatedText(message: Uint8Array, compression: Compression): Buffer | undefined {
  try {
    const text = inflaters[compression](message, { maxOutputLength: INFLATED_BYTES_MAX })
    return text.length > 0 && isUtf8(text) ? text : undefined
  } catch (error) {
    if (error instanceof Error && 'code' in error && typeof error.code === 'string') return undefined
    throw error
  }
}
