/** What was never captured, as the documentation has it: recorded from the simulator, in tables. */
import t from 'tap'
import { okxConfig } from '../../../exchanges/okx/config.js'
import { instrumentOf } from '../../../exchanges/okx/instruments.js'
import { planPolls } from '../../../exchanges/okx/polls.js'
import { startSimulator } from '../../../exchanges/okx/simulator/main.js'
import { compactOnce, filesBelow, query } from '../../compactor/fixtures/compacted.js'
import { rawLines, sealSegment } from '../../compactor/fixtures/segments.js'
import { framesTaken, startRecorder, until } from '../../fixtures/recorder-process.js'

const ONE_BY_ONE = ['public-block-trades', 'block-tickers', 'call-auction-details', 'public-struc-block-trades']

t.test('books with RPI, block trades and auctions end in their tables', async t => {
  const exchange = await startSimulator({ rate: 100, instruments: 0 })
  t.teardown(() => exchange.close())
  const recorder = startRecorder(t, t.testdir({}), {
    ...{ name: 'okx', url: exchange.url, instruments: ['BTC-USDT*'] },
    channels: {
      perpetual: ['books-rpi', 'public-block-trades', 'block-tickers', 'call-auction-details'],
      ...{ future: [], option: [], spot: [], index: [], exchange: ['public-struc-block-trades'] },
    },
  })
  await until('all come', () =>
    ['books-rpi', ...ONE_BY_ONE].every(family => framesTaken(recorder, family) > (family === 'books-rpi' ? 5 : 0)),
  )
  recorder.process.kill()
  t.equal((await recorder.process).exitCode, 0)
  const { dataDir } = recorder
  await compactOnce(dataDir)
  t.same(filesBelow(`${dataDir}/quarantine`), [])
  const table = (name: string) => `read_parquet('${dataDir}/parquet/exchange=okx/table=${name}/**/*.parquet')`
  const [levels] =
    await query(`SELECT count(*) FILTER (other_size < size) AS rpi, count(*) FILTER (other_size = size) AS plain,
    count(extra) AS odd, count(DISTINCT side) AS sides FROM ${table('book_rpi')}`)
  t.ok(Number(levels?.['rpi']) > 0 && Number(levels?.['plain']) > 0)
  t.same([levels?.['odd'], levels?.['sides']], [0n, 2n])
  const about = { instrument_name: 'BTC-USDT-SWAP', extra: null }
  const rowOf = async (name: string) => (await query(`SELECT * FROM ${table(name)} LIMIT 1`))[0]
  t.match(await rowOf('block_trade_legs'), { ...about, sz: 25, side: 'buy', tradeId: /^9000/ })
  t.match(await rowOf('block_tickers'), { ...about, vol24h: 1250 })
  t.match(await rowOf('call_auctions'), { ...about, matchedSz: 10, state: 'continuous_trading' })
  t.match(await rowOf('structured_block_trades'), { legs: /BTC-USDT-SWAP/, extra: null })
})

t.test(
  'prices that contracts ended at are asked for by family, and are rows of their contracts, however often they are told',
  async t => {
    const options = ['C', 'P'].map(side =>
      instrumentOf({ instType: 'OPTION', instId: `BTC-USD-301227-9-${side}`, instFamily: 'BTC-USD', state: 'live' }),
    )
    const polls = planPolls(
      options.flatMap(option => option ?? []),
      okxConfig.parse({ adapter: 'okx', name: 'okx' }),
    )
    t.same(
      polls.map(({ path, query }) => [path, query]),
      [['public/delivery-exercise-history', { instType: 'OPTION', instFamily: 'BTC-USD' }]],
    )
    const details = ['C', 'P'].map(side => ({ type: 'exercised', insId: `BTC-USD-261127-90000-${side}`, px: '0.016' }))
    const answer = JSON.stringify({ code: '0', msg: '', data: [{ ts: '1790000000000', details }] })
    const dataDir = t.testdir()
    sealSegment(dataDir, 'delivery_history', rawLines([answer, answer]), { exchange: 'okx' })
    t.match(await compactOnce(dataDir), { quarantined: 0, rows: { deliveries: 2 } })
  },
)
