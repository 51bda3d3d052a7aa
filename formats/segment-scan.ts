import { LineHeadReader, type LineFacts } from './line-head.js'
import type { Manifest } from './manifest.js'
import { parseLine } from './raw-line.js'
import { decodeSegment, type DecodeResult } from './decode-segment.js'
import { endOfLine } from './stored-line.js'

/** What a segment's lines say about it. */
export type SegmentFacts = Pick<Manifest, 'frames' | 'bytes_raw' | 'first_recv_us' | 'last_recv_us' | 'connections'>

export interface SegmentScan {
  facts: SegmentFacts
  decode: DecodeResult
  /** Lines decoded, whole or not, that are not kept. */
  cutLines: number
}

/**
 * Reads an open segment from its first byte and finds how much of it holds: every line of whole zstd frames, and of a
 * torn one the leading lines that are whole and parse. Yields now and then, so that a caller can let other work run.
 * @param to what lies behind this offset of the file does not count
 * @param onBytes gets all that could be decoded, piece by piece; valid until it returns
 */
export function* scanSegment(
  path: string,
  to = Infinity,
  onBytes?: (bytes: Uint8Array) => void,
): Generator<undefined, SegmentScan> {
  let facts: SegmentFacts = { frames: 0, bytes_raw: 0, first_recv_us: 0, last_recv_us: 0, connections: {} }
  let certain = structuredClone(facts)
  const whole = yield* eachLine(path, 0, to, {
    line: (_block, from, to, head) => count(to - from, head, facts),
    frameEnded: () => (certain = structuredClone(facts)),
    ...(onBytes && { bytes: onBytes }),
  })
  if (whole.decode.fault === undefined) return { facts, decode: whole.decode, cutLines: whole.unfinished }

  // Lines behind the last whole zstd frame have no checksum: they are read again, and each must prove itself.
  facts = certain
  let doubtful = 0
  const torn = yield* eachLine(path, whole.decode.wholeBytes, to, {
    line: (block, from, to, head) => {
      if (doubtful === 0 && isWhole(block.subarray(from, to))) count(to - from, head, facts)
      else doubtful++
    },
  })
  return { facts, decode: whole.decode, cutLines: doubtful + torn.unfinished }
}

interface LineVisitor {
  /** Of a line, without its line feed, and what its head says. */
  line: (block: Buffer, from: number, to: number, head: LineFacts | undefined) => void
  frameEnded?: () => void
  bytes?: (bytes: Uint8Array) => void
}

/** Calls `visit.line` for every line from a compressed offset on; `unfinished` is 1 if bytes without a line feed remain. */
function* eachLine(
  path: string,
  from: number,
  to: number,
  visit: LineVisitor,
): Generator<undefined, { decode: DecodeResult; unfinished: number }> {
  const decoder = decodeSegment(path, from, to)
  const heads = new LineHeadReader()
  let rest: Buffer[] = []
  for (;;) {
    const next = decoder.next()
    if (next.done) return { decode: next.value, unfinished: rest.length > 0 ? 1 : 0 }
    const { bytes, frameEnded } = next.value
    visit.bytes?.(bytes)
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    // A copy of what is kept: the decoder's memory is used again for the next chunk.
    if (endOfLine(chunk, 0) < 0) {
      if (chunk.length > 0) rest.push(Buffer.from(chunk))
    } else {
      const block = rest.length > 0 ? Buffer.concat([...rest, chunk]) : chunk
      let at = 0
      for (let end = endOfLine(block, at); end >= 0; end = endOfLine(block, at)) {
        visit.line(block, at, end, heads.read(block, at, end))
        at = end + 1
      }
      rest = at < block.length ? [Buffer.from(block.subarray(at))] : []
    }
    if (frameEnded) visit.frameEnded?.()
    yield
  }
}

function isWhole(line: Buffer): boolean {
  try {
    JSON.parse(line.toString('utf8'))
    return parseLine(line) !== undefined
  } catch {
    // Not JSON: exactly what is asked here.
    return false
  }
}

function count(bytes: number, head: LineFacts | undefined, facts: SegmentFacts): void {
  facts.bytes_raw += bytes + 1
  facts.frames++
  if (!head) return
  if (facts.first_recv_us === 0 || head.recvUs < facts.first_recv_us) facts.first_recv_us = head.recvUs
  if (head.recvUs > facts.last_recv_us) facts.last_recv_us = head.recvUs
  const connection = facts.connections[head.conn]
  if (connection === undefined) facts.connections[head.conn] = { frames: 1, first_seq: head.seq, last_seq: head.seq }
  else {
    connection.frames++
    connection.first_seq = Math.min(connection.first_seq, head.seq)
    connection.last_seq = Math.max(connection.last_seq, head.seq)
  }
}
