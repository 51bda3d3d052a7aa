import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { hourlyName, parseParquetName } from '../../formats/parquet-path.js'
import { encodePayload, LineHead, lineHead, parseLine, type FrameEncoding } from '../../formats/raw-line.js'
import { parseSegmentPath, segmentPath, type SegmentName, type SegmentState } from '../../formats/raw-path.js'
import { holds } from '../fixtures/holds.js'

const value = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,20}$/)
const state = fc.constantFrom<SegmentState>('open', 'sealed', 'manifest', 'rewriting')
const group = fc.oneof(
  fc.record({ channel: value }),
  fc.record({ channel: value, kind: value }),
  fc.record({ channel: value, kind: value, currency: value }),
)
const segment = fc
  .tuple(
    group,
    fc.record({
      exchange: value,
      startedMs: fc.integer({ min: 0, max: 4_000_000_000 }).map(seconds => seconds * 1000),
      host: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,15}$/).filter(host => !host.endsWith('-')),
      run: fc.stringMatching(/^[a-z0-9]{1,12}$/),
      number: fc.integer({ min: 1, max: 1e9 }),
    }),
  )
  .map(([group, rest]): SegmentName => ({ ...group, ...rest }))

t.test('the name of a segment is read back as it was, in every state', t => {
  holds(
    t,
    fc.property(segment, state, (name, state) => {
      assert.deepEqual(parseSegmentPath(segmentPath(name, state)), { name, state })
    }),
  )
  t.end()
})

t.test('a name with a letter changed is another name of ours or none, never misread', t => {
  const letter = fc.constantFrom('/', '-', '_', '.', '=', '0', 'a', 'Z', 'T', ' ', '\n', 'ü', '')
  holds(
    t,
    fc.property(segment, state, fc.nat(), letter, (name, state, at, letter) => {
      const path = segmentPath(name, state)
      const place = at % path.length
      const changed = path.slice(0, place) + letter + path.slice(place + 1)
      const read = parseSegmentPath(changed)
      if (read) assert.equal(segmentPath(read.name, read.state), changed)
    }),
  )
  t.pass()
  t.end()
})

t.test('the Parquet file of a segment names its hour, recorder, run and number', t => {
  holds(
    t,
    fc.property(segment, name => {
      const hour = new Date(name.startedMs).getUTCHours()
      const { host, run, number } = name
      assert.deepEqual(parseParquetName(hourlyName(name)), { hour, host, run, number })
    }),
  )
  t.end()
})

const head = fc.record({
  recvUs: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  conn: fc.stringMatching(/^[A-Za-z0-9._-]{1,32}$/),
  seq: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
})
const bytes = fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes))
const framesOf: Record<FrameEncoding, fc.Arbitrary<Buffer>> = {
  frame: fc.json().map(text => Buffer.from(text)),
  text: fc.string({ unit: 'grapheme' }).map(text => Buffer.from(text)),
  base64: bytes,
}

for (const encoding of ['frame', 'text', 'base64'] as const) {
  t.test(`a frame kept as ${encoding} comes back byte for byte`, t => {
    holds(
      t,
      fc.property(head, framesOf[encoding], ({ recvUs, conn, seq }, frame) => {
        const line = Buffer.concat([
          Buffer.from(lineHead(recvUs, conn, seq, encoding)),
          encodePayload(frame, encoding),
          Buffer.from('}'),
        ])
        const read = parseLine(line)
        assert.deepEqual({ ...read, frame: read?.frame.toString('hex') }, { recvUs, conn, seq, encoding, frame: frame.toString('hex') }) // prettier-ignore
        t.notOk(line.includes('\n') && encoding !== 'frame', 'a line is one line')
      }),
    )
    t.end()
  })
}

t.test('heads that go on from the last one are those that are written as text', t => {
  const step = fc.record({
    /** To the next stamp, µs; sometimes back, sometimes far. */
    us: fc.oneof(fc.integer({ min: 0, max: 2_000 }), fc.integer({ min: -1e9, max: 1e12 })),
    numbers: fc.oneof({ weight: 9, arbitrary: fc.constant(1) }, fc.nat({ max: 1000 })),
    /** Lines that follow with the next numbers. */
    more: fc.nat({ max: 120 }),
  })
  holds(
    t,
    fc.property(
      head,
      fc.array(step, { maxLength: 20 }),
      fc.nat({ max: 10 }),
      ({ recvUs, conn, seq }, steps, offset) => {
        const written = new LineHead(conn)
        const target = Buffer.alloc(200)
        const check = (us: number, number: number) => {
          const end = written.write(target, offset, us, number)
          assert.equal(target.subarray(offset, end).toString(), lineHead(us, conn, number, 'frame'))
        }
        let [us, number] = [recvUs, seq]
        check(us, number)
        for (const { us: later, numbers, more } of steps) {
          us = Math.min(Math.max(us + later, 0), Number.MAX_SAFE_INTEGER)
          number = Math.min(number + numbers, Number.MAX_SAFE_INTEGER - 200)
          for (let line = 0; line <= more; line++) check(us, line === 0 ? number : ++number)
        }
      },
    ),
    { numRuns: 50 },
  )
  t.end()
})

t.test('a line that is cut anywhere is no line, or JSON that never ended', t => {
  holds(
    t,
    fc.property(head, bytes, fc.nat(), ({ recvUs, conn, seq }, frame, at) => {
      const line = Buffer.concat([Buffer.from(lineHead(recvUs, conn, seq, 'base64')), encodePayload(frame, 'base64'), Buffer.from('}')]) // prettier-ignore
      assert.equal(parseLine(line.subarray(0, at % line.length)), undefined)
    }),
  )
  t.end()
})
