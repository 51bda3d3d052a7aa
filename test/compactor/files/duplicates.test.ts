import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openEngine, type Engine } from '../../../compactor/engine.js'
import { columnsOf } from '../../../compactor/lines/columns.js'
import { dropDuplicates } from '../../../compactor/files/duplicates.js'
import { MadeTimes } from '../../../compactor/files/made-times.js'
import { BY_PAYLOAD } from '../../../exchanges/table.js'
import { sqlText } from '../../../platform/duckdb.js'
import { lineHead } from '../../../formats/raw-line.js'
import { compactOnce, configFor, query, rowsOf } from '../fixtures/compacted.js'
import { sealSegment, START_MS, START_US } from '../fixtures/segments.js'
import { matchAll } from '../../fixtures/match-all.js'

const HOUR_MS = 3_600_000

interface Line {
  conn?: string
  seq: number
  /** After the start of the hour. */
  atMs?: number
  frame: string
}

const line = ({ conn = 'd1', seq, atMs = seq, frame }: Line) =>
  Buffer.from(`${lineHead(START_US + atMs * 1000, conn, seq, 'frame')}${frame}}`)

const notification = (channel: string, data: unknown) =>
  JSON.stringify({ jsonrpc: '2.0', method: 'subscription', params: { channel, data } })

const quote = (price: number, instrument = 'BTC-PERPETUAL') =>
  notification(`quote.${instrument}`, { timestamp: START_MS, instrument_name: instrument, best_bid_price: price })

const trade = (seq: number, id = `T${seq}`) => ({
  timestamp: START_MS + seq,
  instrument_name: 'BTC-PERPETUAL',
  trade_seq: seq,
  trade_id: id,
  price: 1,
  amount: 1,
  direction: 'buy',
})
const trades = (...seqs: number[]) =>
  notification(
    'trades.BTC-PERPETUAL.100ms',
    seqs.map(seq => trade(seq)),
  )

const book = (type: string, changeId: number, before?: number) =>
  notification('book.BTC-PERPETUAL.100ms', {
    type,
    timestamp: START_MS,
    instrument_name: 'BTC-PERPETUAL',
    change_id: changeId,
    ...(before !== undefined && { prev_change_id: before }),
    bids: [
      ['new', 1, 2],
      ['new', 3, 4],
    ],
    asks: [],
  })

