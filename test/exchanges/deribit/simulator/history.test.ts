import t from 'tap'
import { startSimulator } from '../../../../exchanges/deribit/simulator/main.js'
import { until } from '../../../fixtures/recorder-process.js'
import { get, TestClient, type Fields } from './client.js'

// They mostly wait.
t.jobs = 3

const DAY_MS = 86_400_000
const simulator = await startSimulator({ instruments: 20, rate: 2_000, credits: false })
const client = await TestClient.connect(simulator.url)
t.teardown(async () => {
  client.close()
  await simulator.close()
})
const ask = async (method: string, params: Record<string, string | number>) =>
  (await get(simulator.httpUrl, method, params)) as { trades: Fields[]; has_more: boolean }
const times = (rows: readonly Fields[]) => rows.map(row => Number(row['timestamp']))

t.test('calls by time need one of the two times, and go on from a beginning', async t => {
  const perpetual = { instrument_name: 'BTC-PERPETUAL' }
  const all = (await ask('get_last_trades_by_instrument', { ...perpetual, count: 1000, sorting: 'asc' })).trades
  const startMs = times(all)[5] ?? 0
  const from = await ask('get_last_trades_by_instrument_and_time', { ...perpetual, start_timestamp: startMs, count: 3 })
  t.equal(times(from.trades)[0], startMs, 'the earliest come first')
  t.strictSame(
    times(from.trades),
    times(from.trades).sort((a, b) => a - b),
  )
  t.equal(from.has_more, true)
  const to = await ask('get_last_trades_by_instrument_and_time', { ...perpetual, end_timestamp: startMs, count: 3 })
  t.equal(times(to.trades)[0], startMs, 'without a beginning the newest')
  const neither = await client.call('public/get_last_trades_by_instrument_and_time', perpetual)
  t.match(neither.error, { code: -32602 })
})

t.test('by currency and time: nothing, and no error, from more than a day ago on', async t => {
  const now = Date.now()
  const params = { currency: 'BTC', kind: 'future', end_timestamp: now + 60_000 }
  const older = await ask('get_last_trades_by_currency_and_time', { ...params, start_timestamp: now - DAY_MS - 60_000 })
  t.strictSame(older, { trades: [], has_more: false })
  const within = await ask('get_last_trades_by_currency_and_time', { ...params, start_timestamp: now - DAY_MS / 2 })
  t.ok(within.trades.length > 0)
})

t.test('trades of combos: by currency and kind alone, where the exchange is told so', async t => {
  const combos = [...simulator.market.listings.values()].filter(
    ({ instrument, name }) => instrument.kind === 'future_combo' && name.startsWith('BTC'),
  )
  const refused = await client.call('public/get_last_trades_by_instrument', { instrument_name: combos[0]?.name ?? '' })
  t.match(refused.error, { code: 10020, message: 'invalid_or_unsupported_instrument' })
  await until('a trade of a combo', () => combos.some(({ trades }) => trades.all.length > 0))
  const byKind = await ask('get_last_trades_by_currency', { currency: 'BTC', kind: 'future_combo' })
  t.ok(byKind.trades.length > 0 && byKind.trades.every(row => 'legs' in row))
})

t.test('a slash before the name of a method does no harm', async t => {
  t.match(await client.call('/public/get_time', {}), { result: Number })
})
