/** Heads counted in WebAssembly and in JavaScript come to the same, whatever the lines are. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { LineHeadReader } from '../../formats/line-head.js'
import { newPlainHeads, type PlainHeads } from '../../formats/plain-heads.js'
import { lineHead, type FrameEncoding } from '../../formats/raw-line.js'
import { endOfLine } from '../../formats/stored-line.js'
import { holds } from '../fixtures/holds.js'
import { madeOfItsSource } from '../fixtures/committed-wasm.js'

const plain = newPlainHeads()

t.test('the committed file was made of the source that stands beside it', t => {
  madeOfItsSource(t, 'formats/line-heads.wasm', 'heads-wasm')
  t.end()
})

interface Counts {
  frames: number
  recvUs: number[]
  connections: Map<string, { frames: number; seqs: number[] }>
}

/** By the reader of heads alone: of all whole lines, or of those that the other one leaves. */
function readEach(lines: Buffer, skip: (at: number) => number, told: (conn: string) => void): Counts {
  const counts: Counts = { frames: 0, recvUs: [], connections: new Map() }
  const heads = new LineHeadReader()
  for (let at = skip(0), end = endOfLine(lines, at); end >= 0; at = skip(end + 1), end = endOfLine(lines, at)) {
    const head = heads.read(lines, at, end)
    if (!head) continue
    counts.frames++
    counts.recvUs.push(head.recvUs)
    add(counts, head.conn, 1, head.seq)
    told(head.conn)
  }
  return counts
}

function add({ connections }: Counts, conn: string, frames: number, ...seqs: number[]): void {
  const own = connections.get(conn) ?? { frames: 0, seqs: [] }
  connections.set(conn, { frames: own.frames + frames, seqs: [...own.seqs, ...seqs] })
}

const spans = ({ frames, recvUs, connections }: Counts) => ({
  frames,
  // The reader of segments takes a time of 0 for none.
  recvUs: [Math.min(...recvUs.filter(us => us > 0)), Math.max(0, ...recvUs)],
  connections: [...connections].map(([conn, own]) => [conn, own.frames, Math.min(...own.seqs), Math.max(...own.seqs)]),
})

/** @returns how many lines were counted in WebAssembly */
function agree(heads: PlainHeads, lines: Buffer): number {
  heads.begin()
  lines.copy(heads.room)
  const both = readEach(
    lines,
    at => heads.count(at, lines.length),
    conn => heads.know(conn),
  )
  const { frames, firstRecvUs, lastRecvUs, connections } = heads.counted
  both.frames += frames
  if (frames > 0) both.recvUs.push(firstRecvUs, lastRecvUs)
  for (const { name, frames, firstSeq, lastSeq } of connections) add(both, name, frames, firstSeq, lastSeq)
  const alone = readEach(
    lines,
    at => at,
    () => undefined,
  )
  assert.deepEqual(spans(both), spans(alone), lines.toString())
  return frames
}

const conn = fc.oneof(
  { arbitrary: fc.constantFrom('d1', 'd2', 'd10', 'd1.http'), weight: 9 },
  { arbitrary: fc.stringMatching(/^[A-Za-z0-9._-]{1,32}$/), weight: 1 },
)
const count = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constantFrom(1, 9_999_999_999_999_999, 99_999_999_999_999_999))
const line = fc
  .record({
    recvUs: count.filter(us => us > 0),
    conn,
    seq: count,
    encoding: fc.constantFrom<FrameEncoding>('frame', 'text', 'base64'),
    frame: fc.oneof(fc.json(), fc.constantFrom('', '}', '"a"', 'x'.repeat(200))),
  })
  .map(({ recvUs, conn, seq, encoding, frame }) => `${lineHead(recvUs, conn, seq, encoding)}${frame}}\n`)
const change = fc.record({
  at: fc.nat(),
  cut: fc.nat({ max: 3 }),
  put: fc.constantFrom('', '"', '}', ',', '9', 'x', ' ', '\\', '\u0000', 'é', '{', ':', '\n'),
})
const changed = fc.tuple(line, fc.array(change, { maxLength: 1 })).map(([line, changes]) => {
  let bytes = Buffer.from(line)
  for (const { at, cut, put } of changes) {
    const place = at % (bytes.length + 1)
    bytes = Buffer.concat([bytes.subarray(0, place), Buffer.from(put), bytes.subarray(place + cut)])
  }
  return bytes
})

t.test('of lines as they are written, or with a byte changed, ended anywhere', t => {
  let counted = 0
  holds(
    t,
    fc.property(fc.array(changed, { minLength: 10, maxLength: 30 }), fc.nat({ max: 40 }), (lines, cut) => {
      const whole = Buffer.concat(lines)
      counted += agree(plain, whole.subarray(0, Math.max(0, whole.length - cut)))
    }),
    { numRuns: 500 },
  )
  t.ok(counted > 1000, `${counted} lines were counted`)
  t.end()
})

const lineOf = (conn: string, seq: number, frame = '{"a":1}') =>
  `${lineHead(1_795_982_967_291_643 + seq, conn, seq, 'frame')}${frame}}\n`

t.test('all but the first line of each connection are counted, of as many connections as it has room for', t => {
  const conns = Array.from({ length: 40 }, (_, index) => `d${index}`)
  const lines = (of: readonly string[]) =>
    Buffer.from(of.flatMap(conn => [1, 2, 3].map(seq => lineOf(conn, seq))).join(''))
  for (const room of [1, 2, 31, 32]) t.equal(agree(plain, lines(conns.slice(0, room))), 2 * room)
  t.equal(agree(plain, lines(conns)), 2 * 32)
  t.end()
})

t.test('a line is found to its end wherever that is, and what lies behind all lines is none', t => {
  for (let bytes = 0; bytes < 200; bytes++) {
    const frame = `"${'x'.repeat(bytes)}"`
    const lines = [1, 2, 3].map(seq => lineOf('d1', seq, frame)).join('')
    t.equal(agree(plain, Buffer.from(lines)), 2)
    // Of the last line only the line feed is missing, which still stands in the room.
    assert.equal(agree(plain, Buffer.from(lines.slice(0, -1))), 1)
  }
  t.end()
})

t.test('lines up to the very end of the room', t => {
  const filled = lineOf('d1', 2, '0'.repeat(plain.room.length - lineOf('d1', 1).length - lineOf('d1', 2, '').length))
  t.equal(agree(plain, Buffer.from(lineOf('d1', 1) + filled)), 1)
  t.equal(agree(plain, Buffer.from(`${lineOf('d1', 1)}${filled.slice(0, -1)} `)), 0, 'no line feed')
  const heads = lineOf('d1', 1) + filled.slice(0, -40) + lineOf('d1', 3).slice(0, 40)
  t.equal(agree(plain, Buffer.from(heads)), 0, 'a head that goes on behind it')
  t.end()
})
