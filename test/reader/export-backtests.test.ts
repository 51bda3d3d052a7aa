import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { bookAt } from '../../reader/book/sample-book.js'
import { EventOrder, type TimedEvent } from '../../reader/export/event-order.js'
import { exportFiles, type ExportOptions } from '../../reader/export/export-files.js'
import { decimalsOf, fixedOf } from '../../reader/export/fixed-point.js'
import { nautilusPath } from '../../reader/export/nautilus.js'
import { filesBelow, hashes, query } from '../compactor/fixtures/compacted.js'
import { END_MS, NAME, RECORDED, recordDay, START_MS } from '../fixtures/exported-day.js'
import { pythonTarget } from '../fixtures/python-targets.js'
import { runHftbacktest, runNautilus } from './fixtures/backtests.js'

const exported = (root: string, out: string, asked: Partial<ExportOptions>) =>
  exportFiles({ root, fresh: undefined, out, format: 'hftbacktest', gaps: 'refuse', note: () => undefined, ...asked })

t.test('hftbacktest loads the events, and its books are ours', async t => {
  const python = await pythonTarget(t, 'hftbacktest')
  if (python === undefined) return
  const folder = t.testdir({ data: {}, out: {} })
  const [data, out] = [join(folder, 'data'), join(folder, 'out')]
  const { frames } = await recordDay(data)
  t.match(await exported(data, out, { instruments: [NAME] }), { files: 2, gaps: 0 })
  const midnightMs = Date.UTC(2026, 10, 22)
  const ofPerpetual = frames.filter(({ family, frame }) => family === 'trades' && frame.includes(`"${NAME}"`))
  const days = [
    { date: '20261121', momentsMs: [START_MS + 2_000, START_MS + 4_321, midnightMs - 10] },
    { date: '20261122', momentsMs: [midnightMs + 1_000, END_MS - 2_500, END_MS - 100] },
  ]
  const runs = await runHftbacktest(
    python,
    days.map(({ date, momentsMs }) => ({
      ...{ path: join(out, `${NAME}_${date}.npz`), tickSize: 0.5, lotSize: 10, momentsMs },
    })),
  )
  t.strictSame(
    runs.map(({ looks }) => looks.length),
    days.map(({ momentsMs }) => momentsMs.length),
  )
  for (const [place, run] of runs.entries()) {
    const { date = '', momentsMs = [] } = days[place] ?? {}
    for (const [at, look] of run.looks.entries()) {
      const { bids, asks } = await bookAt({ path: data, instrument: NAME, at: new Date(momentsMs[at] ?? 0) })
      t.strictSame(look, [...(bids[0] ?? []), ...(asks[0] ?? [])], `the best levels at ${momentsMs[at]}`)
    }
    const isOfDay = ({ recvUs }: { recvUs: number }) => recvUs < midnightMs * 1000 === (date === '20261121')
    const trades = ofPerpetual
      .filter(isOfDay)
      .flatMap(({ frame }) => (JSON.parse(frame) as { params: { data: object[] } }).params.data)
    t.equal(run.position, 10, 'the order was filled')
    t.ok(run.trades > 5 && run.trades <= trades.length)
    t.ok(run.tradeRows >= trades.length)
  }
  const before = hashes(out)
  await exported(data, join(folder, 'again'), { instruments: [NAME], ...RECORDED })
  const files = (list: Record<string, string>) => Object.entries(list).filter(([path]) => path.endsWith('.npz'))
  t.strictSame(files(hashes(join(folder, 'again'))), files(before), 'the same bytes again')
})

