import { LineHeadReader, type LineFacts } from './line-head.js'
import type { Manifest } from './manifest.js'
import { parseLine } from './raw-line.js'
import { decodeSegment, type DecodeResult } from './decode-segment.js'
import { returnPlainHeads, takePlainHeads, type PlainHeads } from './plain-heads.js'
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
  const plain = takePlainHeads()
  try {
    return yield* scanWith(plain, path, to, onBytes)
  } finally {
    if (plain) returnPlainHeads(plain)
  }
}

function* scanWith(
  plain: PlainHeads | undefined,
  path: string,
  to: number,
  onBytes: ((bytes: Uint8Array) => void) | undefined,
): Generator<undefined, SegmentScan> {
  const lines = new LineCount(plain)
  let certain = lines.facts
  const whole = yield* eachLine(path, 0, to, {
    line: (_block, from, to, head) => lines.add(to - from, head),
    frameEnded: () => (certain = lines.facts),
    ...(onBytes && { bytes: onBytes }),
    ...(plain && { room: plain.room, plain: (from, to) => lines.addPlain(from, to) }),
  })
  if (whole.decode.fault === undefined) return { facts: lines.facts, decode: whole.decode, cutLines: whole.unfinished }

  // Lines behind the last whole zstd frame have no checksum: they are read again, and each must prove itself.
  let doubtful = 0
  const torn = yield* eachLine(path, whole.decode.wholeBytes, to, {
    line: (block, from, to, head) => {
      if (doubtful === 0 && isWhole(block.subarray(from, to))) count(to - from, head, certain)
      else doubtful++
    },
  })
  return { facts: certain, decode: whole.decode, cutLines: doubtful + torn.unfinished }
}

interface LineVisitor {
  /** Of a line, without its line feed, and what its head says. */
  line: (block: Buffer, from: number, to: number, head: LineFacts | undefined) => void
  frameEnded?: () => void
  bytes?: (bytes: Uint8Array) => void
  /** Where what is decoded goes; what `plain` takes of it from a place on need not be visited. It returns where it ended. */
  room?: Buffer
  plain?: (from: number, to: number) => number
}

/** Calls `visit.line` for every line from a compressed offset on; `unfinished` is 1 if bytes without a line feed remain. */
function* eachLine(
  path: string,
  from: number,
  to: number,
  visit: LineVisitor,
): Generator<undefined, { decode: DecodeResult; unfinished: number }> {
  const { room } = visit
  const decoder = decodeSegment(path, from, to, room && (() => room))
  const heads = new LineHeadReader()
  // Copies: the decoder's memory is used again for the next chunk.
  let rest: Buffer[] = []
  for (;;) {
    const next = decoder.next()
    if (next.done) return { decode: next.value, unfinished: rest.length > 0 ? 1 : 0 }
    const { bytes, frameEnded } = next.value
    visit.bytes?.(bytes)
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    const mayBePlain = chunk.buffer === room?.buffer
    let at = 0
    if (rest.length > 0) {
      at = endOfLine(chunk, 0) + 1
      if (at > 0) {
        const line = Buffer.concat([...rest, chunk.subarray(0, at - 1)])
        visit.line(line, 0, line.length, heads.read(line, 0, line.length))
        rest = []
      }
    }
    while (rest.length === 0) {
      if (mayBePlain && visit.plain) at = visit.plain(at, chunk.length)
      const end = endOfLine(chunk, at)
      if (end < 0) break
      visit.line(chunk, at, end, heads.read(chunk, at, end))
      at = end + 1
    }
    if (at < chunk.length) rest.push(Buffer.from(chunk.subarray(at)))
    if (frameEnded) visit.frameEnded?.()
    yield
  }
}

/** What the lines so far come to: those that were counted as plain ones, and all others. */
class LineCount {
  readonly #plain: PlainHeads | undefined
  readonly #others: SegmentFacts = { frames: 0, bytes_raw: 0, first_recv_us: 0, last_recv_us: 0, connections: {} }
  #plainBytes = 0

  constructor(plain: PlainHeads | undefined) {
    this.#plain = plain
  }

  add(bytes: number, head: LineFacts | undefined): void {
    count(bytes, head, this.#others)
    // The first line of each connection comes here, so that they are in the order in which they came.
    if (head) this.#plain?.know(head.conn)
  }

  addPlain(from: number, to: number): number {
    const end = this.#plain?.count(from, to) ?? from
    this.#plainBytes += end - from
    return end
  }

  get facts(): SegmentFacts {
    const facts = structuredClone(this.#others)
    const plain = this.#plain?.counted
    if (!plain || plain.frames === 0) return facts
    facts.frames += plain.frames
    facts.bytes_raw += this.#plainBytes
    countTimes(plain.firstRecvUs, plain.lastRecvUs, facts)
    for (const { name, frames, firstSeq, lastSeq } of plain.connections)
      countSeqs(name, frames, firstSeq, lastSeq, facts)
    return facts
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
  countTimes(head.recvUs, head.recvUs, facts)
  countSeqs(head.conn, 1, head.seq, head.seq, facts)
}

function countTimes(firstUs: number, lastUs: number, facts: SegmentFacts): void {
  if (facts.first_recv_us === 0 || firstUs < facts.first_recv_us) facts.first_recv_us = firstUs
  if (lastUs > facts.last_recv_us) facts.last_recv_us = lastUs
}

function countSeqs(conn: string, frames: number, first: number, last: number, facts: SegmentFacts): void {
  const connection = facts.connections[conn]
  if (connection === undefined) {
    facts.connections[conn] = { frames, first_seq: first, last_seq: last }
    return
  }
  connection.frames += frames
  connection.first_seq = Math.min(connection.first_seq, first)
  connection.last_seq = Math.max(connection.last_seq, last)
}
