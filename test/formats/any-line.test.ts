/** Lines of segments with a byte changed, cut, or of others: read from bytes as from text, and never taken for what they are not. */
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { LineHeadReader } from '../../formats/line-head.js'
import { encodePayload, lineHead, parseLine, parseLineHead, type FrameEncoding } from '../../formats/raw-line.js'
import { segmentFiles, currentPath, manifestOf, placeOf } from '../../formats/segment-files.js'
import { segmentLines } from '../../formats/segment-lines.js'
import { segmentPath, withState } from '../../formats/raw-path.js'
import { endOfLine, StoredLine } from '../../formats/stored-line.js'
import { createFolderDurable } from '../../platform/durable-file.js'
import { EndDirective, frameCompressor } from '../../platform/zstd.js'
import { memoryFolder } from '../fixtures/memory-folder.js'
import { holds } from '../fixtures/holds.js'

const root = memoryFolder(t)

const line = fc
  .record({
    recvUs: fc.oneof(fc.maxSafeNat(), fc.nat()),
    conn: fc.stringMatching(/^[A-Za-z0-9._-]{1,32}$/),
    seq: fc.oneof(fc.nat(), fc.maxSafeNat()),
    encoding: fc.constantFrom<FrameEncoding>('frame', 'text', 'base64'),
    frame: fc.oneof(fc.json(), fc.string({ unit: 'grapheme' }), fc.constantFrom('}', 'a}b', '"}', '\\"}', '{"a":"}"}')),
  })
  .map(({ recvUs, conn, seq, encoding, frame }) => {
    const payload = encodePayload(Buffer.from(encoding === 'frame' ? JSON.stringify(frame) : frame), encoding)
    return Buffer.concat([Buffer.from(lineHead(recvUs, conn, seq, encoding)), payload, Buffer.from('}')])
  })
const change = fc.record({
  at: fc.nat(),
  cut: fc.nat({ max: 3 }),
  put: fc.constantFrom('', '"', '}', ',', '9', 'x', ' ', '\\', '\u0000', 'é', '{', ':'),
})
const changed = fc.tuple(line, fc.array(change, { maxLength: 2 })).map(([line, changes]) => {
  let bytes = line
  for (const { at, cut, put } of changes) {
    const place = at % (bytes.length + 1)
    bytes = Buffer.concat([bytes.subarray(0, place), Buffer.from(put), bytes.subarray(place + cut)])
  }
  return bytes
})

t.test('a head is read from bytes as from text, wherever the line stands, whatever was read before it', t => {
  const heads = new LineHeadReader()
  holds(
    t,
    fc.property(changed, changed, fc.uint8Array({ maxLength: 20 }), (before, bytes, around) => {
      const block = Buffer.concat([around, before, Buffer.from('\n'), bytes, Buffer.from('\n'), around])
      const from = around.length + before.length + 1
      heads.read(block, around.length, from - 1)
      const facts = heads.read(block, from, from + bytes.length)
      const head = bytes.at(-1) === 0x7d ? parseLineHead(bytes.subarray(0, 160).toString('latin1')) : undefined
      if (!head || head.headLength >= bytes.length) {
        assert.ok(facts === undefined || facts.payloadFrom >= from + bytes.length, bytes.toString())
        return
      }
      const { headLength, ...rest } = head
      assert.deepEqual({ ...facts }, { ...rest, payloadFrom: from + headLength }, bytes.toString())
    }),
    { numRuns: 2000 },
  )
  t.end()
})

t.test('a line of text that was cut behind a brace threw', t => {
  const head = lineHead(1, 'd1', 1, 'text')
  for (const payload of ['"a}', '"a\\"}', '5}', 'null}', '["a"]}', '"a"b"}', '}', '"\\x"}'])
    t.equal(parseLine(Buffer.from(head + payload)), undefined, payload)
  t.equal(parseLine(Buffer.from(`${lineHead(1, 'd1', 1, 'base64')}"YQ==}`)), undefined)
  t.equal(parseLine(Buffer.from(`${head}"a}"}`))?.frame.toString(), 'a}')
  holds(
    t,
    fc.property(changed, bytes => {
      const read = parseLine(bytes)
      if (!read) return
      const { encoding, frame, recvUs, conn, seq } = read
      assert.equal(parseLineHead(bytes.toString('latin1'))?.conn, conn)
      // Whatever it was taken for is what would be written of that.
      const again = Buffer.concat([Buffer.from(lineHead(recvUs, conn, seq, encoding)), encodePayload(frame, encoding), Buffer.from('}')]) // prettier-ignore
      assert.deepEqual(parseLine(again), read)
    }),
    { numRuns: 1000 },
  )
  t.end()
})

