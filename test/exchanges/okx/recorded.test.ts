import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startSimulator } from '../../../exchanges/okx/simulator/main.js'
import { commandHere } from '../../fixtures/command-here.js'
import {
  framesTaken,
  recordedLines,
  startRecorder,
  until,
  type RecorderProcess,
} from '../../fixtures/recorder-process.js'
import { query } from '../../compactor/fixtures/compacted.js'
import { capturedSession } from './captured.js'

// They mostly wait.
t.jobs = 2
t.setTimeout(300_000)

const FEW = {
  perpetual: ['trades', 'books', 'bbo-tbt', 'tickers', 'mark-price', 'funding-rate', 'open-interest', 'candle'],
  future: [],
  option: [],
  spot: ['trades', 'books'],
}

interface Told {
  event: string
  [fact: string]: unknown
}

const journalOf = (dataDir: string) =>
  recordedLines(dataDir)
    .filter(({ family }) => family === 'journal')
    .map(({ frame }) => JSON.parse(frame.toString('utf8')) as Told)

async function stopped(t: Test, recorder: RecorderProcess): Promise<void> {
  recorder.process.kill()
  const { exitCode, stderr } = await recorder.process
  t.equal(exitCode, 0, stderr)
}

async function compacted(t: Test, { configFile }: RecorderProcess): Promise<void> {
  const { exitCode, stderr } = await commandHere(['compact', '--once', '--config', configFile])
  t.equal(exitCode, 0, stderr)
}

const tableOf = (dataDir: string, table: string) =>
  `read_parquet('${dataDir}/parquet/exchange=okx/table=${table}/**/*.parquet', hive_partitioning = true)`

for (const name of ['cryptofeed-2022-02-27', 'cryptofeed-2021-07-22-three-connections'])
  t.test(
    `a captured session over a real socket: byte for byte in raw, value for value in Parquet (${name})`,
    async t => {
      const session = capturedSession(t, name)
      if (!session) return
      const folder = t.testdir({})
      const inbound = session.filter(({ dir }) => dir === 'in').map(({ raw }) => raw)
      const file = join(folder, 'session.jsonl')
      writeFileSync(file, session.map(line => `${JSON.stringify(line)}\n`).join(''))
      const exchange = await startSimulator({ recorded: file, speed: 0 })
      t.teardown(() => exchange.close())
      const only = { perpetual: ['trades'], future: [], option: ['trades'], spot: ['trades'], index: [] }
      const recorder = startRecorder(t, folder, { name: 'okx', url: exchange.url, instruments: ['*'], channels: only })
      await exchange.finished
      await until('the session arrives', () => framesTaken(recorder) >= inbound.length)
      await stopped(t, recorder)
      const sent = new Set(inbound)
      const lines = recordedLines(recorder.dataDir)
        .filter(({ conn, frame }) => conn === 'd1' && sent.has(frame.toString('utf8')))
        .sort((one, other) => one.seq - other.seq)
      t.same(
        lines.map(({ frame }) => frame.toString('utf8')),
        inbound,
        'every frame, in order',
      )
      await compacted(t, recorder)

      interface Push {
        arg: { channel: string; instId: string }
        action?: string
        data: {
          asks?: string[][]
          bids?: string[][]
          ts: string
          tradeId?: string
          px?: string
          sz?: string
          last?: string
        }[]
      }
      const pushes = [...sent].map(raw => JSON.parse(raw) as Push).filter(({ data }) => Array.isArray(data))
      const sorted = (rows: unknown[]) => rows.map(row => JSON.stringify(row)).sort()
      const levels = pushes
        .filter(({ arg }) => arg.channel === 'books-l2-tbt')
        .flatMap(({ arg, action, data }) =>
          data.flatMap(({ asks = [], bids = [], ts }) =>
            [...bids.map(level => ['bid', ...level]), ...asks.map(level => ['ask', ...level])].map(
              ([side, price, size, , orders]) => [arg.instId, action, ts, side, Number(price), Number(size), orders],
            ),
          ),
        )
      const rows =
        await query(`SELECT instrument_name, "action", epoch_ms(exchange_ts)::VARCHAR AS ts, side, price, "size",
      orders::VARCHAR AS orders FROM ${tableOf(recorder.dataDir, 'book')} WHERE side IS NOT NULL`)
      const found = new Set(sorted(rows.map(row => Object.values(row))))
      t.equal(levels.filter(level => !found.has(JSON.stringify(level))).length, 0, `${levels.length} levels of books`)
      const trades = pushes
        .filter(({ arg }) => arg.channel === 'trades')
        .flatMap(({ data }) => data.map(({ tradeId, px, sz }) => [tradeId, Number(px), Number(sz)]))
      const tradeRows = await query(
        `SELECT "tradeId"::VARCHAR AS id, px, sz FROM ${tableOf(recorder.dataDir, 'trades')}`,
      )
      t.same(sorted(tradeRows.map(row => Object.values(row))), [...new Set(sorted(trades))].sort(), 'trades, each once')
    },
  )

