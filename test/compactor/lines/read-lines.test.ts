import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { compactOnce, filesBelow, rowsOf } from '../fixtures/compacted.js'
import { rawLine, sealSegment, START_US } from '../fixtures/segments.js'

const quote = (fields: string) =>
  `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"quote.BTC-PERPETUAL","data":{"timestamp":1790133840887,${fields}}}}`
const good = quote('"instrument_name":"BTC-PERPETUAL","best_bid_price":1.5')

interface Unconverted {
  reason: string
  segment: string
  line: number
  raw: string
  raw_base64?: string
}

function quarantineOf(dataDir: string): Unconverted[] {
  const [path = ''] = filesBelow(join(dataDir, 'quarantine'))
  const text = readFileSync(join(dataDir, 'quarantine', path), 'utf8')
  return text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Unconverted)
}

t.test('bad lines go to quarantine with reason and line number, good ones to rows', async t => {
  const dataDir = t.testdir()
  const bad: [string, string][] = [
    ['{"recv_us":1,"conn":"d1","seq":2,"frame":{"a":}', 'not JSON'],
    ['[1,2]', 'no valid recv_us, conn and seq'],
    ['', 'empty line'],
    [`{"recv_us":-5,"conn":"d1","seq":2,"frame":${good}}`, 'no valid recv_us, conn and seq'],
    [rawLine('{"id":1,"result":"ok"}', 9).toString(), 'no params.channel'],
    [rawLine('5', 9).toString(), 'no params.channel'],
    [rawLine(quote('"best_bid_price":1'), 9).toString(), 'no instrument_name'],
    [rawLine(good.replace('1790133840887', '"soon"'), 9).toString(), 'no valid timestamp'],
    [rawLine(good.replace('1790133840887', '1e30'), 9).toString(), 'no valid timestamp'],
    [`${rawLine(good, 9).toString()}{}`, 'not JSON'],
  ]
  const lines = [rawLine(good, 1), ...bad.map(([line]) => Buffer.from(line)), rawLine(good, 2)]
  const { segment } = sealSegment(dataDir, 'quote', lines)
  const summary = await compactOnce(dataDir)
  t.match(summary, { segments: 1, failed: 0, frames: lines.length, rows: { quote: 2 }, quarantined: bad.length })
  t.same(
    quarantineOf(dataDir),
    bad.map(([raw, reason], index) => ({ reason, segment, line: index + 2, raw })),
  )
  t.equal((await rowsOf(dataDir, 'quote')).length, 2)
})

t.test('trades: one bad trade puts its frame into quarantine, an empty frame is counted', async t => {
  const dataDir = t.testdir()
  const trades = (...items: string[]) =>
    `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.X.raw","data":[${items.join()}]}}`
  const trade = '{"trade_id":"1","trade_seq":1,"timestamp":1,"instrument_name":"BTC-PERPETUAL","price":1,"amount":1}'
  const frames = [
    trades(trade, trade.replace('"1"', '"2"')),
    trades(trade, '5'),
    trades(),
    trades(trade, trade.replace('"price":1,', '')),
  ]
  sealSegment(
    dataDir,
    'trades',
    frames.map((frame, index) => rawLine(frame, index + 1)),
  )
  t.match(await compactOnce(dataDir), { frames: 4, rows: { trades: 2 }, quarantined: 2, known: 1 })
  t.same(
    quarantineOf(dataDir).map(({ line, reason }) => [line, reason]),
    [
      [2, 'no trade_id and no trade_seq'],
      [4, 'no price'],
    ],
  )
})

t.test('lines that the CSV reader cannot take', async t => {
  const dataDir = t.testdir()
  const long = quote(`"instrument_name":"BTC-PERPETUAL","note":"${'x'.repeat(5_000_000)}"`)
  const frames = [good, long, good.replace('{', '{ \r'), good, long.slice(0, -2), good]
  const lines = frames.map((frame, index) => rawLine(frame, index + 1))
  const notUtf8 = Buffer.concat([Buffer.from('{"recv_us":'), Buffer.from([0xff, 0x0d])])
  const controls = Buffer.from('a\u0001b\u0000')
  sealSegment(dataDir, 'quote', [...lines, notUtf8, controls, Buffer.from(''), rawLine(good, 7)])
  t.match(await compactOnce(dataDir), { segments: 1, frames: 10, rows: { quote: 6 }, quarantined: 4 })
  const rows = await rowsOf(dataDir, 'quote')
  t.same(
    rows.map(row => row['seq']),
    [1n, 2n, 3n, 4n, 6n, 7n],
  )
  t.equal(String(rows[1]?.['extra']).length, 5_000_000 + '{"note":""}'.length)
  const unconverted = quarantineOf(dataDir)
  t.same(
    unconverted.map(({ line, reason, raw }) => [line, reason, raw.length]),
    [
      [5, 'not JSON', lines[4]?.length],
      [7, 'not UTF-8', 0],
      [8, 'not JSON', 4],
      [9, 'empty line', 0],
    ],
  )
  t.equal(unconverted[1]?.raw_base64, notUtf8.toString('base64'))
})

t.test('a long frame without a table is kept to the byte', async t => {
  const dataDir = t.testdir()
  const long = `{"id":1,"result":"${'é'.repeat(2_000_000)}"}`
  sealSegment(dataDir, 'rpc', [rawLine('{}', 1), rawLine(long, 2)])
  t.match(await compactOnce(dataDir), { rows: { frames: 2 } })
  const [, row] = await rowsOf(dataDir, 'frames')
  t.ok(row?.['frame'] === long)
  t.equal(row?.['recv_ts'], BigInt(START_US + 2))
})

t.test('accounts that do not agree with the manifest leave nothing behind', async t => {
  for (const frames of [1, 3]) {
    const dataDir = t.testdir()
    sealSegment(dataDir, 'quote', [rawLine(good, 1), rawLine(good, 2)], { manifest: { frames } })
    const summary = await compactOnce(dataDir)
    t.match(summary, { segments: 0, failed: 1, lastError: /2 lines are accounted for, its manifest says/ })
    t.same([...filesBelow(join(dataDir, 'parquet')), ...filesBelow(join(dataDir, 'state/compactor/tmp'))], [])
  }
  const dataDir = t.testdir()
  sealSegment(dataDir, 'quote', [rawLine(good, 1), Buffer.from('bad')], { manifest: { frames: 1 } })
  t.match(await compactOnce(dataDir), { failed: 1 })
  t.same(filesBelow(join(dataDir, 'quarantine')), [])
})
