import t from 'tap'
import { startSimulator } from '../../../../exchanges/deribit/simulator/main.js'
import { get, TestClient, type Fields } from './client.js'
import { matchAll } from '../../../fixtures/match-all.js'

const simulator = await startSimulator({ instruments: 300, rate: 500, credits: false })
t.teardown(() => simulator.close())
const ask = (method: string, params: Record<string, string | number> = {}) => get(simulator.httpUrl, method, params)
const HOUR_MS = 3_600_000

t.test('funding: whole hours, the same whenever asked', async t => {
  const now = Date.now()
  const params = { instrument_name: 'BTC-PERPETUAL', start_timestamp: now - 24 * HOUR_MS, end_timestamp: now }
  const rows = (await ask('get_funding_rate_history', params)) as Fields[]
  t.equal(rows.length, 24)
  t.ok(rows.every(row => Number(row['timestamp']) % HOUR_MS === 0))
  t.strictSame(await ask('get_funding_rate_history', params), rows)
  const value = Number(await ask('get_funding_rate_value', params))
  t.ok(Math.abs(value - rows.reduce((sum, row) => sum + Number(row['interest_1h']), 0)) < 1e-12)
})

t.test('volatility index: pages back by continuation without holes', async t => {
  const end = Math.floor(Date.now() / 60_000) * 60_000
  const start = end - 1_499 * 60_000
  const page = async (endMs: number) =>
    (await ask('get_volatility_index_data', {
      currency: 'BTC',
      start_timestamp: start,
      end_timestamp: endMs,
      resolution: 60,
    })) as { data: number[][]; continuation: number | null }
  const first = await page(end)
  t.equal(first.data.length, 1000)
  const second = await page(first.continuation ?? 0)
  t.equal(second.continuation, null)
  const times = [...second.data, ...first.data].map(([ms]) => ms ?? 0)
  t.equal(times.length, 1500)
  t.ok(times.every((ms, n) => n === 0 || ms - (times[n - 1] ?? 0) === 60_000))
})

t.test('the other methods answer', async t => {
  t.match(await ask('get_index_price', { index_name: 'btc_usd' }), { index_price: Number })
  t.ok(((await ask('get_index_price_names')) as string[]).includes('btc_usd'))
  t.match(((await ask('get_index_price_names', { extended: 'true' })) as Fields[])[0], { name: String })
  t.match(((await ask('get_currencies')) as Fields[])[0], { currency: 'BTC' })
  t.strictSame(await ask('status'), { locked: 'false' })
  const dates = (await ask('get_expirations', { currency: 'BTC', kind: 'any' })) as Record<string, string[]>
  t.equal(dates['future']?.at(-1), 'PERPETUAL')
  t.match(dates['option']?.[0], /^\d{1,2}[A-Z]{3}\d\d$/)
  const deliveries = (await ask('get_delivery_prices', { index_name: 'btc_usd', count: 3 })) as { data: Fields[] }
  const delivery = { date: /^\d{4}-\d\d-\d\d$/, delivery_price: Number }
  matchAll(t, deliveries.data, [delivery, delivery, delivery])
  const summaries = (await ask('get_book_summary_by_currency', { currency: 'BTC', kind: 'option' })) as Fields[]
  t.ok(summaries.length > 10 && summaries.every(row => 'mark_iv' in row))
  t.ok(
    summaries.some(row => row['bid_price'] === null),
    'an empty side is null here',
  )
  const perpetual = (await ask('get_instrument', { instrument_name: 'BTC-PERPETUAL' })) as Fields
  const byId = await ask('get_order_book_by_instrument_id', { instrument_id: Number(perpetual['instrument_id']) })
  t.match(byId, { instrument_name: 'BTC-PERPETUAL', bids: Array })
  const chart = (await ask('get_index_chart_data', { index_name: 'eth_usd', range: '1d' })) as number[][]
  t.ok(chart.length > 100 && chart.every(([ms = 0], n) => n === 0 || ms > (chart[n - 1]?.[0] ?? 0)))
  const volatilities = (await ask('get_historical_volatility', { currency: 'BTC' })) as number[][]
  t.ok(volatilities.length > 0 && volatilities.every(pair => pair.length === 2 && pair.every(Number.isFinite)))
  t.match(await ask('get_block_rfq_trades', { currency: 'any' }), { block_rfqs: Array })
  t.match(await ask('get_funding_chart_data', { instrument_name: 'BTC-PERPETUAL', length: '8h' }), { data: Array })
})

t.test('currencies and kinds select', async t => {
  const list = async (params: Record<string, string>) =>
    ((await ask('get_instruments', params)) as Fields[]).map(row => [row['kind'], row['settlement_currency']])
  const futures = await list({ currency: 'USDC', kind: 'future' })
  t.ok(futures.length > 0 && futures.every(([kind, currency]) => kind === 'future' && currency === 'USDC'))
  t.equal((await list({ currency: 'any' })).length, (await list({})).length)
  const combos = await list({ currency: 'BTC', kind: 'option_combo' })
  t.ok(combos.length > 0 && combos.every(([kind, currency]) => kind === 'option_combo' && currency === 'BTC'))
})

t.test('option marks: IV is a fraction on markprice.options, percent in the ticker', async t => {
  const client = await TestClient.connect(simulator.url)
  t.teardown(() => client.close())
  await client.subscribe('markprice.options.btc_usd')
  const marks = await client.until(
    () => client.rows('markprice.options.btc_usd').length > 5 && client.rows('markprice.options.btc_usd'),
  )
  t.ok(marks.every(row => Number(row['iv']) < 5))
  const name = marks[0]?.['instrument_name'] as string
  const ticker = (await ask('ticker', { instrument_name: name })) as Fields
  t.ok(Math.abs(Number(ticker['mark_iv']) / 100 - Number(marks[0]?.['iv'])) < 0.05)
  t.match(ticker, { underlying_index: String, greeks: { delta: Number } })
})
