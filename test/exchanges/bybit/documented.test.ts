/** What was never captured, as the documentation has it: recorded from the simulator, in tables. */
import t from 'tap'
import { bybitConfig } from '../../../exchanges/bybit/config.js'
import type { Instrument } from '../../../exchanges/bybit/instruments.js'
import { ownSocketOf } from '../../../exchanges/bybit/names.js'
import { askAllPages, planPolls, type MethodPoll } from '../../../exchanges/bybit/polls.js'
import { startSimulator } from '../../../exchanges/bybit/simulator/main.js'
import { compactOnce, filesBelow, query } from '../../compactor/fixtures/compacted.js'
import { rawLines, sealSegment } from '../../compactor/fixtures/segments.js'
import { framesTaken, startRecorder, until } from '../../fixtures/recorder-process.js'

// Mostly waits.

const POLLED = [
  'mark_price_candles',
  'index_candles',
  'premium_candles',
  'long_short_ratio',
  'insurance_list',
  'status_list',
]

t.test(
  'books with RPI, price limits, pools, maintenance, block trades, and what only methods give end in their tables',
  { timeout: 120_000 },
  async t => {
    const exchange = await startSimulator({ rate: 150, instruments: 0 })
    t.teardown(() => exchange.close())
    const recorder = startRecorder(t, t.testdir({}), {
      ...{ name: 'bybit', url: exchange.url, instruments: ['BTCUSDT'] },
      channels: {
        ...{
          perpetual: ['trades', 'book_rpi', 'price_limit'],
          spot: ['book_rpi', 'price_limit'],
          future: [],
          option: [],
        },
        exchange: ['insurance', 'adl_alert', 'status', 'rfq_trades'],
      },
      polls: { priceCandles: { everyMinutes: 60, backHours: 1 }, callsPerSecond: 50 },
    })
    const { dataDir } = recorder
    const many = ['trades', 'book_rpi', 'book_rpi.spot']
    const some = ['price_limit', 'price_limit.spot', 'insurance', 'adl_alert', 'status', 'rfq_trades', ...POLLED]
    await until('all come', () =>
      [...many, ...some].every(family => framesTaken(recorder, family) > (many.includes(family) ? 20 : 0)),
    )
    recorder.process.kill()
    t.equal((await recorder.process).exitCode, 0)
    await compactOnce(dataDir)
    t.same(filesBelow(`${dataDir}/quarantine`), [])
    const table = (name: string) => `read_parquet('${dataDir}/parquet/exchange=bybit/table=${name}/**/*.parquet')`
    const [levels] = await query(`SELECT count(*) FILTER (rpi_size > 0 AND size > 0) AS rpi,
    count(*) FILTER (rpi_size = 0 AND size > 0) AS plain, count(*) FILTER (size = 0) AS gone, count(extra) AS odd,
    count(DISTINCT category) AS categories FROM ${table('book_rpi')}`)
    for (const sort of ['rpi', 'plain', 'gone']) t.ok(Number(levels?.[sort]) > 0, sort)
    t.same([levels?.['odd'], levels?.['categories']], [0n, 2n])
    const trades = await query(`SELECT DISTINCT is_rpi_trade AS rpi FROM ${table('trades')} ORDER BY 1`)
    t.same(
      trades.map(({ rpi }) => rpi),
      [false, true],
    )
    const rowOf = async (name: string, where = 'true') => {
      const [row] = await query(`SELECT *, (SELECT count(extra) FROM ${table(name)}) AS odd FROM ${table(name)}
        WHERE ${where} ORDER BY exchange_ts DESC LIMIT 1`)
      t.equal(row?.['odd'], 0n, `${name}: every member has its column`)
      return row
    }
    t.match(await rowOf('price_limit', `kind = 'spot'`), { category: 'spot', buy_limit: Number, sell_limit: Number })
    t.match(await rowOf('price_limit', `kind = 'perpetual'`), { category: 'linear', channel: 'priceLimit.BTCUSDT' })
    t.match(await rowOf('insurance', 'value IS NULL'), {
      coin: String,
      symbols: '1000PEPEUSDT',
      balance: 2000000.123456,
    })
    t.match(await rowOf('insurance', 'value IS NOT NULL'), { coin: 'USDT', value: 123456789.12 })
    t.match(await rowOf('adl_alerts'), { instrument_name: 'BTCUSDT', pnl_ratio: 0.01, adl_stop_ratio: -0.25 })
    for (const channel of [`channel = 'system.status'`, 'channel IS NULL'])
      t.match(await rowOf('platform_state', channel), { state: 'scheduled', service_types: '[2,3,4,5]', env: '1' })
    t.match(await rowOf('rfq_trades'), { strategy_type: 'custom', legs: /"markPrice":"80001.5"/ })
    for (const name of ['mark_price_candles', 'index_candles', 'premium_candles'])
      t.match(await rowOf(name), { instrument_name: 'BTCUSDT', category: 'linear', open: Number, close: Number })
    t.match(await rowOf('long_short_ratio'), { buy_ratio: 0.5012, sell_ratio: 0.4988 })
  },
)

