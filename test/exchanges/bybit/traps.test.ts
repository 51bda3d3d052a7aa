import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { bybitConfig } from '../../../exchanges/bybit/config.js'
import { Discovery } from '../../../exchanges/bybit/discovery.js'
import { BybitHttp } from '../../../exchanges/bybit/http.js'
import { parseInstruments } from '../../../exchanges/bybit/instruments.js'
import { planChannels } from '../../../exchanges/bybit/plan-channels.js'
import { askedDataset } from '../fixtures/asked-dataset.js'

const T0 = Date.UTC(2026, 10, 22, 14)
const pushed = (topic: string, data: unknown, more: object = {}) =>
  JSON.stringify({ topic, type: 'snapshot', ts: T0, data, ...more })

const instrument = (category: 'linear' | 'spot', row: object) => {
  const [one] = parseInstruments(category, [row]).instruments
  if (!one) throw new Error('no instrument')
  return one
}

t.test('spot tickers have no best bid and ask: its quotes are taken by default', t => {
  const plan = planChannels(
    [instrument('spot', { symbol: 'BTCUSDT', status: 'Trading' })],
    bybitConfig.parse({ name: 'bybit' }),
  )
  t.ok(plan.has('spot.orderbook.1.BTCUSDT') && plan.has('spot.tickers.BTCUSDT'))
  t.end()
})

t.test('a perpetual that has a delivery time is to be delisted then', t => {
  const perpetual = { symbol: 'XUSDT', contractType: 'LinearPerpetual', status: 'Trading' }
  t.match(instrument('linear', { ...perpetual, deliveryTime: '1790000000000' }), {
    kind: 'perpetual',
    expiration_timestamp: 1_790_000_000_000,
  })
  t.equal(instrument('linear', { ...perpetual, deliveryTime: '0' }).expiration_timestamp, undefined)
  t.end()
})

