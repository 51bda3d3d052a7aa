import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import { compactOnce, parseExactly, rowsOf, type Row } from './fixtures/compacted.js'
import { capturedFrames, framesMissing, rawLine, rawLines, sealSegment, START_US } from './fixtures/segments.js'
import { matchAll } from '../fixtures/match-all.js'

type Json = Record<string, unknown>
interface Notification {
  params: { channel: string; data: Json | Json[] }
}

const notification = (text: string) => (parseExactly(text) as Notification).params
const subscription = (channel: string, data: string) =>
  `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"${channel}","data":${data}}}`

/** What every row has; `seq` is the number of its frame. */
const common = (seq: number, data: Json, instrument = data['instrument_name']) => ({
  recv_ts: BigInt(START_US + seq),
  exchange_ts: BigInt(data['timestamp'] as number) * 1000n,
  instrument_name: instrument,
  conn: 'd1',
  seq: BigInt(seq),
  source: 'live',
})

/** Checks that a row has these values, and NULL in every other column. */
function sameRow(t: Test, row: Row | undefined, expected: Json, what: string): void {
  const columns = Object.keys(row ?? {})
  t.same(
    Object.keys(expected).filter(name => !columns.includes(name)),
    [],
    `${what}: every value has a column`,
  )
  for (const name of columns) {
    const wanted = expected[name] ?? null
    const found = row?.[name]
    const same = typeof found === 'bigint' && typeof wanted === 'number' ? found === BigInt(wanted) : found === wanted
    if (!same) t.fail(`${what}: ${name}`, { found: inspect(found), wanted: inspect(wanted) })
  }
}

async function compacted(t: Test, family: string, frames: readonly string[], table = family): Promise<Row[]> {
  const dataDir = t.testdir()
  sealSegment(dataDir, family, rawLines(frames))
  const summary = await compactOnce(dataDir)
  t.same([summary.segments, summary.failed, summary.quarantined], [1, 0, 0], 'converted')
  return rowsOf(dataDir, table)
}

for (const family of ['quote', 'perpetual'] as const) {
  t.test(`captured frames of ${family}`, { skip: framesMissing }, async t => {
    const frames = capturedFrames(`${family}.jsonl`)
    const rows = await compacted(t, family, frames)
    t.equal(rows.length, frames.length)
    frames.forEach((frame, index) => {
      const { channel, data } = notification(frame)
      const { timestamp, ...fields } = data as Json
      const instrument = family === 'perpetual' ? channel.split('.')[1] : fields['instrument_name']
      sameRow(
        t,
        rows[index],
        { ...fields, ...common(index + 1, { timestamp }, instrument), channel },
        frame.slice(0, 90),
      )
    })
  })
}