/** A book as anybody would write it down, from its frames in order. */
function bookFrom(frames: readonly string[]): { bids: [number, number][]; asks: [number, number][] } {
  const sides = { bids: new Map<number, number>(), asks: new Map<number, number>() }
  for (const text of frames) {
    const { action, data } = JSON.parse(text) as { action: string; data: [{ bids: string[][]; asks: string[][] }] }
    for (const side of ['bids', 'asks'] as const) {
      if (action === 'snapshot') sides[side].clear()
      for (const [price, size] of data[0][side])
        if (Number(size) === 0) sides[side].delete(Number(price))
        else sides[side].set(Number(price), Number(size))
    }
  }
  const sorted = (side: Map<number, number>, sign: number) => [...side].sort(([a], [b]) => sign * (a - b))
  return { bids: sorted(sides.bids, -1), asks: sorted(sides.asks, 1) }
}

t.test('simulated, recorded through its faults, compacted, asked: nothing is missing that is not told', async t => {
  const folder = t.testdir({})
  const exchange = await startSimulator({ instruments: 20, rate: 300, newInstrumentEveryMs: 0 })
  t.teardown(() => exchange.close())
  const { faults } = exchange
  faults.inject({ type: 'no_answer', channel: 'books.ETH-USDT' })
  faults.inject({ type: 'refuse_channel', channel: 'bbo-tbt.ETH-USDT-SWAP' })
  const recorder = startRecorder(t, folder, {
    name: 'okx',
    url: exchange.url,
    instruments: ['BTC*', 'ETH*'],
    channels: FEW,
    redundancy: 2,
  })
  const flows = (family: string, more: number) => {
    const from = framesTaken(recorder, family)
    return until(`${more} frames of ${family}`, () => framesTaken(recorder, family) >= from + more, 120_000)
  }
  await flows('trades', 40)
  await flows('candle', 2)
  faults.inject({ type: 'drop', channel: 'books.BTC-USDT-SWAP', times: 1 })
  // Both copies of some trades are lost: they are asked for.
  faults.inject({ type: 'drop', channel: 'trades.BTC-USD-SWAP', times: 6 })
  await flows('trades', 60)
  // The oldest connection is told that it ends, and another one takes its place before.
  faults.inject({ type: 'upgrade', afterMs: 15_000 })
  await flows('books', 400)
  await until('the announced end', () => exchange.connections() > 0 && framesTaken(recorder, 'control') > 0)
  faults.inject({ type: 'close', code: 1001, reason: 'gone' })
  await flows('trades', 60)
  await until('all holes are filled', () => recorder.process.exitCode === null)
  await flows('books', 600)
  await stopped(t, recorder)

  const told = journalOf(recorder.dataDir)
  const about = (event: string) => told.filter(entry => entry.event === event)
  const rejected = about('rejected').flatMap(({ channels }) => channels as string[])
  t.ok(rejected.includes('bbo-tbt.ETH-USDT-SWAP'), 'the one refused channel')
  t.same(
    rejected.filter(channel => !['bbo-tbt.ETH-USDT-SWAP', 'books.ETH-USDT'].includes(channel)),
    [],
    'and no other',
  )
  t.ok(
    about('book_break').some(({ channel }) => channel === 'books.BTC-USDT-SWAP'),
    'the break of a book',
  )
  t.ok(
    about('resync').some(({ channel }) => channel === 'books.BTC-USDT-SWAP'),
    'and its end',
  )
  t.ok(about('maintenance').length > 0, 'each connection that is told its end says so')
  for (const { outcome } of about('backfill')) t.equal(outcome, 'filled')
  t.same(about('odd_frame'), [])

  await compacted(t, recorder)
  const { dataDir } = recorder
  const trades = tableOf(dataDir, 'trades')
  const [whole] =
    await query(`WITH spans AS (SELECT instrument_name, "tradeId" - coalesce("count", 1) + 1 AS first, "tradeId" AS last
      FROM ${trades} WHERE exchange_ts >= (SELECT min(recv_ts) FROM ${trades})),
    steps AS (SELECT *, first - lag(last) OVER (PARTITION BY instrument_name ORDER BY last) AS step FROM spans)
    SELECT count(*) FILTER (step IS NOT NULL AND step <> 1) AS off, count(*) AS trades FROM steps`)
  t.ok(Number(whole?.['trades']) > 50)
  t.equal(whole?.['off'], 0n, 'each fill once, none missing')
  const [copies] =
    await query(`SELECT count(*) - count(DISTINCT ("seqId", "prevSeqId", instrument_name, side, price)) AS n
    FROM ${tableOf(dataDir, 'book')} WHERE "action" = 'update' AND side IS NOT NULL`)
  t.equal(copies?.['n'], 0n, 'each change of a book once, though it came on two connections')

  // A book put together from the last frames of one connection, by code that knows nothing of ours.
  const ofBook = recordedLines(dataDir)
    .filter(({ family, frame }) => family === 'books' && frame.includes('"instId":"BTC-USDT-SWAP"'))
    .map(line => ({ ...line, id: Number(/"seqId":(\d+)/.exec(line.frame.toString('utf8'))?.[1]) }))
  const atMs = Math.floor((ofBook.at(-1)?.recvUs ?? 0) / 1000) - 50
  // What either connection had brought by then.
  const newest = Math.max(...ofBook.filter(({ recvUs }) => recvUs <= atMs * 1000).map(({ id }) => id))
  const before = ofBook.filter(({ conn, id }) => conn === ofBook.at(-1)?.conn && id <= newest)
  const start = before.findLastIndex(({ frame }) => frame.includes('"action":"snapshot"'))
  const expected = bookFrom(before.slice(start).map(({ frame }) => frame.toString('utf8')))
  for (const source of ['raw', 'parquet']) {
    const at = new Date(atMs).toISOString()
    const flags = ['--at', at, '--exchange', 'okx', '--path', dataDir, '--source', source, '--json']
    const book = await commandHere(['book', 'BTC-USDT-SWAP', ...flags])
    t.equal(book.exitCode, 0, book.stderr)
    const { bids, asks } = JSON.parse(book.stdout) as Record<'bids' | 'asks', [number, number][]>
    t.same({ bids, asks }, expected, `${source}: ${bids.length} bids, ${asks.length} asks`)
  }

  const ask = async (sql: string) => {
    const { stdout, stderr, exitCode } = await commandHere(['query', '--path', dataDir, '--json', sql])
    t.equal(exitCode, 0, stderr)
    return stdout
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line) as Record<string, unknown>)
  }
  const [sizes] = await ask(`SELECT count(*) FILTER (amount_base IS NULL) AS unknown, min(amount_base) AS least
    FROM trades_all WHERE exchange = 'okx'`)
  t.equal(Number(sizes?.['unknown']), 0, 'contracts in coin, by the lists of instruments')
  const [inverse] = await ask(`SELECT max(abs(a.amount_base - t.sz * 100 / t.px)) AS off FROM trades_all a
    JOIN okx.trades t USING (instrument_name, recv_ts, conn, seq)
    WHERE instrument_name = 'BTC-USD-SWAP' AND a.trade_id = t."tradeId"::VARCHAR`)
  t.ok(Number(inverse?.['off']) < 1e-6, 'a contract of 100 USD')
  const verify = await commandHere(['verify', dataDir])
  t.equal(verify.exitCode, 0, verify.stdout + verify.stderr)
  const coverage = await commandHere(['coverage', '--path', dataDir])
  t.ok([0, 4].includes(coverage.exitCode ?? -1), coverage.stderr)
  t.match(coverage.stdout, /okx|trades/i)
})
