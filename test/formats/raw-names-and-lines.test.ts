import t from 'tap'
import { encodePayload, LineHead, lineHead, parseLine, type FrameEncoding } from '../../formats/raw-line.js'
import { parseSegmentPath, segmentPath, withState } from '../../formats/raw-path.js'

const name = {
  exchange: 'deribit',
  channel: 'chart.trades',
  startedMs: Date.UTC(2026, 10, 22, 14, 5, 9),
  host: 'vps-ldn-1',
  run: 'toxd4aafe',
  number: 12,
}

t.test('names and paths are each other’s inverse', t => {
  const path = segmentPath(name, 'open')
  t.equal(
    path,
    'raw/exchange=deribit/channel=chart.trades/date=2026-11-22/20261122T140509Z_1h-vps-ldn-1-toxd4aafe-12.jsonl.zst.open',
  )
  for (const state of ['open', 'sealed', 'manifest', 'rewriting'] as const) {
    t.same(parseSegmentPath(segmentPath(name, state)), { name, state })
    t.equal(withState(path, state), segmentPath(name, state))
  }
  const others = [
    [{ ofDate: true as const }, 'date=2026-11-22/20261122T140509Z-vps-ldn-1-toxd4aafe-12.jsonl.zst'],
    [{ inHourFolder: true as const }, 'date=2026-11-22/hour=14/20261122T140509Z-vps-ldn-1-toxd4aafe-12.jsonl.zst'],
  ] as const
  for (const [length, of] of others) {
    const path = `raw/exchange=deribit/channel=chart.trades/${of}`
    t.equal(segmentPath({ ...name, ...length }, 'sealed'), path)
    t.same(parseSegmentPath(path), { name: { ...name, ...length }, state: 'sealed' })
  }
  t.end()
})

t.test('paths that are not ours are not taken for ours', t => {
  const good = segmentPath(name, 'sealed')
  const foreign = [
    good.replace('/2026', '/hour=14/2026'),
    good.replace('/2026', '/hour=15/2026').replace('_1h', ''),
    good.replace('_1h', '_2h'),
    good.replace('2026-11-22', '2026-11-23'),
    good.replace('20261122T', '20261322T'),
    good.replace('chart.trades', '..'),
    good.replace('chart.trades', 'a/../../b'),
    good.replace('chart.trades', 'a\0b'),
    good.replace('chart.trades', 'x'.repeat(300)),
    `../${good}`,
    `${good}.tmp`,
    good.replace('.jsonl.zst', '.jsonl'),
  ]
  for (const path of foreign) t.equal(parseSegmentPath(path), undefined, path)
  t.end()
})

t.test('frames come back byte for byte, whatever they are', t => {
  const cases: [FrameEncoding, Buffer][] = [
    ['frame', Buffer.from('{"a":2.0e3,"b":9007199254740993,"c":"é"}')],
    ['text', Buffer.from('not "json"\n\u0000 é')],
    ['base64', Buffer.from([0, 255, 10, 128, 34])],
  ]
  for (const [encoding, frame] of cases) {
    const line = Buffer.concat([
      Buffer.from(lineHead(1732283999123456, 'd1', 18273, encoding)),
      encodePayload(frame, encoding),
      Buffer.from('}'),
    ])
    t.ok(JSON.parse(line.toString('utf8')), 'a line is JSON')
    t.notOk(line.includes(10), 'and one line')
    t.same(parseLine(line), { recvUs: 1732283999123456, conn: 'd1', seq: 18273, encoding, frame })
  }
  t.equal(parseLine(Buffer.from('{"recv_us":1,"conn":"d1"}')), undefined)
  t.end()
})

t.test('the head of a line is the same bytes, written either way', t => {
  const numbers = [
    0,
    1,
    9,
    10,
    99_999_999,
    100_000_000,
    100_000_001,
    123_456_789,
    2 ** 31,
    2 ** 32,
    1_732_283_999_123_456,
    2 ** 53 - 1,
  ]
  for (const number of numbers) {
    const target = Buffer.alloc(200)
    const end = new LineHead('d12.sent').write(target, 7, number, numbers.at(-1) ?? 0)
    const swapped = new LineHead('d1').write(target, end, numbers.at(-1) ?? 0, number)
    const expected = lineHead(number, 'd12.sent', 2 ** 53 - 1, 'frame') + lineHead(2 ** 53 - 1, 'd1', number, 'frame')
    t.equal(target.subarray(7, swapped).toString('latin1'), expected)
  }
  t.end()
})
