import t from 'tap'
import { bybit } from '../../../exchanges/bybit/main.js'
import { familyOfChannel } from '../../../exchanges/bybit/names.js'
import { compactOnce, filesBelow } from '../../compactor/fixtures/compacted.js'
import { rawLines, sealSegment } from '../../compactor/fixtures/segments.js'
import { bybitRows, rowsOfFrame, sameRows, us, type Json } from './fixtures/expected-rows.js'
import { frameFiles, framesIn, needsFrames } from '../../fixtures/exchange-frames.js'

/** Frames that are no data: what the exchange answers, and what a client asks. They are rows of `frames`. */
const NO_DATA: readonly string[] = ['control.jsonl', 'client_requests.jsonl']

const categoryOfFile = (file: string) =>
  /_(linear|inverse|spot|option)/.exec(file)?.[1] ?? (file.startsWith('liquidation') ? 'linear' : 'spot')

t.test('every captured frame ends in its table, value for value', async t => {
  if (!needsFrames(t, 'bybit')) return
  const files = frameFiles('bybit').filter(file => !NO_DATA.includes(file) && !file.startsWith('rest_'))
  t.ok(files.length > 10, `${files.length} files`)
  for (const file of files) {
    const category = categoryOfFile(file)
    const frames = framesIn('bybit', file).filter(frame => frame.includes('"topic"'))
    const byFamily = new Map<string, string[]>()
    for (const frame of frames) {
      const { topic } = JSON.parse(frame) as { topic: string }
      const family = familyOfChannel(category === 'spot' ? `spot.${topic}` : topic)
      byFamily.set(family, [...(byFamily.get(family) ?? []), frame])
    }
    for (const [family, own] of byFamily) {
      const table = bybit.families.find(({ name }) => name === family)?.table ?? ''
      const dataDir = t.testdir()
      sealSegment(dataDir, family, rawLines(own), { exchange: 'bybit' })
      const summary = await compactOnce(dataDir)
      t.match(summary, { segments: 1, failed: 0, quarantined: 0 }, `${file} ${family}`)
      t.notOk(summary.rows['frames'], `${file} ${family}: nothing is left for frames`)
      const rows = await bybitRows(dataDir, table)
      const wanted = own.flatMap(frame => rowsOfFrame(JSON.parse(frame) as Json, category))
      sameRows(t, rows, wanted, `${file} ${family}`)
      // What is kept besides are texts of more than 15 digits, which their columns do not give back.
      const kept = rows.flatMap(({ extra }) =>
        typeof extra === 'string' ? Object.values(JSON.parse(extra) as Json) : [],
      )
      const isLong = (text: unknown) => typeof text === 'string' && text.replace(/\D/g, '').length > 15
      t.ok(
        kept.every(text => isLong(text) && own.some(frame => frame.includes(`"${String(text)}"`))),
        `${file} ${family}: every member has its column`,
      )
    }
  }
})

t.test('answers and requests are rows of frames, and nothing is lost', async t => {
  if (!needsFrames(t, 'bybit')) return
  const dataDir = t.testdir()
  const frames = NO_DATA.flatMap(file => framesIn('bybit', file))
  sealSegment(dataDir, 'answers', rawLines(frames), { exchange: 'bybit' })
  t.match(await compactOnce(dataDir), { failed: 0, quarantined: 0, rows: { frames: frames.length } })
})

t.test('lists of instruments: each with its kind, and every member of it', async t => {
  if (!needsFrames(t, 'bybit')) return
  const answers = framesIn('bybit', 'rest_instruments_info.jsonl.zst')
  for (const answer of answers) {
    const { result } = JSON.parse(answer) as { result: { category: string; list: Json[] } }
    const dataDir = t.testdir()
    const family = result.category === 'spot' ? 'instruments.spot' : 'instruments'
    sealSegment(dataDir, family, rawLines([answer]), { exchange: 'bybit' })
    t.match(await compactOnce(dataDir), { failed: 0, quarantined: 0, rows: { instruments: result.list.length } })
    const rows = new Map((await bybitRows(dataDir, 'instruments')).map(row => [row['instrument_name'], row]))
    t.equal(rows.size, result.list.length)
    for (const { symbol, baseCoin, quoteCoin, status, priceFilter, launchTime } of result.list) {
      const row = rows.get(symbol)
      const { tickSize } = priceFilter as { tickSize: string }
      const found = [
        row?.['base_coin'],
        row?.['quote_coin'],
        row?.['status'],
        row?.['tick_size'],
        row?.['launch_ts'],
        row?.['category'],
      ]
      const launched = launchTime === undefined ? null : us(launchTime)
      const wanted = [baseCoin, quoteCoin, status, Number(tickSize), launched, result.category]
      if (found.some((value, at) => value !== wanted[at])) t.strictSame(found, wanted, String(symbol))
    }
    const extras = [...rows.values()].filter(row => row['extra'] !== null)
    t.same(extras.map(row => [row['instrument_name'], row['extra']]).slice(0, 3), [], 'every member has its column')
  }
})

t.test('a pair and a perpetual of one name are never in one file', async t => {
  const frame = (id: string) =>
    `{"topic":"publicTrade.BTCUSDT","ts":1,"type":"snapshot","data":[{"i":"${id}","T":1,"p":"1","v":"1","S":"Buy","seq":1,"s":"BTCUSDT","BT":false,"RPI":false}]}`
  const dataDir = t.testdir()
  sealSegment(dataDir, 'trades', rawLines([frame('a')]), { exchange: 'bybit', number: 1 })
  sealSegment(dataDir, 'trades.spot', rawLines([frame('b')]), { exchange: 'bybit', number: 2 })
  await compactOnce(dataDir)
  const rows = await bybitRows(dataDir, 'trades')
  t.same(rows.map(row => [row['trade_id'], row['category'], row['channel']]).sort(), [
    ['a', 'linear', 'publicTrade.BTCUSDT'],
    ['b', 'spot', 'spot.publicTrade.BTCUSDT'],
  ])
  t.same(
    filesBelow(dataDir)
      .flatMap(path => /kind=\w+\/currency=\w+/.exec(path) ?? [])
      .sort(),
    ['kind=perpetual/currency=USDT', 'kind=spot/currency=USDT'],
  )
})

t.test(
  'numbers of more than 15 digits keep their text, levels that are none are kept, malformed lines are told',
  async t => {
    const dataDir = t.testdir()
    const book = (b: string) =>
      `{"topic":"orderbook.50.XUSDT","type":"delta","ts":5,"data":{"s":"XUSDT","b":${b},"a":[],"u":2,"seq":3},"cts":4}`
    const frames = [
      book('[["1234567.1234567891","1"]]'),
      book('[["x","1"],["1","2"]]'),
      book('[]'),
      '{"topic":"orderbook.50.XUSDT"}',
    ]
    sealSegment(dataDir, 'book', rawLines(frames), { exchange: 'bybit' })
    t.match(await compactOnce(dataDir), { failed: 0, quarantined: 1 })
    const rows = await bybitRows(dataDir, 'book')
    t.same(
      rows.map(row => [row['side'], row['price'], row['extra']]),
      [
        ['bid', 1234567.1234567891, '{"price":"1234567.1234567891"}'],
        ['bid', null, '{"level":["x","1"]}'],
        ['bid', 1, null],
        [null, null, null],
      ],
    )
  },
)
