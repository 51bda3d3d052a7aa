import { cpSync, mkdirSync, renameSync, rmSync, writeFileSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { compress } from 'zstd-napi'
import { QuerySession } from '../../../reader/query/session.js'
import { withinDay, withinSpan, type Within } from '../../../reader/query/within.js'
import { freshSettings } from '../../../reader/query/fresh-settings.js'
import { lineHead } from '../../../formats/raw-line.js'
import { segmentPath } from '../../../formats/raw-path.js'
import { compactOnce } from '../../compactor/fixtures/compacted.js'
import { sealSegment, START_MS, START_US } from '../../compactor/fixtures/segments.js'
import { matchAll } from '../../fixtures/match-all.js'

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

/** A frame with trades of these numbers, received so long after 14:00; trades of odd numbers are of an option. */
function line(atMs: number, seqs: number[], conn = 'd1'): Buffer {
  const data = seqs.map(seq => ({
    timestamp: START_MS + atMs,
    instrument_name: seq % 2 === 0 ? 'BTC-PERPETUAL' : 'ETH-27NOV26-4000-C',
    trade_seq: seq,
    trade_id: `T${seq}`,
    price: seq + 0.5,
    amount: 1,
    direction: 'buy',
  }))
  const frame = { jsonrpc: '2.0', method: 'subscription', params: { channel: 'trades.any.100ms', data } }
  return Buffer.from(`${lineHead(START_US + atMs * 1000, conn, seqs[0] ?? 0, 'frame')}${JSON.stringify(frame)}}`)
}

/** An open segment as a recorder leaves it between two flushes: whole zstd frames, and the beginning of another. */
function writeOpen(dataDir: string, number: number, startedMs: number, flushes: Buffer[][]): string {
  const name = { exchange: 'deribit', channel: 'trades', startedMs, host: 'vps-1', run: 'r1', number }
  const path = join(dataDir, segmentPath(name, 'open'))
  mkdirSync(dirname(path), { recursive: true })
  const frames = flushes.map(lines => compress(Buffer.concat(lines.flatMap(line => [line, Buffer.from('\n')]))))
  writeFileSync(path, Buffer.concat([...frames, compress(line(9, [999])).subarray(0, 40)]))
  return path
}

async function withSession<Result>(
  root: string,
  use: (session: QuerySession) => Promise<Result>,
  isFresh = true,
  within?: Within,
) {
  const notes: string[] = []
  const { fresh } = freshSettings(root, '')
  const session = await QuerySession.open({
    root,
    fresh: isFresh ? fresh : undefined,
    within,
    note: text => notes.push(text),
  })
  try {
    return { notes, result: await use(session) }
  } finally {
    session.connection.closeSync()
    session.clear()
  }
}

/** The numbers of all trades, as they come; and kind and date, which come of the path. */
async function seqsOf(session: QuerySession): Promise<string> {
  const sql = `SELECT string_agg(trade_seq, ' ' ORDER BY trade_seq) FROM trades
    WHERE kind = CASE WHEN trade_seq % 2 = 0 THEN 'perpetual' ELSE 'option' END AND date = '2026-11-22'::DATE`
  const rows = await session.ask(sql, async connection => (await connection.runAndReadAll(sql)).getRows())
  return String(rows[0]?.[0])
}

const seen = async (root: string, isFresh = true) => (await withSession(root, seqsOf, isFresh)).result

/** 13 h: compacted. 14 h: sealed, not compacted. 14:30 on: open. */
async function halfDone(t: Test): Promise<{ dataDir: string; open: string }> {
  const dataDir = t.testdir()
  sealSegment(dataDir, 'trades', [line(-50 * MINUTE_MS, [1, 2]), line(-40 * MINUTE_MS, [3])], {
    startedMs: START_MS - HOUR_MS,
    number: 1,
  })
  await compactOnce(dataDir)
  // 3 is in Parquet already, 4 comes twice.
  sealSegment(dataDir, 'trades', [line(1, [3, 4]), line(2, [4, 5], 'd2')], { number: 2 })
  const open = writeOpen(dataDir, 3, START_MS + 30 * MINUTE_MS, [
    [line(31 * MINUTE_MS, [5, 6])],
    [line(32 * MINUTE_MS, [7])],
  ])
  return { dataDir, open }
}

t.test('what is only in raw yet is there, and no row twice, whatever the compactor has come to', async t => {
  const { dataDir, open } = await halfDone(t)
  t.equal(await seen(dataDir), '1 2 3 4 5 6 7', 'up to the last flush')
  t.equal(await seen(dataDir, false), '1 2 3', 'Parquet alone')
  await withSession(dataDir, async session => {
    t.equal(await seqsOf(session), '1 2 3 4 5 6 7')
    await compactOnce(dataDir)
    t.equal(await seqsOf(session), '1 2 3 4 5 6 7', 'the sealed one is compacted')
    rmSync(open)
    sealSegment(
      dataDir,
      'trades',
      [line(31 * MINUTE_MS, [5, 6]), line(32 * MINUTE_MS, [7]), line(33 * MINUTE_MS, [8])],
      {
        startedMs: START_MS + 30 * MINUTE_MS,
        number: 3,
      },
    )
    t.equal(await seqsOf(session), '1 2 3 4 5 6 7 8', 'the open one is sealed, and has grown')
    await compactOnce(dataDir)
    t.equal(await seqsOf(session), '1 2 3 4 5 6 7 8', 'and compacted')
    await compactOnce(dataDir, { nowMs: () => START_MS + 48 * HOUR_MS })
    t.equal(await seqsOf(session), '1 2 3 4 5 6 7 8', 'and rolled up')
  })
})

t.test('between a file and its receipt, a segment counts once', async t => {
  const { dataDir } = await halfDone(t)
  const receipts = join(dataDir, 'state/compactor/done-2026-11-22.jsonl')
  const before = readFileSync(receipts)
  await compactOnce(dataDir)
  writeFileSync(receipts, before)
  t.equal(await seen(dataDir), '1 2 3 4 5 6 7')
})

t.test('a copy has no receipts: its files tell what is in Parquet', async t => {
  const { dataDir } = await halfDone(t)
  const copy = join(dataDir, 'nas')
  const bring = () => {
    rmSync(copy, { recursive: true, force: true })
    for (const part of ['raw', 'parquet']) cpSync(join(dataDir, part), join(copy, part), { recursive: true })
  }
  bring()
  t.equal(await seen(copy), '1 2 3 4 5 6 7')
  await compactOnce(dataDir)
  bring()
  t.equal(await seen(copy), '1 2 3 4 5 6 7')
  await compactOnce(dataDir, { nowMs: () => START_MS + 48 * HOUR_MS })
  bring()
  t.equal(await seen(copy), '1 2 3 4 5 6 7', 'of days, too')
})

t.test('rows of fresh hours are those that the compactor makes', async t => {
  const { dataDir } = await halfDone(t)
  const all = 'SELECT * FROM trades ORDER BY trade_seq'
  const rows = (session: QuerySession) =>
    session.ask(all, async connection => JSON.stringify((await connection.runAndReadAll(all)).getRowObjectsJson()))
  const { result: fresh } = await withSession(dataDir, rows)
  const open = join(
    dataDir,
    'raw/exchange=deribit/channel=trades/date=2026-11-22/20261122T143000Z_1h-vps-1-r1-3.jsonl.zst.open',
  )
  renameSync(open, `${open}.aside`)
  sealSegment(dataDir, 'trades', [line(31 * MINUTE_MS, [5, 6]), line(32 * MINUTE_MS, [7])], {
    startedMs: START_MS + 30 * MINUTE_MS,
    number: 3,
  })
  await compactOnce(dataDir)
  const { result: compacted } = await withSession(dataDir, rows, false)
  t.equal(fresh, compacted)
})

t.test('only what a statement names is read; what cannot be read is told', async t => {
  const { dataDir } = await halfDone(t)
  const damaged = segmentPath(
    { exchange: 'deribit', channel: 'quote', startedMs: START_MS, host: 'vps-1', run: 'r1', number: 4 },
    'sealed',
  )
  mkdirSync(dirname(join(dataDir, damaged)), { recursive: true })
  sealSegment(dataDir, 'quote', [line(1, [1])], { number: 4 })
  writeFileSync(join(dataDir, damaged), 'no zstd')
  t.same((await withSession(dataDir, seqsOf)).notes, [], 'a damaged segment of another table is not looked at')
  const sql = 'SELECT count(*) FROM quote'
  const { notes, result } = await withSession(dataDir, session =>
    session.ask(sql, async connection => (await connection.runAndReadAll(sql)).getRows()),
  )
  matchAll(t, notes, [/quote.*r1-4\.jsonl\.zst is left out: /])
  t.same(result, [[0n]], 'a table without any file has its columns')
})

t.test(
  'the last minutes of an open segment are read without what came before, and are what all of it says',
  async t => {
    const dataDir = t.testdir()
    const minutes = Array.from({ length: 20 }, (_, minute) => [
      line(minute * MINUTE_MS, [2 * minute + 1]),
      line(minute * MINUTE_MS + 1000, [2 * minute + 2], 'd2'),
      // A copy by another connection.
      line(minute * MINUTE_MS + 1200, [2 * minute + 1], 'd2'),
    ])
    const path = writeOpen(dataDir, 1, START_MS, minutes)
    const since = (atMs: number, more = '') =>
      `recv_ts >= TIMESTAMPTZ '${new Date(START_MS + atMs).toISOString()}' ${more}`
    const seqs = (from: string, where: string) =>
      `SELECT coalesce(string_agg(trade_seq, ' ' ORDER BY trade_seq), '') FROM ${from} WHERE ${where}`
    const ask = async (session: QuerySession, sql: string) =>
      String((await session.ask(sql, async connection => (await connection.runAndReadAll(sql)).getRows()))[0]?.[0])
    const cases = [
      since(17 * MINUTE_MS),
      since(17 * MINUTE_MS + 1100),
      since(17 * MINUTE_MS, `AND instrument_name = 'BTC-PERPETUAL'`),
      `instrument_name = 'ETH-27NOV26-4000-C'`,
      `instrument_name IN ('ETH-27NOV26-4000-C', 'BTC-PERPETUAL') AND ${since(5 * MINUTE_MS)}`,
      `instrument_name = 'BTC-PERP'`,
      since(60 * MINUTE_MS),
    ]
    await withSession(dataDir, async session => {
      // What is asked of a query, not of a table, is not left out beforehand.
      for (const where of cases)
        t.equal(await ask(session, seqs('trades', where)), await ask(session, seqs('(FROM trades)', where)), where)
      t.equal(await ask(session, seqs('trades', cases[0] ?? '')), '35 36 37 38 39 40')
    })
    const bytes = readFileSync(path)
    bytes.fill(0xff, 20, 60)
    writeFileSync(path, bytes)
    await withSession(dataDir, async session => {
      t.equal(
        await ask(session, seqs('(FROM trades)', cases[0] ?? '')),
        '',
        'what is read from its begin ends at the damage',
      )
      t.equal(await ask(session, seqs('trades', cases[0] ?? '')), '35 36 37 38 39 40')
    })
  },
)

/** At midnight behind START_MS. */
const MIDNIGHT_MS = 10 * HOUR_MS

function sealTrades(dataDir: string, number: number, atMs: number, seqs: number[], conn: string): void {
  const [startedMs, us] = [START_MS + atMs, START_US + atMs * 1000]
  const manifest = {
    first_recv_us: us,
    last_recv_us: us,
    connections: { [conn]: { frames: 1, first_seq: 1, last_seq: 1 } },
  }
  sealSegment(dataDir, 'trades', [line(atMs, seqs, conn)], { startedMs, number, manifest })
}

/** Numbers of trades in a part of a recording, asked in each way that there is. */
async function seqsFrom(root: string, atMs: number): Promise<Record<string, string>> {
  const from = new Date(START_MS + atMs).toISOString()
  const numbers = (where = '', within?: Within) => {
    const sql = `SELECT string_agg(trade_seq, ' ' ORDER BY trade_seq) FROM trades ${where}`
    const ask = async (session: QuerySession) =>
      String((await session.ask(sql, async connection => (await connection.runAndReadAll(sql)).getRows()))[0]?.[0])
    return withSession(root, ask, true, within).then(({ result }) => result)
  }
  const isDay = atMs === MIDNIGHT_MS
  return {
    filtered: await numbers(`WHERE epoch_us(recv_ts) >= ${START_US + atMs * 1000}`),
    where: await numbers(`WHERE recv_ts >= '${from}'`),
    from: await numbers('', withinSpan({ fromUs: START_US + atMs * 1000, toUs: Infinity })),
    ...(isDay && { date: await numbers(`WHERE date = '2026-11-23'`), day: await numbers('', withinDay('2026-11-23')) }),
  }
}

t.test(
  'an event that came before the time that is asked for had its row there again, while it was in raw alone',
  async t => {
    const root = t.testdir({ sockets: {}, http: {}, backfill: {}, open: {} })
    const all = (found: Record<string, string>) => [...new Set(Object.values(found))]

    const sockets = join(root, 'sockets')
    sealTrades(sockets, 1, MIDNIGHT_MS - 1000, [1, 2], 'd1')
    sealTrades(sockets, 2, MIDNIGHT_MS + 1000, [2, 3], 'd2')
    t.same(all(await seqsFrom(sockets, MIDNIGHT_MS)), ['3'], 'another connection brought it right behind midnight')

    for (const conn of ['http', 'backfill']) {
      const answers = join(root, conn)
      sealTrades(answers, 1, 0, [1, 2], 'd1')
      sealTrades(answers, 2, 2 * HOUR_MS, [3], 'd1')
      sealTrades(answers, 3, MIDNIGHT_MS + 1000, [1, 2, 3, 4], conn)
      t.same(all(await seqsFrom(answers, MIDNIGHT_MS)), ['4'], 'it was asked for hours later')
      t.same(all(await seqsFrom(answers, HOUR_MS)), ['3 4'])
    }

    const open = join(root, 'open')
    sealTrades(open, 1, 0, [1, 2], 'd1')
    writeOpen(open, 2, START_MS + MIDNIGHT_MS, [
      [line(MIDNIGHT_MS, [3])],
      [line(MIDNIGHT_MS + MINUTE_MS, [2, 3, 4], 'backfill')],
    ])
    t.same(all(await seqsFrom(open, MIDNIGHT_MS)), ['3 4'])
    t.same(all(await seqsFrom(open, MIDNIGHT_MS + MINUTE_MS)), ['4'])
  },
)