t.test(
  'lists: those that come are asked for apart, pages are followed, options are asked for by coin, spot has no pages',
  async t => {
    const asked: string[] = []
    const server = createServer((request, response) => {
      const { searchParams } = new URL(request.url ?? '', 'http://localhost')
      const { category = '', status = 'Trading', baseCoin = '', cursor = '' } = Object.fromEntries(searchParams)
      asked.push([category, status, baseCoin, cursor].join(' ').trim())
      const hasMore = category === 'linear' && status === 'Trading' && cursor === ''
      const row = { symbol: `BTC${cursor}USDT`, status, contractType: 'LinearPerpetual' }
      const result = { category, list: [row], ...(hasMore && { nextPageCursor: '2' }) }
      response.end(JSON.stringify({ retCode: 0, retMsg: 'OK', result, time: T0 }))
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => server.close())
    const http = new BybitHttp(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 100)
    const discovery = new Discovery(http, bybitConfig.parse({ name: 'bybit', optionCoins: ['BTC', 'SOL'] }))
    const { instruments } = await discovery.list([], () => undefined, new AbortController().signal)
    t.same(asked, [
      'linear Trading',
      'linear Trading  2',
      'linear PreLaunch',
      'inverse Trading',
      'inverse PreLaunch',
      'spot Trading',
      'option Trading BTC',
    ])
    t.ok(instruments.some(({ symbol, status }) => symbol === 'BTCUSDT' && status === 'PreLaunch'))
    t.ok(
      instruments.some(({ symbol }) => symbol === 'BTC2USDT'),
      'of the second page',
    )
  },
)

t.test('a change of a ticker leaves out what stays: tickers_all has it whole', async t => {
  const ticker = (type: string, data: object, cs: number) =>
    pushed('tickers.BTCUSD', { symbol: 'BTCUSD', ...data }, { type, cs, ts: T0 + cs })
  const whole = {
    lastPrice: '50000',
    markPrice: '50001',
    bid1Price: '49999',
    bid1Size: '50',
    openInterest: '100000',
    fundingRate: '0.0001',
  }
  const ask = await askedDataset(t, 'bybit', {
    ticker: [
      ticker('snapshot', whole, 1),
      ticker('delta', { markPrice: '40000' }, 2),
      ticker('delta', { bid1Price: '39999', bid1Size: '80' }, 3),
    ],
  })
  const rows = await ask(
    'SELECT last_price, mark_price, bid_price, funding_rate, open_interest_base FROM tickers_all ORDER BY seq',
  )
  t.same(
    rows.map(row => [row['last_price'], row['mark_price'], row['bid_price'], row['funding_rate']]),
    [
      [50_000, 50_001, 49_999, 0.0001],
      [50_000, 40_000, 49_999, 0.0001],
      [50_000, 40_000, 39_999, 0.0001],
    ],
  )
  t.equal(rows[1]?.['open_interest_base'], 1.25, 'both sides were counted, in USD: 50,000 USD at 40,000')
  const [own] = await ask('SELECT last_price FROM bybit.ticker WHERE "type" = \'delta\' LIMIT 1')
  t.equal(own?.['last_price'], null, 'the table has what the frame said')
})

t.test('level 1 is sent again when nothing changes: one row; a change of levels is another', async t => {
  const quote = (u: number, ts: number) =>
    pushed('orderbook.1.BTCUSDT', { s: 'BTCUSDT', b: [['1', '2']], a: [['3', '4']], u, seq: u * 10 }, { ts, cts: T0 })
  const ask = await askedDataset(t, 'bybit', { quote: [quote(7, T0), quote(7, T0 + 3000), quote(8, T0 + 3100)] })
  const rows = await ask('SELECT update_id FROM bybit.quote ORDER BY seq')
  t.same(rows, [{ update_id: '7' }, { update_id: '7' }, { update_id: '8' }], 'each as it came on one connection')
})

t.test('at the end of a minute one frame has two bars: the final one and the next', async t => {
  const bar = (start: number, confirm: boolean) => ({
    ...{
      start,
      end: start + 59_999,
      interval: '1',
      open: '1',
      close: '2',
      high: '3',
      low: '1',
      volume: '5',
      turnover: '9',
    },
    ...{ confirm, timestamp: start + 1 },
  })
  const ask = await askedDataset(t, 'bybit', {
    candles: [pushed('kline.1.BTCUSDT', [bar(T0 - 60_000, true), bar(T0, false)])],
  })
  const rows = await ask('SELECT is_final, epoch_ms(start_ts) AS ms FROM candles_all ORDER BY start_ts')
  t.same(rows, [
    { is_final: true, ms: String(T0 - 60_000) },
    { is_final: false, ms: String(T0) },
  ])
})

t.test('the time of delivery is text in frames, milliseconds in answers', async t => {
  const ticker = (deliveryTime: string, cs: number) =>
    pushed('tickers.BTCUSDZ26', { symbol: 'BTCUSDZ26', deliveryTime }, { cs })
  const ask = await askedDataset(t, 'bybit', {
    ticker: [ticker('2026-12-25T08:00:00Z', 1), ticker('1798185600000', 2), ticker('soon', 3)],
  })
  const rows = await ask('SELECT epoch_ms(delivery_ts) AS ms, extra FROM bybit.ticker ORDER BY seq')
  t.same(
    rows.map(({ ms }) => ms),
    ['1798185600000', '1798185600000', null],
  )
  t.match(rows[2]?.['extra'], /soon/, 'what is no time stays')
})

t.test(
  'inverse sizes are USD, linear ones coin; liquidations have the side of the position; trades are marked as RPI',
  async t => {
    const trade = (s: string, i: string, v: string, RPI: boolean) =>
      pushed(`publicTrade.${s}`, [{ T: T0, s, S: 'Buy', v, p: '50000', L: 'PlusTick', i, BT: false, RPI, seq: 1 }])
    const ask = await askedDataset(t, 'bybit', {
      trades: [trade('BTCUSD', 'a', '25000', false), trade('BTCUSDT', 'b', '0.5', true)],
      liquidations: [pushed('allLiquidation.BTCUSDT', [{ T: T0, s: 'BTCUSDT', S: 'Buy', v: '1', p: '40000' }])],
    })
    const rows = await ask('SELECT instrument_name, amount_base, notional_quote FROM trades_all ORDER BY 1')
    t.same(rows, [
      { instrument_name: 'BTCUSD', amount_base: 0.5, notional_quote: 25_000 },
      { instrument_name: 'BTCUSDT', amount_base: 0.5, notional_quote: 25_000 },
    ])
    const rpi = await ask('SELECT instrument_name FROM bybit.trades WHERE is_rpi_trade')
    t.same(rpi, [{ instrument_name: 'BTCUSDT' }])
    t.same(await ask('SELECT side FROM bybit.liquidations'), [{ side: 'Buy' }], 'a long was liquidated')
  },
)