t.test('NautilusTrader reads the catalog, and a backtest on it sees what was recorded', async t => {
  const python = await pythonTarget(t, 'nautilus_trader')
  if (python === undefined) return
  const folder = t.testdir({ data: {}, out: {} })
  const [data, out] = [join(folder, 'data'), join(folder, 'out')]
  await recordDay(data)
  t.match(await exported(data, out, { format: 'nautilus', instruments: [NAME] }), { files: 6, gaps: 0 })
  t.ok(
    filesBelow(out).includes(
      nautilusPath('trade_tick', `${NAME}.DERIBIT`, {
        fromUs: Date.UTC(2026, 10, 21) * 1000,
        toUs: Date.UTC(2026, 10, 22) * 1000,
      }),
    ),
  )
  const [run] = await runNautilus(python, [{ root: out, name: `${NAME}.DERIBIT`, pricePlaces: 1, sizePlaces: 0 }])
  if (!run) throw new Error('no run')
  const files = (table: string) =>
    `read_parquet('${data}/parquet/exchange=deribit/table=${table}/kind=perpetual/**/*.parquet')`
  const trades =
    await query(`SELECT price, amount, trade_id, direction, epoch_ns(exchange_ts) AS made, epoch_ns(recv_ts) AS received
    FROM ${files('trades')} WHERE instrument_name = '${NAME}' ORDER BY recv_ts, seq, trade_seq`)
  t.strictSame(
    run.trades.map(([price, size, id, side, made, received]) => [
      Number(price),
      Number(size),
      id,
      side,
      made,
      received,
    ]),
    trades.map(({ price, amount, trade_id, direction, made, received }) => [
      ...[price, amount, trade_id, direction === 'buy' ? 1 : 2, Number(made), Number(received)],
    ]),
  )
  const quotes =
    await query(`SELECT best_bid_price AS bid, best_ask_price AS ask, best_bid_amount AS bids, best_ask_amount AS asks
    FROM ${files('quote')} WHERE best_bid_price > 0 AND best_ask_price > 0 ORDER BY recv_ts, seq`)
  t.strictSame(
    run.quotes.map(([bid, ask, bids, asks]) => ({ bid, ask, bids, asks })),
    quotes.map(row => ({
      ...{ bid: Number(row['bid']).toFixed(1), ask: Number(row['ask']).toFixed(1) },
      ...{ bids: String(row['bids']), asks: String(row['asks']) },
    })),
  )
  t.strictSame(run.seen, { trades: run.trades.length, quotes: run.quotes.length, deltas: run.deltas })
  const { bids, asks } = await bookAt({ path: data, instrument: NAME, at: new Date(END_MS + 5) })
  t.strictSame(run.best.map(Number), [...(bids[0] ?? []), ...(asks[0] ?? [])], 'its last book is ours')
  t.equal(run.fills, 1)
  const [account = ''] = filesBelow(out).filter(
    path => path.endsWith('.account.json') && path.includes('order_book_delta'),
  )
  t.match(JSON.parse(readFileSync(join(out, account), 'utf8')), { channel: `book.${NAME}.raw` })
})

t.test('events that were overtaken stand at both places, half each; a trade before the change that it caused', t => {
  const at = (exchNs: number, localNs: number, isTrade = false): TimedEvent => ({
    ...{ exchNs: BigInt(exchNs), localNs: BigInt(localNs), isTrade, place: localNs },
  })
  const emitted: string[] = []
  const order = new EventOrder(({ exchNs, localNs }: TimedEvent, processor) =>
    emitted.push(`${exchNs} ${localNs} ${processor}`),
  )
  for (const event of [at(10, 20), at(30, 31), at(25, 32), at(40, 41), at(40, 42, true), at(50, 60)]) order.take(event)
  order.end()
  t.strictSame(emitted, [
    '10 20 both',
    '25 32 exchange',
    '30 31 both',
    '25 32 local',
    '40 41 local',
    '40 42 both',
    '40 41 exchange',
    '50 60 both',
  ])
  t.end()
})

t.test('fixed-point numbers come from the decimal text', t => {
  t.equal(fixedOf(86000.7), 860007000000000000000n)
  t.equal(fixedOf(-0.0005), -5000000000000n)
  t.equal(fixedOf(1.25e-7), 1250000000n)
  t.equal(fixedOf(2e21), 2n * 10n ** 37n)
  t.strictSame([0.5, 10, 1.25e-7, 1e21].map(decimalsOf), [1, 0, 9, 0])
  t.end()
})
