import t from 'tap'
import { startSimulator } from '../../../../exchanges/deribit/simulator/main.js'
import { get, TestClient } from './client.js'

const HOUR_MS = 3_600_000
const simulator = await startSimulator({ instruments: 0, rate: 500, credits: false })
const client = await TestClient.connect(simulator.url)
t.teardown(async () => {
  client.close()
  await simulator.close()
})
const { market } = simulator
const perpetual = market.find('BTC-PERPETUAL')
const bars = async (resolution: string, fromMs: number, toMs = market.nowMs) =>
  (await get(simulator.httpUrl, 'get_tradingview_chart_data', {
    instrument_name: 'BTC-PERPETUAL',
    resolution,
    start_timestamp: fromMs,
    end_timestamp: toMs,
  })) as Record<'ticks' | 'open' | 'high' | 'low' | 'close' | 'volume' | 'cost', number[]>

/** Asked for further back than the instrument is old, answers begin with it. */
const startMs = (perpetual?.instrument.createdMs ?? 0) - HOUR_MS

t.test('daily candles open at 08:00 UTC, in calls and in channels', async t => {
  const { ticks } = await bars('1D', startMs)
  t.ok(ticks.length > 0)
  t.ok(
    ticks.every(ms => new Date(ms).toISOString().slice(11) === '08:00:00.000Z'),
    ticks.join(),
  )
  await client.subscribe('chart.trades.BTC-PERPETUAL.1D')
  await client.until(() => client.of('chart.trades.BTC-PERPETUAL.1D').length > 0)
  t.equal(client.of('chart.trades.BTC-PERPETUAL.1D')[0]?.['tick'], ticks.at(-1))
})

t.test('candles reach back before the start of the market, and read the same whenever asked', async t => {
  const hours = await bars('60', startMs)
  t.ok(
    hours.ticks.every((ms, n) => n === 0 || ms - (hours.ticks[n - 1] ?? 0) === HOUR_MS),
    'without holes',
  )
  const firstTradeMs = perpetual?.candles.first?.tickMs ?? 0
  t.ok(
    (hours.ticks[0] ?? Infinity) <= (perpetual?.instrument.createdMs ?? 0),
    'from the first hour of the instrument on',
  )
  const past = hours.ticks.filter(ms => ms + HOUR_MS <= firstTradeMs).length
  const isSound = (bar: number) => {
    const [open = NaN, high = NaN, low = NaN, close = NaN] = [hours.open, hours.high, hours.low, hours.close].map(
      column => column[bar] ?? NaN,
    )
    return low <= Math.min(open, close) && high >= Math.max(open, close)
  }
  t.ok(past > 0 && hours.ticks.slice(0, past).every((_, bar) => isSound(bar)))
  const again = await bars('60', startMs, (hours.ticks[past - 1] ?? 0) + 1)
  t.strictSame(again.close, hours.close.slice(0, past))
  const minutes = await bars('1', hours.ticks[past - 1] ?? 0)
  t.equal(minutes.open[0], hours.open[past - 1], 'in whatever width')
})
