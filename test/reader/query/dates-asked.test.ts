import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ALL_DAYS, daysAsked } from '../../../reader/query/dates-asked.js'
import { readyViews, sharedSql } from '../../../reader/query/ready-views.js'
import { QuerySession } from '../../../reader/query/session.js'
import { openDuckDb } from '../../../platform/duckdb.js'

const connection = await openDuckDb()
t.teardown(() => connection.closeSync())
await connection.run(sharedSql())

const days = (first: string, last = first) => ({ first, last })
const TEN_US = Date.UTC(2026, 10, 22, 10) * 1000
const received = (fromUs: number) => ({ ...ALL_DAYS, fromUs })
const from = (first: string) => ({ ...ALL_DAYS, first })
const upTo = (last: string) => ({ ...ALL_DAYS, last })

t.test('the days of each table are found where a statement says them', async t => {
  const cases: [string, Record<string, object> | undefined][] = [
    [`SELECT count(*) FROM trades WHERE date = DATE '2026-11-22'`, { trades: days('2026-11-22') }],
    [`FROM trades WHERE "date" = '2026-11-22' AND price > 1`, { trades: days('2026-11-22') }],
    [`FROM trades WHERE '2026-11-22' <= date`, { trades: from('2026-11-22') }],
    [`FROM Trades WHERE date < '2026-11-22'::DATE`, { trades: upTo('2026-11-22') }],
    [
      `FROM deribit.trades WHERE date IN ('2026-11-24', '2026-11-22')`,
      { 'deribit.trades': days('2026-11-22', '2026-11-24') },
    ],
    [
      `FROM trades WHERE date BETWEEN '2026-11-20' AND '2026-11-22' AND date > '2026-11-21'`,
      { trades: days('2026-11-21', '2026-11-22') },
    ],
    [`FROM trades WHERE date = DATE '2026-11-22' - 1`, { trades: days('2026-11-21') }],
    // What has a time may mean the day before or after, in another zone.
    [`FROM trades WHERE date = '2026-11-22 10:00'`, { trades: days('2026-11-21', '2026-11-23') }],
    [
      `FROM trades t LEFT JOIN quote q USING (instrument_name) WHERE t.date = '2026-11-22' AND q.date = '2026-11-23'`,
      { trades: days('2026-11-22'), quote: days('2026-11-23') },
    ],
    [
      `WITH x AS (FROM trades WHERE date = '2026-11-22') FROM x, quote WHERE quote.date >= '2026-11-20'`,
      { trades: days('2026-11-22'), x: ALL_DAYS, quote: from('2026-11-20') },
    ],
    [
      `(FROM trades WHERE date = '2026-11-22') UNION ALL (FROM trades WHERE date = '2026-11-25')`,
      { trades: days('2026-11-22', '2026-11-25') },
    ],
    [
      `FROM trades WHERE instrument_name IN (SELECT instrument_name FROM quote WHERE date = '2026-11-22')`,
      { trades: ALL_DAYS, quote: days('2026-11-22') },
    ],
    // A row of the account is of one day.
    [
      `FROM gaps WHERE from_ts < '2026-11-23 12:00' AND to_ts > '2026-11-22 12:00'`,
      { gaps: days('2026-11-22', '2026-11-23') },
    ],
    [`FROM gaps WHERE to_ts >= TIMESTAMPTZ '2026-11-23 00:00:00Z'`, { gaps: from('2026-11-22') }],
    [`FROM gaps WHERE from_ts < to_ts`, { gaps: ALL_DAYS }],
    [`FROM trades WHERE from_ts < '2026-11-23'`, { trades: ALL_DAYS }],
    [`FROM trades WHERE recv_ts >= TIMESTAMPTZ '2026-11-22 10:00:00Z'`, { trades: received(TEN_US) }],
    [
      `FROM trades t, quote q WHERE t.recv_ts > TIMESTAMPTZ '2026-11-22 10:01:00Z' - INTERVAL 1 MINUTE AND q.recv_ts < now()`,
      { trades: received(TEN_US), quote: ALL_DAYS },
    ],
    [
      `FROM trades WHERE recv_ts BETWEEN TIMESTAMPTZ '2026-11-22 10:00:00Z' AND now() AND instrument_name = 'A'`,
      { trades: { ...received(TEN_US), instruments: ['A'] } },
    ],
    [`FROM trades WHERE recv_ts > now() - INTERVAL (random()) HOUR`, { trades: ALL_DAYS }],
    [`FROM trades WHERE recv_ts > exchange_ts`, { trades: ALL_DAYS }],
    // Nothing that holds for all rows.
    [`FROM trades WHERE recv_ts > TIMESTAMPTZ '2026-11-22 10:00:00Z' OR price > 1`, { trades: ALL_DAYS }],
    [`FROM trades WHERE date = '2026-11-22' OR price > 1`, { trades: ALL_DAYS }],
    [`FROM trades WHERE NOT date = '2026-11-22'`, { trades: ALL_DAYS }],
    [`FROM trades WHERE date = recv_ts::DATE`, { trades: ALL_DAYS }],
    [`FROM trades WHERE date = (SELECT max(date) FROM quote)`, { trades: ALL_DAYS, quote: ALL_DAYS }],
    [`FROM trades, quote WHERE date = '2026-11-22'`, { trades: ALL_DAYS, quote: ALL_DAYS }],
    [`SELECT * FROM (FROM trades) WHERE date = '2026-11-22'`, { trades: ALL_DAYS }],
    [`FROM trades TABLESAMPLE 10% WHERE date = '2026-11-22'`, { trades: ALL_DAYS }],
    [`SELECT (SELECT count(*) FROM trades) FROM trades WHERE date = '2026-11-22'`, { trades: ALL_DAYS }],
    [`PIVOT trades ON kind USING count(*)`, undefined],
    [`CREATE VIEW v AS FROM trades WHERE date = '2026-11-22'`, undefined],
    [`SHOW TABLES`, undefined],
    [`FROM`, undefined],
  ]
  for (const [sql, expected] of cases) {
    const found = await daysAsked(connection, sql, [])
    if (expected === undefined && found)
      t.same(
        [...found.values()].filter(day => day.first !== ALL_DAYS.first),
        [],
        sql,
      )
    else t.same(found && Object.fromEntries(found), expected, sql)
  }
})

