import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { compress, decompress } from 'zstd-napi'
import { LONGEST_PLAIN_LINE_BYTES, separateLines, type SlowLine } from '../../../compactor/lines/read-lines.js'
import { APPEND_LEVEL } from '../../../platform/zstd.js'
import { ZstdFile } from '../../../platform/zstd-file.js'
import { copyLines } from '../../../reader/query/flushed-lines.js'
import { holds } from '../../fixtures/holds.js'

const folder = t.testdir()
const sealed = join(folder, 'sealed.zst')
const plain = join(folder, 'plain.zst')

async function separated(text: Buffer, read?: (line: Buffer) => Buffer) {
  writeFileSync(sealed, compress(text))
  const groups: SlowLine[][] = []
  for await (const group of separateLines(sealed, plain, read)) groups.push(group)
  return { groups, slow: groups.flat(), plainText: decompress(readFileSync(plain)).toString('utf8') }
}

const plainLine = fc
  .string({ unit: fc.constantFrom('a', 'ü', '€', '{', '"', '😀', '\\', '\t') })
  .filter(line => line !== '')
const oddLine = fc.oneof(
  fc.constantFrom('', '\r', 'a\rb', 'a\u0001b').map(text => Buffer.from(text)),
  fc.constantFrom([0xff], [0xc3], [0x61, 0x80], [0xed, 0xa0, 0x80]).map(bytes => Buffer.from(bytes)),
)
const line = fc.oneof(
  { weight: 3, arbitrary: plainLine.map(text => ({ bytes: Buffer.from(text), isPlain: true })) },
  { weight: 1, arbitrary: oddLine.map(bytes => ({ bytes, isPlain: false })) },
)

t.test('each line goes one way, and keeps its number on both', async t => {
  await holds(
    t,
    fc.asyncProperty(fc.array(line, { maxLength: 40 }), fc.boolean(), async (lines, endsWithFeed) => {
      // A last line without a line feed counts, but for an empty one, which is none.
      const last = lines.at(-1)
      const ends = endsWithFeed || last === undefined || last.bytes.length === 0
      const text = Buffer.concat(lines.flatMap(({ bytes }) => [bytes, Buffer.from('\n')])).subarray(
        0,
        ends ? undefined : -1,
      )
      const { slow, plainText } = await separated(text)
      const found = plainText.split('\n').slice(0, -1)
      assert.deepEqual(
        found,
        lines.map(({ bytes, isPlain }) => (isPlain ? bytes.toString('utf8') : '')),
      )
      const odd = lines.flatMap(({ bytes, isPlain }, index) => (isPlain ? [] : [{ lineNo: index + 1, bytes }]))
      assert.deepEqual(slow.map(({ lineNo, bytes }) => [lineNo, bytes.toString('hex')]), odd.map(({ lineNo, bytes }) => [lineNo, bytes.toString('hex')])) // prettier-ignore
      for (const { bytes, utf8 } of slow) assert.equal(utf8, Buffer.from(bytes.toString('utf8')).equals(bytes))
    }),
    { numRuns: 60 },
  )
})

t.test('long lines come one by one, others of the slow way in groups that stay small', async t => {
  const long = Buffer.alloc(LONGEST_PLAIN_LINE_BYTES + 1, 'x')
  const feed = Buffer.from('\n')
  const text = Buffer.concat([
    ...Array.from({ length: 450 }, () => Buffer.from('\r\n')),
    long,
    feed,
    Buffer.from('\r\n'),
  ])
  const { groups } = await separated(text)
  t.same(
    groups.map(group => group.length),
    [200, 200, 1, 51],
  )
  t.same(
    groups[2]?.map(({ lineNo, bytes }) => [lineNo, bytes.length]),
    [[451, long.length]],
    'the long line is alone in its group',
  )
  const nearly = Buffer.alloc(LONGEST_PLAIN_LINE_BYTES - 16, 'x')
  const { slow, plainText } = await separated(Buffer.concat([nearly, feed, nearly, Buffer.from('x'), feed]))
  t.same(
    slow.map(({ lineNo }) => lineNo),
    [2],
    'the longest line that the CSV reader is given, and one byte more',
  )
  t.equal(plainText.length, nearly.length + 2)
})

t.test('what a line is read as decides, not the line itself', async t => {
  const read = (line: Buffer) =>
    line.toString() === 'two' ? Buffer.from('a\rb') : Buffer.from(line.toString().toUpperCase())
  const { slow, plainText } = await separated(Buffer.from('one\ntwo\nthree\n'), read)
  t.equal(plainText, 'ONE\n\nTHREE\n')
  t.same(
    slow.map(({ lineNo, bytes }) => [lineNo, bytes.toString()]),
    [[2, 'a\rb']],
  )
})

async function drain(from: string, to: string): Promise<void> {
  for await (const group of separateLines(from, to)) assert.ok(group.length > 0)
}

/** Lines that do not compress: the disk is asked for room long before the end. */
const noise = (count: number) =>
  Buffer.from(Array.from({ length: count }, (_, at) => `${Math.sin(at + 1)} ${Math.cos(at + 2)}\n`).join(''))

t.test('a segment that went away, is torn, or spoilt is an error of whoever reads it', async t => {
  await t.rejects(drain(join(folder, 'gone.zst'), plain), { code: 'ENOENT' })
  const whole = compress(noise(20_000))
  for (const [at, bytes] of [
    whole.subarray(0, 10),
    whole.subarray(0, whole.length >> 1),
    whole.subarray(0, -1),
  ].entries()) {
    writeFileSync(sealed, bytes)
    await t.rejects(drain(sealed, plain), /torn/, `cut ${at}`)
  }
  // With a checksum, as ours are.
  const file = new ZstdFile(sealed, APPEND_LEVEL)
  file.write(noise(20_000))
  file.end()
  file.close()
  const spoilt = readFileSync(sealed)
  spoilt[spoilt.length >> 1] = (spoilt[spoilt.length >> 1] ?? 0) ^ 0xff
  writeFileSync(sealed, spoilt)
  await t.rejects(drain(sealed, plain), new RegExp(sealed), 'a byte that changed')
})

t.test('a full disk is an error of whoever writes, and neither hangs nor ends the process', async t => {
  writeFileSync(sealed, compress(noise(50_000)))
  const none = { code: 'ENOSPC' }
  await t.rejects(drain(sealed, '/dev/full'), none)
  await t.rejects(copyLines(sealed, '/dev/full'), none)
  const file = new ZstdFile('/dev/full', APPEND_LEVEL)
  t.throws(() => {
    file.write(noise(50_000))
    file.end()
  }, none)
  file.close()
})

t.test('what is written in pieces is read back as one frame', t => {
  holds(
    t,
    fc.property(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 8 }), fc.nat(3), (pieces, times) => {
      const path = join(folder, 'pieces.zst')
      const file = new ZstdFile(path, APPEND_LEVEL)
      const all = Array.from({ length: 1 + times }, () => pieces).flat()
      for (const piece of all) file.write(piece)
      file.end()
      file.close()
      assert.deepEqual(decompress(readFileSync(path)), Buffer.concat(all))
    }),
    { numRuns: 50 },
  )
  t.end()
})
