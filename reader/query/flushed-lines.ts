import { createWriteStream } from 'node:fs'
import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import { APPEND_LEVEL } from '../../platform/zstd.js'
import { CompressStream } from '../../platform/zstd-streams.js'
import { decodeSegment } from '../../formats/decode-segment.js'

const LINE_FEED = 0x0a

/**
 * Copies the whole lines of a segment, open or sealed, to a zstd file of one frame: what an open one holds up to its
 * last flush. Memory: a chunk, and the longest line.
 * @returns how many lines
 */
export async function copyLines(path: string, target: string): Promise<number> {
  const compressor = new CompressStream(APPEND_LEVEL)
  const file = createWriteStream(target)
  compressor.pipe(file)
  const written = finished(file)
  let lines = 0
  let rest: Buffer[] = []
  for (const { bytes } of decodeSegment(path)) {
    // A copy: the decoder's memory is used again for the next chunk.
    const chunk = Buffer.from(bytes)
    const end = chunk.lastIndexOf(LINE_FEED) + 1
    if (end > 0) {
      for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, at + 1)) lines++
      for (const piece of [...rest, chunk.subarray(0, end)])
        if (piece.length > 0 && !compressor.write(piece)) await once(compressor, 'drain')
      rest = []
    }
    if (end < chunk.length) rest.push(chunk.subarray(end))
  }
  compressor.end()
  await written
  return lines
}