const receiptsOf = (dataDir: string) =>
  readFileSync(join(dataDir, 'state/compactor/done-2026-11-22.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map(text => JSON.parse(text) as Record<string, unknown>)

t.test(
  'two connections: each event once, the first copy stays, what one connection says twice stays twice',
  async t => {
    const dataDir = t.testdir()
    sealSegment(dataDir, 'quote', [
      line({ seq: 1, atMs: 0, frame: quote(1) }),
      line({ seq: 1, atMs: 3, conn: 'd2', frame: quote(1) }),
      line({ seq: 2, atMs: 10, frame: quote(2) }),
      line({ seq: 3, atMs: 11, frame: quote(2) }),
      line({ seq: 2, atMs: 12, conn: 'd2', frame: quote(2) }),
      line({ seq: 3, atMs: 13, conn: 'd2', frame: quote(2) }),
      line({ seq: 4, atMs: 20, conn: 'd2', frame: quote(3) }),
      line({ seq: 4, atMs: 21, frame: quote(3) }),
      line({ seq: 5, atMs: 30, frame: quote(4) }),
      line({ seq: 5, atMs: 60_000, conn: 'd2', frame: quote(4) }),
    ])
    t.match(await compactOnce(dataDir), { rows: { quote: 6 }, duplicates: 4, failed: 0 })
    const rows = await rowsOf(dataDir, 'quote')
    t.same(
      rows.map(row => `${String(row['best_bid_price'])} ${String(row['conn'])}`).sort(),
      ['1 d1', '2 d1', '2 d1', '3 d2', '4 d1', '4 d2'],
      'the fifth came too late to be the same',
    )
    matchAll(t, receiptsOf(dataDir), [{ frames: 10, written: 6, duplicates: 4, double_rows: 4 }])
    const [metadata] = await query(
      `SELECT decode(value) AS value FROM parquet_kv_metadata('${dataDir}/parquet/**/*.parquet') WHERE decode(key) = 'double_rows'`,
    )
    t.same(metadata, { value: '4' })
    const status = JSON.parse(readFileSync(join(dataDir, 'state/compactor.json'), 'utf8')) as object
    t.match(status, { double_rows: 4 })
  },
)

t.test('an option keeps every copy', async t => {
  const dataDir = t.testdir()
  const frames = ['d1', 'd2'].map(conn => line({ seq: 1, conn, frame: quote(1) }))
  sealSegment(dataDir, 'quote', frames)
  const config = configFor(dataDir, { duplicates: 'keep' })
  t.match(await compactOnce(dataDir, { config }), { rows: { quote: 2 }, duplicates: 0 })
})

t.test('equal times and names alone are no double', async t => {
  const dataDir = t.testdir()
  sealSegment(dataDir, 'quote', [
    line({ seq: 1, atMs: 0, frame: quote(1) }),
    line({ seq: 1, atMs: 0, conn: 'd2', frame: quote(2) }),
    line({ seq: 2, atMs: 0, conn: 'd2', frame: quote(1, 'ETH-PERPETUAL') }),
  ])
  t.match(await compactOnce(dataDir), { rows: { quote: 3 }, duplicates: 0 })
})

t.test('trades fall out by their number, whenever and however they came again', async t => {
  const dataDir = t.testdir()
  sealSegment(dataDir, 'trades', [
    line({ seq: 1, frame: trades(1, 2) }),
    line({ seq: 1, conn: 'd2', frame: trades(2, 3) }),
    line({ seq: 2, frame: notification('trades.BTC-PERPETUAL.100ms', [trade(1, 'another counting')]) }),
  ])
  const options = { number: 2, startedMs: START_MS + 5 * HOUR_MS }
  sealSegment(dataDir, 'trades', [line({ seq: 3, atMs: 5 * HOUR_MS, frame: trades(1, 2, 4) })], options)
  sealSegment(dataDir, 'trades', [line({ seq: 4, atMs: 24 * HOUR_MS, frame: trades(3) })], {
    number: 3,
    startedMs: START_MS + 24 * HOUR_MS,
  })
  t.match(await compactOnce(dataDir), { rows: { trades: 5 }, duplicates: 4, failed: 0 })
  const rows = await rowsOf(dataDir, 'trades')
  t.same(rows.map(row => row['trade_id']).sort(), ['T1', 'T2', 'T3', 'T4', 'another counting'].sort())
  matchAll(t, receiptsOf(dataDir), [
    { frames: 3, written: 3, duplicates: 0, double_rows: 1, rows: 4 },
    { frames: 1, written: 1, duplicates: 0, double_rows: 2, rows: 1 },
  ])
})

t.test('book changes fall out by number, whole; the snapshot of another hour stays', async t => {
  const dataDir = t.testdir()
  sealSegment(dataDir, 'book', [
    line({ seq: 1, frame: book('snapshot', 10) }),
    line({ seq: 1, conn: 'd2', frame: book('snapshot', 10) }),
    line({ seq: 2, frame: book('change', 15, 10) }),
    line({ seq: 3, frame: book('change', 17, 15) }),
    line({ seq: 2, conn: 'd2', atMs: 20_000, frame: book('change', 15, 10) }),
    line({ seq: 3, conn: 'd2', atMs: 20_001, frame: book('change', 18, 15) }),
    line({ seq: 4, conn: 'd2', atMs: 3_599_999, frame: book('change', 20, 18) }),
  ])
  sealSegment(
    dataDir,
    'book',
    [
      line({ seq: 4, atMs: HOUR_MS + 1, frame: book('change', 20, 18) }),
      line({ seq: 5, atMs: HOUR_MS + 2, frame: book('snapshot', 10) }),
    ],
    { number: 2, startedMs: START_MS + HOUR_MS },
  )
  t.match(await compactOnce(dataDir), { rows: { book: 12 }, duplicates: 6, failed: 0 })
  const rows = await query(`SELECT DISTINCT change_id, prev_change_id AS prev, conn
    FROM '${dataDir}/parquet/**/*.parquet' ORDER BY ALL`)
  t.same(
    rows.map(row => Object.values(row).join(' ')),
    ['10  d1', '15 10 d1', '17 15 d1', '18 15 d2', '20 18 d2'],
  )
  matchAll(t, receiptsOf(dataDir), [
    { frames: 7, written: 5, duplicates: 2, double_rows: 4 },
    { frames: 2, written: 1, duplicates: 1, double_rows: 2 },
  ])
})

t.test('changes of a book that one connection brought twice stood there twice', async t => {
  const dataDir = t.testdir()
  const frames = [
    book('snapshot', 1),
    book('change', 2, 1),
    book('change', 2, 1),
    book('change', 3, 2),
    book('change', 3, 2),
  ]
  sealSegment(
    dataDir,
    'book',
    frames.map((frame, index) => line({ seq: index + 1, frame })),
  )
  t.match(await compactOnce(dataDir), { rows: { book: 6 }, duplicates: 4, failed: 0 })
  const rows = await query(
    `SELECT change_id, count(*) AS rows FROM '${dataDir}/parquet/**/*.parquet' GROUP BY ALL ORDER BY ALL`,
  )
  t.same(
    rows.map(row => Object.values(row).join(' ')),
    ['1 2', '2 2', '3 2'],
  )
})

t.test('copies across segments, hosts and the hour, in any order of conversion', async t => {
  for (const order of ['oldest', 'newest'] as const) {
    const dataDir = t.testdir()
    const copy = (conn: string, atMs: number) =>
      [1, 2, 3].map(seq => line({ seq, conn, atMs: atMs + seq, frame: quote(seq) }))
    sealSegment(dataDir, 'quote', copy('d1', HOUR_MS - 2))
    sealSegment(dataDir, 'quote', copy('d2', HOUR_MS), { number: 2, startedMs: START_MS + HOUR_MS })
    sealSegment(dataDir, 'quote', copy('d1', HOUR_MS + 5), { host: 'vps-2', run: 'r9', startedMs: START_MS + 1000 })
    const config = configFor(dataDir, { order })
    t.match(await compactOnce(dataDir, { config }), { rows: { quote: 3 }, duplicates: 6, failed: 0 })
    t.equal((await rowsOf(dataDir, 'quote')).length, 3, order)
    const before = await rowsOf(dataDir, 'quote')
    t.match(await compactOnce(dataDir, { rebuild: {} }), { duplicates: 6, failed: 0 })
    t.same((await rowsOf(dataDir, 'quote')).length, before.length, 'and again')
  }
})

t.test('copies of trades that another host asked for more than a day later were kept', async t => {
  const answer = (...seqs: number[]) =>
    JSON.stringify({
      jsonrpc: '2.0',
      id: 'trades BTC-PERPETUAL 1 3',
      result: { trades: seqs.map(seq => trade(seq)), has_more: false },
    })
  const backMs = 3 * 24 * HOUR_MS
  for (const order of ['oldest', 'newest'] as const) {
    const dataDir = t.testdir()
    sealSegment(dataDir, 'trades', [line({ seq: 1, frame: trades(1, 2, 3) })])
    const later = { host: 'vps-2', run: 'r9', startedMs: START_MS + backMs }
    sealSegment(dataDir, 'trades', [line({ seq: 1, conn: 'backfill', atMs: backMs, frame: answer(1, 2, 3) })], later)
    const config = configFor(dataDir, { order })
    t.match(await compactOnce(dataDir, { config }), { rows: { trades: 3 }, duplicates: 3, failed: 0 }, order)
    t.equal((await rowsOf(dataDir, 'trades')).length, 3, order)
    t.match(await compactOnce(dataDir, { rebuild: {} }), { duplicates: 3, failed: 0 }, 'and again')
    t.equal((await rowsOf(dataDir, 'trades')).length, 3)
  }
})

t.test('a neighbour for which no file could be opened any more was passed over, and its rows were doubled', async t => {
  const folder = t.testdir()
  const engine = await openEngine({ memoryMiB: 256, threads: 1, spillFolder: folder })
  t.teardown(() => engine.close())
  await engine.run(`CREATE TABLE staged AS SELECT 1 AS row_no, make_timestamptz(${START_US}) AS recv_ts, 'd1' AS conn,
    1 AS seq, 'BTC-PERPETUAL' AS instrument_name, 'trades' AS channel, 7 AS trade_seq`)
  const passedOver: string[] = []
  const columns = await columnsOf(engine, 'staged')
  const dropped = (message: string) =>
    dropDuplicates(
      {
        ...engine,
        run: sql => (sql.includes('read_parquet') ? Promise.reject(new Error(message)) : engine.run(sql)),
      },
      {
        identity: BY_PAYLOAD,
        columns,
        candidateFiles: [{ path: 'x.parquet', origin: 'vps-1/' }],
        ...{ origin: 'vps-2/', windowMs: 1000, onUnreadable: path => passedOver.push(path) },
      },
    )
  for (const trouble of ['Cannot open file "x.parquet": Too many open files', 'write: No space left on device'])
    await t.rejects(dropped(`IO Error: ${trouble}`), { message: /Too many|No space/ }, 'it is tried again')
  t.strictSame(passedOver, [])
  await dropped('Invalid Input Error: No magic bytes found at end of file')
  t.strictSame(passedOver, ['x.parquet'], 'what is no Parquet is')
})

t.test('each segment of an old date that was converted again opened the files of all later days', async t => {
  const folder = t.testdir()
  const engine = await openEngine({ memoryMiB: 256, threads: 1, spillFolder: folder })
  t.teardown(() => engine.close())
  const dayUs = 24 * HOUR_MS * 1000
  // On each day a trade of its own; on the fifth one that was asked for, of the first.
  const madeUs = [0, 1, 2, 3, 4, 5, 6].map(day => [START_US + day * dayUs, ...(day === 5 ? [START_US] : [])])
  const files = madeUs.map((_, day) => ({ path: join(folder, `${day}.parquet`), origin: 'vps-1/' }))
  for (const [day, made] of madeUs.entries())
    await engine.run(`COPY (SELECT make_timestamptz(us) AS exchange_ts, 1 AS price FROM (VALUES (${made.join('), (')})) v(us))
      TO ${sqlText(files[day]?.path ?? '')}`)
  const questions: string[] = []
  const watched: Engine = {
    ...engine,
    rows: sql => {
      questions.push(sql)
      return engine.rows(sql)
    },
  }
  const times = new MadeTimes()
  const span = [START_US - 1000, START_US + 1000] as const
  for (const segment of ['a segment', 'the next one', 'another one']) {
    const held = await times.mayHold(watched, files, ...span)
    t.strictSame(
      held,
      [files[0], files[5]],
      `${segment}: the date itself, and the day on which its trade was asked for`,
    )
  }
  t.equal(questions.length, 1, 'each footer is looked at once')
  await engine.run(`COPY (SELECT make_timestamptz(${START_US}) AS exchange_ts) TO ${sqlText(files[6]?.path ?? '')}`)
  t.strictSame(
    await times.mayHold(watched, files, ...span),
    [files[0], files[5], files[6]],
    'a file that was made anew',
  )
  await engine.run(`COPY (SELECT NULL::TIMESTAMPTZ AS exchange_ts) TO ${sqlText(files[4]?.path ?? '')}`)
  writeFileSync(files[3]?.path ?? '', 'no Parquet')
  const unsure = await times.mayHold(watched, files, ...span)
  t.strictSame(unsure, [files[0], files[3], files[4], files[5], files[6]], 'what does not say it may hold any')
})