t.test('ready views ask for the days around their times', async t => {
  const asked = async (sql: string) => Object.fromEntries((await daysAsked(connection, sql, readyViews())) ?? [])
  const chain = async (more = '') =>
    (await asked(`FROM option_chain('2026-11-22 14:00:30', 'BTC'${more})`))['tickers_all']
  t.same(await chain(), days('2026-11-20', '2026-11-23'), 'through others, of a view over all exchanges')
  t.same(
    (await asked(`FROM basis('BTC-%', INTERVAL 1 HOUR, TIMESTAMPTZ '2026-11-22 00:00:00Z', '2026-11-24')`))['ticker'],
    days('2026-11-21', '2026-11-25'),
  )
  t.ok((await asked(`FROM trade_candles(INTERVAL 1 MINUTE)`))['trades']?.last.startsWith('2200'), 'all that there is')
  t.same(
    (await asked(`FROM basis('BTC-%', INTERVAL 1 HOUR, (SELECT min(recv_ts) FROM trades), '2026-11-24')`))['ticker'],
    upTo('2026-11-25'),
  )
})

t.test('a ready view of one moment asked for the account of all days', async t => {
  let asking = 0
  for (const { name, example } of readyViews()) {
    const gaps = (await daysAsked(connection, example, readyViews()))?.get('gaps')
    if (!gaps) continue
    asking++
    t.ok(gaps.first >= '2026-10-30' && gaps.last <= '2026-12-01', `${name}: ${gaps.first} to ${gaps.last}`)
  }
  t.ok(asking > 10)
})

t.test('a view that was limited to a day does not limit what was made to ask it later', async t => {
  const root = t.testdir({})
  for (const date of ['2026-11-21', '2026-11-22']) {
    const folder = join(root, `parquet/exchange=deribit/table=trades/kind=perpetual/currency=BTC/date=${date}`)
    mkdirSync(folder, { recursive: true })
    await connection.run(
      `COPY (SELECT 'BTC-PERPETUAL' AS instrument_name, 1.5 AS price) TO '${folder}/14-vps-1-r1-1.parquet'`,
    )
  }
  const session = await QuerySession.open({ root, fresh: undefined, note: () => undefined })
  t.teardown(() => session.clear())
  const count = (sql: string) =>
    session.ask(sql, async connection => Number((await connection.runAndReadAll(sql)).getRows()[0]?.[0]))
  t.equal(await count(`SELECT count(*) FROM trades WHERE date = '2026-11-22'`), 1)
  t.equal(await count('SELECT count(*) FROM trades'), 2)
  t.equal(await count(`SELECT count(*) FROM query('FROM trades')`), 2)
  const other = join(root, 'parquet/exchange=deribit/table=quote/kind=perpetual/currency=BTC/date=2026-11-22')
  mkdirSync(other, { recursive: true })
  writeFileSync(join(other, '14-vps-1-r1-1.parquet'), 'no Parquet: whoever opens it fails')
  t.equal(await count('SELECT count(*) AS quote FROM trades'), 2, 'a column with the name of a table is none')
  const made = 'CREATE VIEW mine AS SELECT * FROM trades'
  await session.ask(made, connection => connection.run(made))
  t.equal(await count(`SELECT count(*) FROM trades WHERE date = '2026-11-21'`), 1)
  t.equal(await count('SELECT count(*) FROM mine'), 2)
  t.ok(
    (await session.ask('SHOW TABLES', async connection => (await connection.runAndReadAll('SHOW TABLES')).getRows()))
      .length > 20,
  )
  t.equal(await count('SELECT count(*) FROM mine'), 2, 'names are told without touching what has a view')
})
