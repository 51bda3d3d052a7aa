import t from 'tap'
import { startSimulator } from '../../../exchanges/okx/simulator/main.js'
import { compactOnce, query } from '../../compactor/fixtures/compacted.js'
import { commandHere } from '../../fixtures/command-here.js'
import { framesTaken, recordedLines, startRecorder, until } from '../../fixtures/recorder-process.js'

// Mostly waits.

t.setTimeout(120_000)

t.test('fills that were missing of trades-all were neither known nor asked for', async t => {
  const exchange = await startSimulator({ instruments: 0, rate: 100, newInstrumentEveryMs: 0 })
  t.teardown(() => exchange.close())
  const recorder = startRecorder(t, t.testdir({}), {
    ...{ name: 'okx', url: exchange.url, instruments: ['BTC-USDT-SWAP'] },
    channels: { perpetual: ['trades-all'], future: [], option: [], spot: [], index: [] },
  })
  const { dataDir } = recorder
  let log = ''
  recorder.process.stderr.on('data', (chunk: Buffer) => (log += chunk.toString('utf8')))
  await until('fills come', () => framesTaken(recorder, 'trades-all') > 10)
  exchange.faults.inject({ type: 'drop', channel: 'trades-all.BTC-USDT-SWAP', times: 2 })
  await until('they were fetched', () => log.includes('missing trades: filled'))
  recorder.process.kill()
  t.equal((await recorder.process).exitCode, 0)
  const journal = recordedLines(dataDir).flatMap(({ family, frame }) =>
    family === 'journal' ? [JSON.parse(frame.toString('utf8')) as Record<string, unknown>] : [],
  )
  const about = { family: 'trades-all', instrument: 'BTC-USDT-SWAP' }
  t.match(
    journal.find(({ event }) => event === 'trade_hole'),
    about,
  )
  t.match(
    journal.find(({ event }) => event === 'backfill'),
    { ...about, outcome: 'filled' },
  )
  await compactOnce(dataDir)
  const [row] = await query(`SELECT count(*) AS n, max("tradeId") - min("tradeId") + 1 AS numbers
    FROM read_parquet('${dataDir}/parquet/exchange=okx/table=trade_fills/**/*.parquet')`)
  t.equal(row?.['n'], row?.['numbers'], 'each fill once')
  const { lines } = JSON.parse((await commandHere(['coverage', '--path', dataDir, '--json'])).stdout) as {
    lines: { family: string; complete: number; healed_seconds: number }[]
  }
  const fills = lines.find(({ family }) => family === 'trades-all')
  t.equal(fills?.complete, 1)
  t.ok((fills?.healed_seconds ?? 0) > 0, 'the account tells that they were missed, and are there')
})
