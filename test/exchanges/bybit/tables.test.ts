import t, { type Test } from 'tap'
import { bybit } from '../../../exchanges/bybit/main.js'
import { familyOfChannel } from '../../../exchanges/bybit/names.js'
import { compactOnce, filesBelow, rowsOf, type Row } from '../../compactor/fixtures/compacted.js'
import { rawLines, sealSegment } from '../../compactor/fixtures/segments.js'
import { frameFiles, framesIn, needsFrames } from '../../fixtures/exchange-frames.js'

type Json = Record<string, unknown>

/** Frames that are no data: what the exchange answers, and what a client asks. They are rows of `frames`. */
const NO_DATA: readonly string[] = ['control.jsonl', 'client_requests.jsonl']

/** Times as µs since the epoch. */
async function bybitRows(dataDir: string, table: string): Promise<Row[]> {
  const plain = (value: unknown) =>
    typeof value === 'object' && value !== null && 'micros' in value ? value.micros : value
  const rows = await rowsOf(dataDir, table, 'bybit')
  return rows.map(row => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)])))
}

const number = (value: unknown) => (value === undefined || value === '' ? null : Number(value))
const us = (ms: unknown) => BigInt(Number(ms)) * 1000n

/** The rows that a frame stands for, written down by hand from the exchange's documentation: columns and their values. */
function rowsOfFrame(frame: Json, category: string): Json[] {
  const topic = String(frame['topic'])
  const [head, second] = topic.split('.')
  const channel = category === 'spot' ? `spot.${topic}` : topic
  const data = frame['data'] as Json & Json[]
  switch (head) {
    case 'orderbook': {
      const about = {
        channel,
        category,
        update_id: BigInt(Number(data['u'])),
        type: frame['type'],
        exchange_ts: us(frame['cts'] ?? frame['ts']),
      }
      const levels = (side: string) => data[side] as string[][]
      if (second === '1') {
        const [[bid, bidSize] = [], [ask, askSize] = []] = [levels('b')[0], levels('a')[0]]
        return [
          {
            ...about,
            bid_price: number(bid),
            bid_size: number(bidSize),
            ask_price: number(ask),
            ask_size: number(askSize),
          },
        ]
      }
      const sides = [...levels('b').map(level => ['bid', ...level]), ...levels('a').map(level => ['ask', ...level])]
      return sides.map(([side, price, size]) => ({
        ...about,
        side,
        price: number(price),
        size: number(size),
        depth: BigInt(Number(second)),
      }))
    }
    case 'publicTrade':
      return data
        .map(row => ({
          channel,
          category,
          instrument_name: row['s'],
          trade_id: row['i'],
          exchange_ts: us(row['T']),
          price: number(row['p']),
          size: number(row['v']),
          side: row['S'],
          tick: row['L'] ?? null,
          is_block_trade: row['BT'],
          is_rpi_trade: row['RPI'] ?? null,
          cross_seq: row['seq'] === undefined ? null : BigInt(Number(row['seq'])),
          iv: number(row['iv']),
          mark_price: number(row['mP']),
        }))
        .sort((a, b) => String(a.instrument_name).localeCompare(String(b.instrument_name)))
    case 'tickers': {
      const delivery = typeof data['deliveryTime'] === 'string' ? data['deliveryTime'] : ''
      return [
        {
          channel,
          category,
          instrument_name: data['symbol'],
          exchange_ts: us(frame['ts']),
          type: frame['type'],
          last_price: number(data['lastPrice']),
          mark_price: number(data['markPrice']),
          bid1_price: number(data['bid1Price']),
          ask1_size: number(data['ask1Size']),
          open_interest: number(data['openInterest']),
          funding_rate: number(data['fundingRate']),
          volume_24h: number(data['volume24h']),
          turnover_24h: number(data['turnover24h']),
          next_funding_ts: number(data['nextFundingTime']) === null ? null : us(data['nextFundingTime']),
          delivery_ts:
            delivery === '' || delivery === '0' ? null : us(/T/.test(delivery) ? Date.parse(delivery) : delivery),
          delta: number(data['delta']),
          bid_iv: number(data['bidIv']),
          usd_index_price: number(data['usdIndexPrice']),
        },
      ]
    }
    case 'kline':
      return data.map(row => ({
        channel,
        category,
        resolution: row['interval'],
        exchange_ts: us(row['start']),
        open: number(row['open']),
        close: number(row['close']),
        high: number(row['high']),
        low: number(row['low']),
        volume: number(row['volume']),
        turnover: number(row['turnover']),
        is_final: row['confirm'],
        end_ts: us(row['end']),
        last_trade_ts: us(row['timestamp']),
      }))
    case 'allLiquidation':
      return data.map(row => ({
        channel,
        category,
        instrument_name: row['s'],
        exchange_ts: us(row['T']),
        side: row['S'],
        size: number(row['v']),
        price: number(row['p']),
      }))
    default:
      throw new TypeError(`a topic of no table: ${topic}`)
  }
}

const categoryOfFile = (file: string) =>
  /_(linear|inverse|spot|option)/.exec(file)?.[1] ?? (file.startsWith('liquidation') ? 'linear' : 'spot')

/** Every value as it was sent, row by row. */
function sameRows(t: Test, found: readonly Row[], wanted: readonly Json[], what: string): void {
  t.equal(found.length, wanted.length, `${what}: rows`)
  let wrong = 0
  wanted.forEach((row, index) => {
    const same = Object.entries(row).every(([name, value]) => found[index]?.[name] === value)
    if (!same && ++wrong < 4)
      t.strictSame(
        Object.fromEntries(Object.keys(row).map(name => [name, found[index]?.[name]])),
        row,
        `${what} ${index + 1}`,
      )
  })
  t.equal(wrong, 0, `${what}: values`)
}

t.test('every captured frame ends in its table, value for value', { timeout: 300_000 }, async t => {
  if (!needsFrames(t, 'bybit')) return
  for (const file of frameFiles('bybit').filter(file => !NO_DATA.includes(file) && !file.startsWith('rest_'))) {
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

t.test('lists of instruments: each with its kind, and every member of it', { timeout: 120_000 }, async t => {
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
