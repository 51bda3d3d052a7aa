import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { encodePayload, lineHead, parseLine } from '../../../formats/raw-line.js'
import type { Manifest } from '../../../formats/manifest.js'
import type { SegmentName } from '../../../formats/raw-path.js'
import { proveLine } from '../../../reader/verify/raw/line-proof.js'
import { manifestFaults, type SegmentTruth } from '../../../reader/verify/raw/manifest-proof.js'
import { holds } from '../../fixtures/holds.js'

const head = fc.record({
  recvUs: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  conn: fc.stringMatching(/^[A-Za-z0-9._-]{1,32}$/),
  seq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
})
const payload = fc.oneof(
  fc.json().map(text => ({ encoding: 'frame' as const, bytes: Buffer.from(text) })),
  fc.string({ unit: 'grapheme' }).map(text => ({ encoding: 'text' as const, bytes: Buffer.from(text) })),
  fc.uint8Array({ maxLength: 60 }).map(bytes => ({ encoding: 'base64' as const, bytes: Buffer.from(bytes) })),
)
const line = fc
  .tuple(head, payload)
  .map(([{ recvUs, conn, seq }, { encoding, bytes }]) =>
    Buffer.concat([
      Buffer.from(lineHead(recvUs, conn, seq, encoding)),
      encodePayload(bytes, encoding),
      Buffer.from('}'),
    ]),
  )

/** The frame of a line as a reader gives it; undefined where it can give none. */
function frameOf(line: Buffer): Buffer | undefined {
  try {
    return parseLine(line)?.frame
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

t.test('lines as they are written are proven, all of them', t => {
  holds(
    t,
    fc.property(line, line => {
      assert.deepEqual(proveLine(line).fault, undefined, line.toString())
    }),
    { numRuns: 500 },
  )
  t.end()
})

t.test('whatever a byte became, a line that is proven is one that readers read, and its JSON is JSON', t => {
  const damage = fc.record({
    at: fc.nat(),
    to: fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0x22, 0x5c, 0x7b, 0x7d, 0x0a, 0x00, 0xff, 0xc3, 0x2c)),
    how: fc.constantFrom('change', 'insert', 'remove', 'cut', 'double'),
  })
  let proven = 0
  holds(
    t,
    fc.property(line, damage, (line, { at, to, how }) => {
      const place = at % line.length
      const [before, behind] = [line.subarray(0, place), line.subarray(place)]
      const changed = {
        change: () => Buffer.concat([before, Buffer.from([to]), behind.subarray(1)]),
        insert: () => Buffer.concat([before, Buffer.from([to]), behind]),
        remove: () => Buffer.concat([before, behind.subarray(1)]),
        cut: () => Buffer.from(before),
        double: () => Buffer.concat([line, line]),
      }[how]()
      const { fault, head } = proveLine(changed)
      if (fault) return
      proven++
      const frame = frameOf(changed)
      assert.ok(frame, changed.toString())
      const read = parseLine(changed)
      assert.deepEqual([read?.recvUs, read?.conn, read?.seq], [head?.recvUs, head?.conn, head?.seq])
      if (read?.encoding === 'frame') assert.doesNotThrow(() => JSON.parse(frame.toString('utf8')) as unknown)
    }),
    { numRuns: 3000 },
  )
  t.ok(proven > 50, `${proven} of the damaged lines are lines all the same`)
  t.end()
})

t.test('each way to be damaged has its own name', t => {
  const good = `${lineHead(1, 'd1', 1, 'frame')}{"a":1}}`
  t.equal(proveLine(Buffer.from(good)).fault, undefined)
  for (const [text, code] of [
    ['', 'LINE_HEAD'],
    ['{}', 'LINE_HEAD'],
    [good.replace('recv_us', 'recv_ms'), 'LINE_HEAD'],
    [good.slice(0, -1).replace('}', ''), 'LINE_END'],
    [`${lineHead(1, 'd1', 1, 'frame')}{"a":}}`, 'LINE_NOT_JSON'],
    [`${lineHead(1, 'd1', 1, 'frame')}}`, 'LINE_NOT_JSON'],
    [`${lineHead(1, 'd1', 1, 'text')}5}`, 'LINE_PAYLOAD'],
    [`${lineHead(1, 'd1', 1, 'base64')}"a-b"}`, 'LINE_PAYLOAD'],
    [`${lineHead(1, 'd1', 1, 'base64')}"YQ"}`, 'LINE_PAYLOAD'],
  ] as const)
    t.equal(proveLine(Buffer.from(text)).fault?.code, code, text)
  const broken = Buffer.from(good)
  broken[good.indexOf('"a"') + 1] = 0xff
  t.equal(proveLine(broken).fault?.code, 'LINE_NOT_UTF8')
  t.end()
})

