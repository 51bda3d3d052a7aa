import t from 'tap'
import { startSimulator } from '../../../../exchanges/deribit/simulator/main.js'
import { get, TestClient, text as textOf, type Fields } from './client.js'

const simulator = await startSimulator({ instruments: 60, rate: 4_000, rawForAll: true, credits: false })
const { market, httpUrl } = simulator
const client = await TestClient.connect(simulator.url)
t.teardown(async () => {
  client.close()
  await simulator.close()
})
const KIND_CHANNELS = ['future', 'option', 'spot', 'future_combo', 'option_combo'].map(kind => `trades.${kind}.any.raw`)
const combos = [...market.listings.values()].filter(({ instrument }) => instrument.legs)

await client.subscribe(
  ...KIND_CHANNELS,
  'trades.BTC-PERPETUAL.100ms',
  'trades.BTC-PERPETUAL.raw',
  ...combos.map(({ name }) => `trades.${name}.100ms`),
)
await client.until(
  () => client.rows('trades.BTC-PERPETUAL.100ms').length > 40 && client.rows('trades.future_combo.any.raw').length > 2,
  10_000,
)

t.test('trade_seq counts up by one per instrument, over frames and channels', t => {
  const last = new Map<string, number>()
  for (const channel of KIND_CHANNELS) {
    for (const row of client.rows(channel)) {
      const name = textOf(row['instrument_name'])
      const seq = Number(row['trade_seq'])
      const before = last.get(name)
      if (before !== undefined && seq !== before + 1) t.fail(`${name}: ${seq} after ${before}`)
      last.set(name, seq)
    }
  }
  t.ok(last.size > 20)
  t.end()
})

t.test('one taker order: several rows, one time stamp, rising trade_seq', t => {
  const frames = client.notifications.filter(({ channel }) => channel === 'trades.BTC-PERPETUAL.raw')
  const several = frames.map(({ data }) => data as Fields[]).filter(rows => rows.length > 1)
  t.ok(several.length > 0)
  for (const rows of several) {
    t.equal(new Set(rows.map(row => row['timestamp'])).size, 1)
    t.ok(
      rows.every(
        (row, index) => index === 0 || Number(row['trade_seq']) === Number(rows[index - 1]?.['trade_seq']) + 1,
      ),
    )
  }
  t.end()
})

t.test('trade ids are unique texts per currency', t => {
  const rows = KIND_CHANNELS.flatMap(channel => client.rows(channel))
  const ids = rows.map(row => row['trade_id'])
  t.ok(ids.every(id => typeof id === 'string'))
  t.equal(new Set(ids).size, ids.length)
  t.ok(ids.some(id => textOf(id).startsWith('ETH-')) && ids.some(id => /^\d+$/.test(textOf(id))))
  t.end()
})

t.test('starbase ids are beyond 2^53 and exact in the text', t => {
  const matches: bigint[] = []
  const stamps: string[] = []
  let inexact = 0
  for (const { channel, text } of client.notifications) {
    if (channel !== 'trades.future.any.raw') continue
    for (const [, match = '', stamp = ''] of text.matchAll(/"starbase_match_id":(\d+).*?"starbase_timestamp":(\d+)/g)) {
      matches.push(BigInt(match))
      if (String(Number(stamp)) !== stamp) inexact++
      stamps.push(stamp)
    }
  }
  t.ok(matches.length > 20 && matches.every(id => id > 2n ** 53n && id < 10n ** 18n))
  t.same(
    stamps.filter(stamp => !/^1[78]\d{17}$/.test(stamp)),
    [],
    'nanoseconds',
  )
  t.equal(new Set(matches).size, matches.length)
  t.ok(inexact > matches.length / 2, 'JSON.parse would change them')
  t.end()
})

t.test('what rows of a kind carry', t => {
  const option = client.rows('trades.option.any.raw')
  t.ok(option.every(row => Number(row['iv']) >= 0 && 'contracts' in row))
  t.ok(
    option.some(row => Number(row['iv']) > 5),
    'IV is in percent',
  )
  const [future, spot] = [client.rows('trades.future.any.raw'), client.rows('trades.spot.any.raw')]
  t.ok(future.length > 0 && future.every(row => !('iv' in row) && 'contracts' in row))
  t.ok(spot.length > 0 && spot.every(row => !('contracts' in row)))
  t.end()
})

