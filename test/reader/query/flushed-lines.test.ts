import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { compress, decompress } from 'zstd-napi'
import { encodePayload, lineHead, type FrameEncoding } from '../../../formats/raw-line.js'
import { segmentPath } from '../../../formats/raw-path.js'
import { copyLines } from '../../../reader/query/flushed-lines.js'
import { memoryFolder } from '../../fixtures/memory-folder.js'
import { holds } from '../../fixtures/holds.js'

const root = memoryFolder(t)
const BEGIN_US = 1_790_000_000_000_000
const name = { exchange: 'deribit', channel: 'quote', startedMs: BEGIN_US / 1000, host: 'h', run: 'r1', number: 1 }
const open = join(root, segmentPath(name, 'open'))
const target = join(root, 'copied.zst')
mkdirSync(dirname(open), { recursive: true })

const NAMES = ['BTC-PERPETUAL', 'ETH-PERPETUAL', 'Ü-1']
/** A line with its frame, when it came and what it speaks of, however that is spelled. */
const line = fc
  .record({
    name: fc.constantFrom(...NAMES),
    encoding: fc.constantFrom<FrameEncoding>('frame', 'frame', 'frame', 'text', 'base64'),
    isEscaped: fc.nat({ max: 5 }).map(chance => chance === 0),
    size: fc.oneof({ weight: 20, arbitrary: fc.nat({ max: 50 }) }, { weight: 1, arbitrary: fc.constant(700_000) }),
  })
  .map(({ name, encoding, isEscaped, size }) => {
    const spelled = isEscaped ? name.replace('-', '\\u002d') : name
    const frame = Buffer.from(`{"name":"${spelled}","more":"${'x'.repeat(size)}"}`)
    return { name, payload: Buffer.concat([Buffer.from(`"${encoding}":`), encodePayload(frame, encoding)]) }
  })

const bytesOf = ({ payload }: { payload: Buffer }, seq: number) => {
  const head = lineHead(BEGIN_US + seq * 1_000_000, 'd1', seq, 'frame').replace('"frame":', '')
  return Buffer.concat([Buffer.from(head), payload, Buffer.from('}\n')])
}

t.test('no line is left out that may matter, and each that is copied is whole, in its order', async t => {
  let leftOut = 0
  await holds(
    t,
    fc.asyncProperty(
      fc.array(fc.array(line, { minLength: 1, maxLength: 8 }), { maxLength: 6 }),
      fc.option(fc.nat({ max: 30 })),
      fc.option(fc.subarray(NAMES)),
      fc.nat({ max: 40 }),
      async (flushes, fromSeq, names, tornBytes) => {
        let seq = 0
        const all: { seq: number; name: string; text: string }[] = []
        writeFileSync(open, '')
        for (const flush of flushes) {
          const lines = flush.map(each => ({ name: each.name, seq: ++seq, bytes: bytesOf(each, seq) }))
          appendFileSync(open, compress(Buffer.concat(lines.map(({ bytes }) => bytes))))
          all.push(...lines.map(({ name, seq, bytes }) => ({ name, seq, text: bytes.toString().trimEnd() })))
        }
        // What is being written when it is read.
        appendFileSync(open, compress(Buffer.from('{"recv_us":1,"torn'.repeat(5))).subarray(0, tornBytes % 20))
        const fromUs = fromSeq === null ? undefined : BEGIN_US + fromSeq * 1_000_000
        const count = await copyLines(open, target, { fromUs, names: names ?? undefined })
        const copied = decompress(readFileSync(target)).toString().split('\n').slice(0, -1)
        assert.equal(copied.length, count)
        let at = -1
        for (const text of copied) {
          const next = all.findIndex((own, index) => index > at && own.text === text)
          assert.ok(next > at, 'a line of the segment, behind the one before')
          at = next
        }
        const here = new Set(copied)
        for (const { name, seq, text } of all)
          if ((fromSeq === null || seq >= fromSeq) && (names === null || names.includes(name)))
            assert.ok(here.has(text), `line ${seq} of ${name}`)
        leftOut += all.length - copied.length
        if (fromSeq === null && names === null) assert.equal(copied.length, all.length)
      },
    ),
    { numRuns: 100 },
  )
  t.ok(leftOut > 100, `${leftOut} lines were left out`)
})

t.test('what stands behind the last line feed is no line yet', async t => {
  writeFileSync(open, compress(Buffer.from('one\ntwo\nthr')))
  t.equal(await copyLines(open, target), 2)
  t.equal(decompress(readFileSync(target)).toString(), 'one\ntwo\n')
  appendFileSync(open, compress(Buffer.from('ee\n')))
  t.equal(await copyLines(open, target), 3)
  t.equal(decompress(readFileSync(target)).toString(), 'one\ntwo\nthree\n')
  await t.rejects(copyLines(join(root, 'none.jsonl.zst'), target), { code: 'ENOENT' })
})