const name: SegmentName = { exchange: 'deribit', channel: 'quote', startedMs: 1_790_000_000_000, host: 'h', run: 'r1', number: 3 } // prettier-ignore
const counted = fc.record({ frames: fc.nat(), first_seq: fc.nat(), last_seq: fc.nat() })
const truth = fc.record({
  sha256: fc.stringMatching(/^[0-9a-f]{64}$/),
  bytes: fc.nat(),
  isReadable: fc.constant(true),
  frames: fc.nat(),
  bytesRaw: fc.nat(),
  firstRecvUs: fc.nat(),
  lastRecvUs: fc.nat(),
  firstLineUs: fc.constant(undefined),
  connections: fc.dictionary(fc.stringMatching(/^d[1-9]$/), counted, { noNullPrototype: true }),
})

/** What a recorder would write of a segment. */
const manifestOf = (truth: SegmentTruth): Manifest => ({
  ...{ format_version: 1, edgetape: '0.1.0', ...name, gaps: [] },
  ...{ frames: truth.frames, bytes_raw: truth.bytesRaw, bytes_compressed: truth.bytes, sha256: truth.sha256 ?? '' },
  ...{ first_recv_us: truth.firstRecvUs, last_recv_us: truth.lastRecvUs, connections: truth.connections },
})

t.test('of a manifest that is true nothing is said, and of each value that is not, once and by its name', t => {
  const fields = ['sha256', 'bytes_compressed', 'exchange', 'channel', 'host', 'run', 'number', 'frames', 'bytes_raw', 'first_recv_us', 'last_recv_us'] as const // prettier-ignore
  holds(
    t,
    fc.property(truth, fc.subarray([...fields]), fc.boolean(), (truth, wrong, isReadable) => {
      const manifest = manifestOf(truth)
      assert.deepEqual(manifestFaults(manifest, name, truth), [])
      const untrue = Object.fromEntries(wrong.map(field => [field, typeof manifest[field] === 'number' ? manifest[field] + 1 : 'x'])) // prettier-ignore
      const found = manifestFaults({ ...manifest, ...untrue }, name, { ...truth, isReadable })
      // What a file that is damaged holds is not known: then nothing is said of it.
      const told = wrong.filter(field => isReadable || fields.indexOf(field) < 7)
      assert.deepEqual(found.map(({ message }) => message.split(' ')[0]).sort(), [...told].sort())
      assert.ok(found.every(({ code }) => code === 'MANIFEST_UNTRUE'))
    }),
    { numRuns: 200 },
  )
  t.end()
})

t.test('connections that only the file or only the manifest has are told', t => {
  const d1 = { frames: 1, first_seq: 1, last_seq: 1 }
  const of: SegmentTruth = { sha256: 'a', bytes: 1, isReadable: true, frames: 1, bytesRaw: 1, firstRecvUs: 1, lastRecvUs: 1, firstLineUs: 1, connections: { d1 } } // prettier-ignore
  const manifest = manifestOf(of)
  const texts = (manifest: Manifest, truth: SegmentTruth) => manifestFaults(manifest, name, truth).map(({ message }) => message) // prettier-ignore
  const more = { ...manifest, connections: { d1, d2: { frames: 5, first_seq: 2, last_seq: 6 } } }
  t.same(texts(more, of), [
    'connections.d2.frames is 5, but the segment says nothing of it',
    'connections.d2.first_seq is 2, but the segment says nothing of it',
    'connections.d2.last_seq is 6, but the segment says nothing of it',
  ])
  t.equal(texts({ ...manifest, connections: {} }, of).length, 3)
  t.match(texts({ ...manifest, connections: {} }, of)[0], 'frames is not there, but the segment says 1')
  const gap = { from_us: 5, to_us: 4, conn: 'd1', cause: 'x' }
  t.same(texts({ ...manifest, gaps: [gap, { ...gap, to_us: 5 }] }, of), ['a gap of d1 ends before it begins'])
  t.end()
})