t.test('legs of a combo trade are sent again on their own channels', t => {
  const futures = client.rows('trades.future.any.raw')
  const trades = client.rows('trades.future_combo.any.raw').slice(0, -1)
  t.ok(trades.length > 0)
  const odd: unknown[] = []
  for (const combo of trades) {
    const legs = combo['legs'] as Fields[]
    if (legs.length !== 2) odd.push(combo)
    for (const leg of legs) {
      const own = futures.find(row => row['trade_id'] === leg['trade_id'])
      const isOwn = own?.['trade_seq'] === leg['trade_seq'] && own?.['price'] === leg['price']
      const isOfCombo = leg['combo_trade_id'] === combo['trade_id'] && leg['combo_id'] === combo['instrument_name']
      const isOfThen = Math.abs(Number(leg['timestamp']) - Number(combo['timestamp'])) <= 1
      if (!isOwn || !isOfCombo || !isOfThen) odd.push([leg, combo, own])
    }
  }
  t.same(odd, [], 'each is on its own channel, with the ids and the time of its combo')
  t.end()
})

t.test('REST answers with the same trades', async t => {
  const name = 'BTC-PERPETUAL'
  const live = client.rows(`trades.${name}.100ms`)
  const [first, last] = [Number(live[0]?.['trade_seq']), Number(live.at(-1)?.['trade_seq'])]
  const range = { instrument_name: name, start_seq: first, end_seq: last, sorting: 'asc', count: 1000 }
  const answer = (await get(httpUrl, 'get_last_trades_by_instrument', range)) as Fields
  t.equal(answer['has_more'], false)
  const normal = (row: Fields) => `${textOf(row['trade_seq'])} ${textOf(row['price'])} ${textOf(row['trade_id'])}`
  t.strictSame((answer['trades'] as Fields[]).map(normal), live.map(normal))

  const three = (await get(httpUrl, 'get_last_trades_by_instrument', { ...range, count: 3 })) as Fields
  t.equal(three['has_more'], true)
  t.strictSame(
    (three['trades'] as Fields[]).map(row => row['trade_seq']),
    [first, first + 1, first + 2],
  )
  const newest = (await get(httpUrl, 'get_last_trades_by_instrument', {
    ...range,
    count: 2,
    sorting: 'desc',
  })) as Fields
  t.strictSame(
    (newest['trades'] as Fields[]).map(row => row['trade_seq']),
    [last, last - 1],
  )

  const [startMs, endMs] = [Number(live[0]?.['timestamp']), Number(live.at(-1)?.['timestamp'])]
  const span = { start_timestamp: startMs, end_timestamp: endMs, sorting: 'asc', count: 1000 }
  const timed = (await get(httpUrl, 'get_last_trades_by_instrument_and_time', {
    instrument_name: name,
    ...span,
  })) as Fields
  t.ok((timed['trades'] as Fields[]).length >= live.length)
  const byCurrency = (await get(httpUrl, 'get_last_trades_by_currency_and_time', {
    currency: 'BTC',
    kind: 'future',
    ...span,
  })) as Fields
  const found = (byCurrency['trades'] as Fields[]).filter(row => row['instrument_name'] === name)
  t.ok(found.length > 0)
  t.ok((byCurrency['trades'] as Fields[]).every(row => textOf(row['instrument_name']).startsWith('BTC-')))
})

t.test('candles are made of the trades', async t => {
  const span = { start_timestamp: 0, end_timestamp: Date.now() + 60_000 }
  const params = { instrument_name: 'BTC-PERPETUAL', resolution: '1', ...span }
  const chart = (await get(httpUrl, 'get_tradingview_chart_data', params)) as Record<string, number[]>
  t.match(chart, { status: 'ok' })
  const history = (await get(httpUrl, 'get_last_trades_by_instrument', {
    instrument_name: 'BTC-PERPETUAL',
    count: 1000,
    sorting: 'asc',
  })) as Fields
  const minute = Math.floor(Number((history['trades'] as Fields[])[0]?.['timestamp']) / 60_000) * 60_000
  const at = chart['ticks']?.indexOf(minute) ?? 0
  const rows = (history['trades'] as Fields[]).filter(
    row => Math.floor(Number(row['timestamp']) / 60_000) * 60_000 === minute,
  )
  t.equal(chart['open']?.[at], rows[0]?.['price'])
  t.equal(chart['high']?.[at], Math.max(...rows.map(row => Number(row['price']))))
  t.equal(chart['low']?.[at], Math.min(...rows.map(row => Number(row['price']))))
  t.equal(
    Math.round(chart['cost']?.[at] ?? 0),
    rows.reduce((sum, row) => sum + Number(row['amount']), 0),
  )
})
