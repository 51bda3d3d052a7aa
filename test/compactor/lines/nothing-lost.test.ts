import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import { inflatedLine } from '../../../compactor/lines/inflated-line.js'
import { noteLine } from '../../../compactor/segment/quarantine.js'
import { parseLine } from '../../../formats/raw-line.js'
import { parseJournalEvent } from '../../../formats/journal/entry.js'
import { proveLine } from '../../../reader/verify/raw/line-proof.js'
import { compactOnce, filesBelow, rowsOf } from '../fixtures/compacted.js'
import { rawLine, sealSegment, START_MS } from '../fixtures/segments.js'
import { holds } from '../../fixtures/holds.js'

const NUMBERS = ['best_bid_price', 'best_bid_amount', 'best_ask_price', 'best_ask_amount']
const number = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer(), fc.constantFrom(0, 1e300, 5e-324, 2 ** 53 + 2)) // prettier-ignore
/** What may stand where a number is expected. */
const instead = fc.oneof(
  { weight: 6, arbitrary: number },
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
)
/** Names that no table knows, some of them nearly. */
const unknown = fc.oneof(
  fc.constantFrom('', 'zz', 'a.b', '"', '\\', "'", '$', '*', 'Best_Bid_Price', 'best_bid_price ', 'best bid', 'ü', ':', '{', '__proto__', 'null', 'extra', 'channel'), // prettier-ignore
  fc.string({ maxLength: 4 }),
)
const data = fc
  .record({
    numbers: fc.array(fc.tuple(fc.constantFrom(...NUMBERS), instead), { maxLength: 5 }),
    more: fc.array(fc.tuple(unknown, fc.jsonValue({ maxDepth: 2 })), { maxLength: 3 }),
    hasName: fc.nat({ max: 19 }).map(chance => chance !== 0),
    order: fc.nat(),
  })
  .map(({ numbers, more, hasName, order }) => {
    const members = [
      ['timestamp', START_MS],
      ...(hasName ? [['instrument_name', 'BTC-PERPETUAL']] : []),
      ...new Map([...numbers, ...more.filter(([key]) => !NUMBERS.includes(key))]),
    ] as [string, unknown][]
    const at = order % members.length
    const turned = [...members.slice(at), ...members.slice(0, at)]
    return `{${turned.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`
  })

t.test('whatever members a frame has, each is in its column, in extra, or its line is in quarantine', async t => {
  const seed = Date.now()
  t.comment(`seed ${seed}`)
  const frames = fc.sample(data, { numRuns: 600, seed })
  const dataDir = t.testdir()
  const lines = frames.map((data, at) => rawLine(`{"jsonrpc":"2.0","method":"subscription","params":{"channel":"quote.BTC-PERPETUAL","data":${data}}}`, at + 1)) // prettier-ignore
  sealSegment(dataDir, 'quote', lines)
  const { quarantined, failed } = await compactOnce(dataDir)
  t.equal(failed, 0)
  const rows = await rowsOf(dataDir, 'quote')
  const [file = ''] = filesBelow(join(dataDir, 'quarantine'))
  const aside = readFileSync(join(dataDir, 'quarantine', file), 'utf8')
    .trimEnd()
    .split('\n')
    .map(text => JSON.parse(text) as { line: number; raw: string })
  t.equal(aside.length, quarantined)
  t.equal(rows.length + quarantined, frames.length)
  t.ok(quarantined > 0 && quarantined < frames.length / 4, `${quarantined} in quarantine`)
  for (const { line, raw } of aside) assert.equal(raw, lines[line - 1]?.toString(), 'as it was received')
  for (const row of rows) {
    const text = frames[Number(row['seq']) - 1] ?? ''
    const sent = JSON.parse(text) as Record<string, unknown>
    const extra = JSON.parse(typeof row['extra'] === 'string' ? row['extra'] : '{}') as Record<string, unknown>
    for (const [key, value] of Object.entries(sent)) {
      const where = `${key} of ${text}: extra ${JSON.stringify(extra)}`
      if (key === 'timestamp') assert.equal(Number(row['exchange_ts']), START_MS * 1000)
      else if (key === 'instrument_name') assert.equal(row[key], value)
      else if (!NUMBERS.includes(key)) assert.deepEqual(extra[key], value, where)
      else if (Object.hasOwn(extra, key)) assert.deepEqual([extra[key], row[key]], [value, null], where)
      else if (typeof value === 'number') assert.equal(row[key], value === 0 ? 0 : value, where)
      else if (value === null) assert.equal(row[key], null, where)
      else {
        // A number in quotes, or a truth, is the number that it says.
        assert.ok(typeof value === 'string' || typeof value === 'boolean', where)
        assert.equal(row[key], Number(value), where)
      }
    }
    for (const key of Object.keys(extra)) assert.ok(Object.hasOwn(sent, key), `${key} was made up: ${text}`)
  }
})