t.test('captured tickers', { skip: framesMissing }, async t => {
  const frames = capturedFrames('ticker.jsonl')
  const rows = await compacted(t, 'ticker', frames)
  t.equal(rows.length, frames.length)
  frames.forEach((frame, index) => {
    const { channel, data } = notification(frame)
    const { timestamp, stats = {}, greeks = {}, ...fields } = data as Json & { stats?: Json; greeks?: Json }
    const flat = (prefix: string, values: Json) =>
      Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}_${name}`, value]))
    const head = common(index + 1, { timestamp }, fields['instrument_name'])
    sameRow(t, rows[index], { ...fields, ...flat('stats', stats), ...flat('greeks', greeks), ...head, channel }, frame)
  })
})

const tradeRow = (seq: number, channel: string, { timestamp, legs, ...fields }: Json, row: Row | undefined) => ({
  expected: {
    ...fields,
    ...common(seq, { timestamp }, fields['instrument_name']),
    channel,
    legs: row?.['legs'],
    combo_role: legs !== undefined ? 'combo' : fields['combo_id'] || fields['combo_trade_id'] ? 'leg' : null,
  },
  legs,
})

t.test('captured trades', { skip: framesMissing }, async t => {
  const frames = capturedFrames('trades.jsonl')
  const rows = await compacted(t, 'trades', frames)
  const wanted = frames.flatMap((frame, index) => {
    const { channel, data } = notification(frame)
    return (data as Json[]).map(trade => ({ seq: index + 1, channel, trade }))
  })
  t.equal(rows.length, wanted.length)
  for (const { seq, channel, trade } of wanted) {
    const row = rows.find(row => row['trade_id'] === trade['trade_id'])
    const { expected, legs } = tradeRow(seq, channel, trade, row)
    sameRow(t, row, expected, String(trade['trade_id']))
    const text = row?.['legs']
    t.same(typeof text === 'string' ? parseExactly(text) : undefined, legs, 'legs are whole')
  }
})

t.test('ids above 2^53 keep every digit', { skip: framesMissing }, async t => {
  const [answer = ''] = capturedFrames('rest_result_get_last_trades.jsonl')
  const trades = answer.slice(answer.indexOf('['), answer.lastIndexOf(']') + 1)
  const rows = await compacted(t, 'trades', [subscription('trades.option.BTC.100ms', trades)])
  const wanted = parseExactly(trades) as Json[]
  t.equal(rows.length, wanted.length)
  for (const trade of wanted) {
    const row = rows.find(row => row['trade_id'] === trade['trade_id'])
    const { expected } = tradeRow(1, 'trades.option.BTC.100ms', trade, row)
    sameRow(t, row, expected, String(trade['trade_id']))
    t.type(trade['starbase_timestamp'], 'bigint')
    t.equal(row?.['starbase_match_id'], trade['starbase_match_id'])
  }
})

t.test('captured books, one row per level', { skip: framesMissing }, async t => {
  const frames = capturedFrames('book.jsonl')
  const rows = await compacted(t, 'book', frames)
  let found = 0
  frames.forEach((frame, index) => {
    const { channel, data } = notification(frame)
    const { timestamp, bids = [], asks = [], ...fields } = data as Json & { bids?: unknown[][]; asks?: unknown[][] }
    const head = { ...fields, ...common(index + 1, { timestamp }, fields['instrument_name']), channel }
    const levels = [
      ...bids.map(([action, price, amount]) => ({ side: 'bid', action, price, amount })),
      ...asks.map(([action, price, amount]) => ({ side: 'ask', action, price, amount })),
    ]
    const wanted = levels.length > 0 ? levels : [{ side: null, action: null, price: null, amount: null }]
    const mine = rows.filter(row => row['seq'] === BigInt(index + 1))
    t.equal(mine.length, wanted.length, `levels of frame ${index + 1}`)
    wanted.forEach((level, place) => sameRow(t, mine[place], { ...head, ...level }, `${index + 1}, level ${place}`))
    found += mine.length
  })
  t.equal(found, rows.length)
})

t.test('an index', async t => {
  const data = '{"timestamp":1790133840887,"price":86744.11,"index_name":"btc_usd"}'
  const [row] = await compacted(
    t,
    'deribit_price_index',
    [subscription('deribit_price_index.btc_usd', data)],
    'price_index',
  )
  const { timestamp, ...fields } = JSON.parse(data) as Json
  const head = common(1, { timestamp }, 'btc_usd')
  sameRow(t, row, { ...fields, ...head, channel: 'deribit_price_index.btc_usd' }, 'index')
})

t.test('the journal', async t => {
  const gap =
    '{"event":"gap","conn":"d1","from_us":1790000000000001,"to_us":1790000000000009,"cause":"silent","families":["book"]}'
  const rows = await compacted(t, 'journal', ['{"event":"started","version":"1","host":"h","run":"r"}', gap])
  t.match(rows[0], { event: 'started', host: 'h', run: 'r', event_conn: null })
  t.match(rows[1], {
    event: 'gap',
    event_conn: 'd1',
    from_us: 1790000000000001n,
    to_us: 1790000000000009n,
    cause: 'silent',
  })
  t.equal(rows[1]?.['detail'], gap)
})

t.test('captured frames without a table are kept to the byte', { skip: framesMissing }, async t => {
  for (const [family, file] of Object.entries({ rpc: 'rpc', sent: 'rpc_client_requests' })) {
    const frames = capturedFrames(`${file}.jsonl`)
    const rows = await compacted(t, family, frames, 'frames')
    t.same(
      rows.map(row => row['frame']),
      frames,
      family,
    )
    t.ok(rows.every(row => row['encoding'] === 'frame'))
  }
})

t.test('text and base64 of any family land in frames', async t => {
  const dataDir = t.testdir()
  const quote = subscription('quote.X', '{"timestamp":1,"instrument_name":"BTC-PERPETUAL","best_bid_price":1}')
  const text = 'not "JSON"\n\u0001\u0000 ✓'
  const lines = [rawLine(text, 1, 'text'), rawLine(quote, 2), rawLine(Buffer.from([0, 255]), 3, 'base64')]
  sealSegment(dataDir, 'quote', lines)
  t.match(await compactOnce(dataDir), { segments: 1, rows: { quote: 1, frames: 2 }, quarantined: 0 })
  const rows = await rowsOf(dataDir, 'frames')
  matchAll(t, rows, [
    { encoding: 'text', frame: text, seq: 1n },
    { encoding: 'base64', frame: 'AP8=', seq: 3n },
  ])
})

const ticker = (fields: string) =>
  subscription('ticker.BTC-PERPETUAL.raw', `{"timestamp":1790133840887,"instrument_name":"BTC-PERPETUAL"${fields}}`)

t.test('nothing of a frame is lost', async t => {
  const cases: [string, Json, Json | null][] = [
    [
      ',"estimated_delivery_price":"expired"',
      { estimated_delivery_price: null, estimated_delivery_text: 'expired' },
      null,
    ],
    [',"brand_new":{"a":[1]},"mark_price":1', { mark_price: 1 }, { brand_new: { a: [1] } }],
    [',"stats":{"high":1,"mood":"good","low":null}', { stats_high: 1 }, { stats: { mood: 'good' } }],
    [',"stats":{"high":"n/a"}', { stats_high: null }, { stats: { high: 'n/a' } }],
    [',"stats":"none","greeks":null', { stats_high: null }, { stats: 'none' }],
    [',"brand_new":null', {}, { brand_new: null }],
    [',"mark_price":1,"mark_price":2', { mark_price: 1 }, null],
    [
      ',"last_price":null,"mark_price":2.0e3,"mark_iv":1000.0,"funding_8h":6.563e-5',
      { mark_price: 2000, mark_iv: 1000, funding_8h: 6.563e-5 },
      null,
    ],
    [
      ',"best_bid_price":-0.0005,"underlying_index":"SYN.BTC-1"',
      { best_bid_price: -0.0005, underlying_index: 'SYN.BTC-1' },
      null,
    ],
  ]
  const rows = await compacted(
    t,
    'ticker',
    cases.map(([fields]) => ticker(fields)),
  )
  cases.forEach(([fields, columns, extra], index) => {
    matchAll(t, rows[index], columns, fields)
    const text = rows[index]?.['extra']
    if (fields.includes('"mark_price":1,"mark_price":2')) t.match(text, /"mark_price":2\b/, 'a key that stands twice')
    else t.same(typeof text === 'string' ? JSON.parse(text) : null, extra, fields)
  })
})

t.test('unknown members around data, and of trades', async t => {
  const trade = (fields: string) =>
    `{"trade_id":"1","trade_seq":1,"timestamp":1790133840887,"instrument_name":"BTC-PERPETUAL","price":1,"amount":1${fields}}`
  const data = `[${trade('')},${trade(',"x":225046781992378369,"iv":"high"').replace('"1"', '"2"')}]`
  const frame = subscription('trades.BTC-PERPETUAL.raw', data).replace('"method"', '"note":{"k":1},"method"')
  const rows = await compacted(t, 'trades', [frame])
  const extras = rows.map(row => parseExactly(String(row['extra']))) as Json[]
  t.match(extras[0], { envelope: { note: { k: 1 } } })
  t.same(extras[1], { x: 225046781992378369n, iv: 'high' })
})

t.test('books of other years and with odd levels', async t => {
  const book = (fields: string) =>
    subscription('book.X.raw', `{"timestamp":1,"instrument_name":"BTC-PERPETUAL",${fields}}`)
  const rows = await compacted(t, 'book', [
    book('"change_id":0,"bids":[],"asks":[["new",1.5,2]]'),
    book('"change_id":5,"prev_change_id":0,"type":"change","bids":null,"asks":[["delete",-1.5,0.0]]'),
    book('"change_id":6,"bids":[["new",1,2,"x"],["new","cheap",2]]'),
    book('"change_id":7,"type":"snapshot","bids":[],"asks":[]'),
  ])
  t.match(rows[0], {
    change_id: 0n,
    prev_change_id: null,
    type: null,
    side: 'ask',
    action: 'new',
    price: 1.5,
    amount: 2,
  })
  t.match(rows[1], { change_id: 5n, prev_change_id: 0n, side: 'ask', action: 'delete', price: -1.5, amount: 0 })
  t.match(rows[2], { price: 1, amount: 2, extra: '{"level":["new",1,2,"x"]}' })
  t.match(rows[3], { price: null, amount: 2, extra: '{"level":["new","cheap",2]}' })
  t.match(rows[4], { change_id: 7n, type: 'snapshot', side: null, action: null })
  t.equal(rows.length, 5)
})
