import t from 'tap'
import { startSimulator } from '../../../../exchanges/deribit/simulator/main.js'
import { get, TestClient, type Fields } from './client.js'

const simulator = await startSimulator({ instruments: 0, rate: 500, credits: false })
const client = await TestClient.connect(simulator.url)
t.teardown(async () => {
  client.close()
  await simulator.close()
})

t.test('routed pairs are marked in lists, the others are not', async t => {
  const rows = (await get(simulator.httpUrl, 'get_instruments', { currency: 'any', kind: 'spot' })) as Fields[]
  for (const row of rows) {
    const isRouted = row['instrument_name'] === 'BTC_USDC'
    for (const key of ['is_cbe_routed', 'is_csr']) t.equal(row[key], isRouted ? true : undefined)
    t.equal(
      Object.keys(row).some(key => key.startsWith('block_trade_')),
      !isRouted,
    )
  }
  t.ok(rows.length > 1)
})

t.test('channels of their trades are left out of the answer, quotes and books are not', async t => {
  const taken = ['ticker.BTC_USDC.100ms', 'book.BTC_USDC.100ms', 'quote.BTC_USDC', 'trades.ETH_USDC.100ms']
  const refused = [
    'trades.BTC_USDC.100ms',
    'chart.trades.BTC_USDC.1',
    'trades.spot.BTC.100ms',
    'trades.spot.USDC.100ms',
    'trades.any.BTC.100ms',
  ]
  t.strictSame(await client.subscribe(...refused, ...taken), [...taken].sort().reverse())
})

t.test('their history answers 11060, by currency too where spot is among what is asked for', async t => {
  const span = { start_timestamp: Date.now() - 60_000, end_timestamp: Date.now() }
  const calls: [string, object][] = [
    ['public/get_last_trades_by_instrument', { instrument_name: 'BTC_USDC' }],
    ['public/get_last_trades_by_currency', { currency: 'USDC' }],
    ['public/get_last_trades_by_currency_and_time', { currency: 'BTC', kind: 'spot', ...span }],
    ['public/get_tradingview_chart_data', { instrument_name: 'BTC_USDC', resolution: '1', ...span }],
  ]
  for (const [method, params] of calls) t.match((await client.call(method, params)).error, { code: 11060 }, method)
  t.match(await client.call('public/get_last_trades_by_instrument', { instrument_name: 'ETH_USDC' }), {
    result: { trades: Array },
  })
  t.match(await client.call('public/get_last_trades_by_currency', { currency: 'BTC', kind: 'future' }), {
    result: { trades: Array },
  })
})
