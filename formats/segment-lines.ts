import { decodeSegment } from './decode-segment.js'
import { LineHeadReader, type LineFacts } from './line-head.js'
import { isOpenPath, type SegmentName } from './raw-path.js'
import { endOfLine, type StoredLine } from './stored-line.js'

export interface SegmentEar {
  /** Hears what stands behind the last whole line: a torn tail, or damage. */
  torn(why: string): void
  /** Bytes of the file that were taken. */
  read?(bytes: number): void
}

/**
 * The lines of a segment, open or sealed, whole or torn, as they stand: all zstd frames, and of a torn one what decodes.
 * They come a decoded block at a time, 1 MiB at most and a longer line alone. A line that is none of ours has the receive
 * time of the one before it.
 * @param Line what is made of each: a line, or what a reader knows more of it
 */
export function* segmentLines<L extends StoredLine>(
  path: string,
  segment: SegmentName | undefined,
  ear: SegmentEar,
  Line: new (block: Buffer, from: number, to: number, facts: LineFacts, segment: SegmentName | undefined) => L,
): Generator<L[], void> {
  const heads = new LineHeadReader()
  const chunks = decodeSegment(path)
  let consumed = 0
  let recvUs = -Infinity
  let rest: Buffer[] = []
  try {
    for (;;) {
      const next = chunks.next()
      if (next.done) {
        const { fault, wholeBytes, flushedBytes, totalBytes } = next.value
        const restBytes = rest.reduce((sum, { length }) => sum + length, 0)
        // One that is being written ends with a whole block, most of the time.
        const isFlushed = flushedBytes === totalBytes && restBytes === 0 && isOpenPath(path)
        if (fault !== undefined && !isFlushed)
          ear.torn(`${fault}: ${totalBytes - wholeBytes} bytes behind the last whole zstd frame`)
        else if (restBytes > 0) ear.torn(`${restBytes} bytes behind the last line feed`)
        return
      }
      ear.read?.(next.value.consumed - consumed)
      consumed = next.value.consumed
      const { bytes } = next.value
      if (!bytes.includes(0x0a)) {
        rest.push(Buffer.from(bytes))
        continue
      }
      // A copy: the decoder's memory is used again for the next chunk, and frames outlive it.
      const block = Buffer.concat([...rest, bytes])
      const lines: L[] = []
      let from = 0
      for (let to = endOfLine(block, from); to >= 0; to = endOfLine(block, from)) {
        const facts = heads.read(block, from, to)
        recvUs = facts?.recvUs ?? recvUs
        lines.push(new Line(block, from, to, facts ?? foreign(recvUs), segment))
        from = to + 1
      }
      rest = from < block.length ? [block.subarray(from)] : []
      yield lines
    }
  } finally {
    // Whoever stops early leaves no file open.
    chunks.return({ wholeBytes: consumed, flushedBytes: consumed, totalBytes: consumed })
  }
}

function foreign(recvUs: number) {
  return { recvUs, conn: '', seq: 0, encoding: 'frame', payloadFrom: -1 } as const
}
