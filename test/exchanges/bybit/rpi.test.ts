import t from 'tap'
import { startSimulator } from '../../../exchanges/bybit/simulator/main.js'
import { compactOnce, filesBelow, query } from '../../compactor/fixtures/compacted.js'
import { framesTaken, startRecorder, until } from '../../fixtures/recorder-process.js'

t.test('books with RPI and RPI trades, as they are simulated, end in their tables', { timeout: 120_000 }, async t => {
  const exchange = await startSimulator({ rate: 150, instruments: 0 })
  t.teardown(() => exchange.close())
  const recorder = startRecorder(t, t.testdir({}), {
    ...{ name: 'bybit', url: exchange.url, instruments: ['BTCUSDT'] },
    channels: { perpetual: ['trades', 'book_rpi'], spot: ['book_rpi'], future: [], option: [] },
  })
  const { dataDir } = recorder
  await until('all come', () =>
    ['trades', 'book_rpi', 'book_rpi.spot'].every(family => framesTaken(recorder, family) > 20),
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
})