/** A segment of these lines, in zstd frames of so many each. */
function segmentOf(lines: readonly Buffer[], perFrame: number): Buffer {
  const frames: Buffer[] = []
  for (let at = 0; at < lines.length; at += perFrame) {
    const text = Buffer.concat(lines.slice(at, at + perFrame).flatMap(line => [line, Buffer.from('\n')]))
    const output = Buffer.alloc(2 * text.length + 1024)
    const [, produced] = frameCompressor(1).compressStream2(output, text, EndDirective.end)
    frames.push(Buffer.from(output.subarray(0, produced)))
  }
  return Buffer.concat(frames)
}

const NAME = {
  exchange: 'deribit',
  channel: 'quote',
  startedMs: Date.UTC(2026, 10, 22, 14),
  host: 'h1',
  run: 'r1',
  number: 1,
}

t.test('every line of a segment is given as it stands, those of others with the time of the one before them', t => {
  const anyLine = fc
    .oneof(
      changed,
      fc.string().map(text => Buffer.from(text.replaceAll('\n', ' '))),
    )
    .filter(bytes => !bytes.includes(10))
  holds(
    t,
    fc.property(
      fc.array(anyLine, { maxLength: 12 }),
      fc.integer({ min: 1, max: 5 }),
      fc.boolean(),
      (lines, perFrame, isTorn) => {
        const path = join(root, 'any.jsonl.zst')
        const bytes = segmentOf(lines, perFrame)
        writeFileSync(path, isTorn ? Buffer.concat([bytes, Buffer.from('torn')]) : bytes)
        const torn: string[] = []
        let taken = 0
        const ear = { torn: (why: string) => torn.push(why), read: (count: number) => (taken += count) }
        const found = [...segmentLines(path, NAME, ear, StoredLine)].flat()
        assert.deepEqual(
          found.map(({ line }) => line.toString('latin1')),
          lines.map(line => line.toString('latin1')),
        )
        assert.equal(torn.length, isTorn ? 1 : 0)
        assert.equal(taken, bytes.length, 'all bytes are told')
        let lastUs = -Infinity
        for (const [at, one] of found.entries()) {
          const head =
            lines[at]?.at(-1) === 0x7d ? parseLineHead(lines[at].subarray(0, 160).toString('latin1')) : undefined
          lastUs = head?.recvUs ?? lastUs
          assert.equal(one.recvUs, lastUs)
          assert.equal(one.isOurs, head !== undefined)
          assert.equal(one.family, 'quote')
          if (head) assert.deepEqual(one.bytes, parseLine(one.line)?.frame ?? Buffer.alloc(0))
        }
      },
    ),
    { numRuns: 100 },
  )
  t.equal(endOfLine(Buffer.from('a\nb'), 2), -1)
  t.end()
})

t.test(
  'a segment is found under the name that it has by now, and a path that is none of a tree says what was wanted',
  t => {
    const [sealed, open] = (['sealed', 'open'] as const).map(state => segmentPath(NAME, state))
    const all = { fromUs: -Infinity, toUs: Infinity, mayHold: () => true }
    const write = (path = '') => {
      createFolderDurable(join(root, path, '..'))
      writeFileSync(join(root, path), '')
    }
    write(open)
    const found = (path: string) => [...segmentFiles(path, all)].map(({ path, state }) => [path, state])
    t.same(found(join(root, open ?? '')), [[join(root, open ?? ''), 'open']])
    const [file] = segmentFiles(root, all)
    rmSync(join(root, open ?? ''))
    write(sealed)
    t.equal(file && currentPath(file), join(root, sealed ?? ''))
    t.same(found(join(root, 'raw/exchange=deribit')), [[join(root, sealed ?? ''), 'sealed']])
    t.same(found(join(root, open ?? '')), [[join(root, sealed ?? ''), 'sealed']], 'named as open, since it was sealed')
    t.same([...segmentFiles(root, { ...all, mayHold: family => family === 'trades' })], [])
    t.equal(manifestOf(join(root, sealed ?? '')), undefined)
    writeFileSync(join(root, withState(sealed ?? '', 'manifest')), '{"format_version":1}')
    t.equal(manifestOf(join(root, sealed ?? '')), undefined, 'one that cannot be read is none')
    writeFileSync(join(root, withState(sealed ?? '', 'manifest')), '{"format_version":2}')
    t.throws(() => manifestOf(join(root, sealed ?? '')), { code: 'MANIFEST_TOO_NEW' })
    rmSync(join(root, sealed ?? ''))
    t.equal(file && currentPath(file), undefined, 'gone')
    for (const [path, says] of [
      [join(root, 'nowhere'), /is not there$/],
      [join(root, 'any.jsonl.zst'), /holds no raw data$/],
    ] as const)
      // prettier-ignore
      t.throws(() => placeOf(path), { code: 'READ_NO_RAW', message: says, hint: /wanted a dataDir, a copy of one/ })
    t.end()
  },
)