t.test('prices of delivery are asked for by coin and page by page, as long as there are pages', async t => {
  const option = (symbol: string): Instrument => ({
    ...{ category: 'option', symbol, instrument_name: symbol, kind: 'option', status: 'Trading' },
    ...{ expiration_timestamp: undefined, creation_timestamp: undefined },
  })
  const polls = planPolls(
    [option('BTC-28JUN30-1-C'), option('BTC-28JUN30-1-P'), option('ETH-28JUN30-1-C')],
    bybitConfig.parse({ name: 'bybit' }),
  )
  const asked = polls.filter(({ family }) => family === 'deliveries')
  t.same(
    asked.map(({ params }) => params['baseCoin']),
    ['BTC', 'ETH'],
  )
  const answer = (symbol: string, nextPageCursor: string) => ({
    category: 'option',
    nextPageCursor,
    list: [{ symbol, deliveryPrice: '80000.123', deliveryTime: '1790000000000' }],
  })
  const cursors: unknown[] = []
  const http = {
    get: (_path: string, params: Readonly<Record<string, string | number>>) => {
      cursors.push(params['cursor'])
      const isFirst = params['cursor'] === undefined
      const result = isFirst ? answer('BTC-27NOV26-90000-C', '1%2C1') : answer('BTC-27NOV26-90000-P', '')
      return Promise.resolve({ bytes: Buffer.from(JSON.stringify({ retCode: 0, retMsg: 'OK', result })), result })
    },
  }
  const answers: string[] = []
  await askAllPages(
    http,
    asked[0] as MethodPoll,
    { toMs: 0 },
    bytes => answers.push(bytes.toString()),
    new AbortController().signal,
  )
  t.same(cursors, [undefined, '1%2C1'])
  const dataDir = t.testdir()
  sealSegment(dataDir, 'deliveries', rawLines(answers), { exchange: 'bybit' })
  t.match(await compactOnce(dataDir), { quarantined: 0, rows: { deliveries: 2 } })
})

t.test('status and RFQs have sockets of their own, and a time that is text or an odd form costs nothing', async t => {
  t.equal(ownSocketOf('system.status'), 'misc/status')
  t.equal(ownSocketOf('rfq.open.public.trades'), 'rfq')
  t.equal(ownSocketOf('tickers.BTCUSDT'), undefined)
  const dataDir = t.testdir()
  const frames = [
    '{"symbol":"BTCUSDT","buyLmt":"1","sellLmt":"2"}',
    '[{"symbol":"BTCUSDT","buyLmt":"1","sellLmt":"2"}]',
  ]
  sealSegment(
    dataDir,
    'price_limit',
    rawLines(frames.map(data => `{"topic":"priceLimit.BTCUSDT","ts":1790000000000,"data":${data}}`)),
    { exchange: 'bybit' },
  )
  t.match(await compactOnce(dataDir), { quarantined: 0, rows: { price_limit: 2 } })
})
