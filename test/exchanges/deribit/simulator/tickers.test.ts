import t from 'tap'
import { startSimulator } from '../../../../exchanges/deribit/simulator/main.js'
import { SteppedMarket } from '../../../fixtures/simulated-books.js'
import { get, TestClient, type Fields } from './client.js'

// They mostly wait.
t.jobs = 3

const simulator = await startSimulator({ instruments: 40, rate: 1_000, credits: false })
const client = await TestClient.connect(simulator.url)
t.teardown(async () => {
  client.close()
  await simulator.close()
})

t.test('spot: a mark and limits of price, no notional volume, nothing of derivatives', async t => {
  const [ticker] = await firstOf('ticker.BTC_USDC.100ms')
  const book = (await get(simulator.httpUrl, 'get_order_book', { instrument_name: 'BTC_USDC' })) as Fields
  for (const fields of [ticker ?? {}, book]) {
    t.match(fields, { mark_price: Number, min_price: Number, max_price: Number, index_price: Number })
    t.ok(Number(fields['min_price']) < Number(fields['mark_price']))
    t.ok(Number(fields['mark_price']) < Number(fields['max_price']))
    t.notOk('volume_notional' in (fields['stats'] as Fields))
    for (const key of ['open_interest', 'settlement_price', 'estimated_delivery_price', 'greeks'])
      t.notOk(key in fields, key)
  }
})

t.test('combos of options say nothing of volatility', async t => {
  const combo = [...simulator.market.listings.values()].find(({ instrument }) => instrument.kind === 'option_combo')
  const [ticker = {}] = await firstOf(`ticker.${combo?.name ?? ''}.100ms`)
  t.match(ticker, { implied_bid: Number, implied_ask: Number, combo_state: 'active', mark_price: Number })
  for (const key of ['greeks', 'mark_iv', 'bid_iv', 'ask_iv', 'underlying_price', 'underlying_index', 'interest_rate'])
    t.notOk(key in ticker, key)
})

t.test('funding comes 83 to 105 times in 57 s', t => {
  const stepped = new SteppedMarket(3, Date.UTC(2026, 10, 22, 12), 5)
  let frames = 0
  stepped.subscribe('perpetual.BTC-PERPETUAL.100ms', () => frames++)
  for (let step = 0; step < 5_700; step++) stepped.step()
  t.ok(frames >= 83 && frames <= 105, `${frames} frames`)
  t.end()
})

async function firstOf(channel: string): Promise<Fields[]> {
  await client.subscribe(channel)
  await client.until(() => client.of(channel).length > 0)
  return client.of(channel)
}