const PACKED = { gzip: gzipSync, deflate: deflateSync, 'deflate-raw': deflateRawSync } as const

t.test('a compressed message is read as the text that it holds, under the same head; all else as it is', t => {
  const text = fc.oneof(fc.json(), fc.string({ unit: 'grapheme', minLength: 1 }), fc.constantFrom('{"a":\n1}', 'pong'))
  holds(
    t,
    fc.property(
      fc.constantFrom('gzip', 'deflate', 'deflate-raw'),
      text,
      fc.integer({ min: 1, max: 1e9 }),
      (how, text, seq) => {
        const line = rawLine(PACKED[how](text), seq, 'base64')
        const [read, before] = [parseLine(inflatedLine(line, how)), parseLine(line)]
        assert.equal(read?.frame.toString('utf8'), text)
        assert.equal(proveLine(inflatedLine(line, how)).fault, undefined, 'and is a line like any other')
        assert.deepEqual([read.recvUs, read.conn, read.seq], [before?.recvUs, before?.conn, before?.seq])
        const plain = [rawLine('{"a":1}', seq), rawLine(text, seq, 'text'), Buffer.from(text), Buffer.from('')]
        for (const line of plain.slice(0, 1)) assert.equal(inflatedLine(line, how), line)
        for (const line of plain.slice(2)) assert.equal(inflatedLine(line, how), line)
        const torn = PACKED[how](text).subarray(0, -1)
        const tornLine = rawLine(torn, seq, 'base64')
        if (how !== 'deflate-raw') assert.equal(inflatedLine(tornLine, how), tornLine, 'a torn message holds no text')
      },
    ),
  )
  for (const line of [
    '{"recv_us":1,"conn":"d1","seq":1,"text":"\\u00"}',
    '{"recv_us":1,"conn":"d1","seq":1,"base64":"x}',
  ])
    t.equal(inflatedLine(Buffer.from(line), 'gzip').toString(), line, 'what is damaged is judged later')
  t.end()
})

t.test('the journal is told of a quarantine by an entry that readers know, the same each time', t => {
  const name = { exchange: 'deribit', channel: 'quote', startedMs: START_MS, host: 'h', run: 'r1', number: 7 }
  const reasons = fc.dictionary(fc.string({ minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 1000 }), { minKeys: 1, maxKeys: 5, noNullPrototype: true }) // prettier-ignore
  holds(
    t,
    fc.property(reasons, reasons => {
      const line = noteLine({ segment: 'raw/x', name }, reasons)
      const read = parseLine(Buffer.from(line))
      assert.deepEqual([read?.recvUs, read?.conn, read?.seq], [START_MS * 1000, 'compactor', 7])
      const event = parseJournalEvent(read?.frame.toString() ?? '')
      assert.equal(event?.event, 'quarantined')
      const entry = JSON.parse(read?.frame.toString() ?? '') as { frames: number; reason: string }
      assert.equal(
        entry.frames,
        Object.values(reasons).reduce((sum, count) => sum + count, 0),
      )
      assert.equal(reasons[entry.reason], Math.max(...Object.values(reasons)), 'the reason that most have')
      assert.equal(noteLine({ segment: 'raw/x', name }, { ...reasons }), line)
    }),
  )
  t.end()
})
