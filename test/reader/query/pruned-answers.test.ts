import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { openDuckDb } from '../../../platform/duckdb.js'
import { daysAsked, type Days } from '../../../reader/query/dates-asked.js'
import { holds } from '../../fixtures/holds.js'

const FIRST = '2026-11-10'
const DAYS = 20
const INSTRUMENTS = ['BTC-PERPETUAL', 'ETH-PERPETUAL', "O'NEIL", 'btc-perpetual']

const connection = await openDuckDb()
t.teardown(() => connection.closeSync())
for (const table of ['trades', 'quote'])
  await connection.run(`CREATE TABLE all_${table} AS SELECT DATE '${FIRST}' + d::INTEGER AS date, name AS instrument_name, d * 10 + i AS id,
    make_timestamptz(epoch_us(TIMESTAMPTZ '${FIRST} 00:00:00Z') + d * 86400000000 + i * 36000000000) AS recv_ts
    FROM range(${DAYS}) AS days(d), (SELECT unnest(range(4)) AS i, unnest(['BTC-PERPETUAL', 'ETH-PERPETUAL', 'O''NEIL', 'btc-perpetual']) AS name)`)

const dateText = (day: number) => new Date(Date.parse(FIRST) + day * 86_400_000).toISOString().slice(0, 10)
const day = fc.integer({ min: -2, max: DAYS + 1 }).map(dateText)
/** A day as people spell it. */
const date = day.chain(text =>
  fc.constantFrom(
    `'${text}'`,
    `DATE '${text}'`,
    `'${text}'::DATE`,
    `CAST('${text}' AS DATE)`,
    `DATE '${text}' - 1`,
    `DATE '${text}' + INTERVAL 36 HOURS`,
    `TIMESTAMP '${text} 10:00'`,
    `strptime('${text}', '%Y-%m-%d')`,
    `greatest(DATE '${text}', DATE '${FIRST}')`,
    `date_trunc('week', DATE '${text}')`,
    `make_date(2026, 11, 12)`,
    'NULL',
  ),
)
const time = day.chain(text =>
  fc.constantFrom(
    `TIMESTAMPTZ '${text} 10:00:00Z'`,
    `'${text} 03:00:00+02'`,
    `'${text}'`,
    `TIMESTAMPTZ '${text}' - INTERVAL 90 MINUTES`,
  ),
)
const comparison = fc.constantFrom('=', '<', '<=', '>', '>=', '<>')
const name = fc.constantFrom(...INSTRUMENTS, 'none').map(text => `'${text.replaceAll("'", "''")}'`)

/** Conditions on the table that `p` stands before. */
const condition = fc.letrec<Record<'atom' | 'tree', (p: string) => string>>(tie => ({
  atom: fc.oneof(
    fc.tuple(comparison, date).map(
      ([sign, value]) =>
        (p: string) =>
          `${p}date ${sign} ${value}`,
    ),
    fc.tuple(comparison, date).map(
      ([sign, value]) =>
        (p: string) =>
          `${value} ${sign} ${p}date`,
    ),
    fc.tuple(date, date).map(
      ([from, to]) =>
        (p: string) =>
          `${p}date BETWEEN ${from} AND ${to}`,
    ),
    fc.tuple(date, date).map(
      ([from, to]) =>
        (p: string) =>
          `${p}date NOT BETWEEN ${from} AND ${to}`,
    ),
    fc.array(date, { minLength: 1, maxLength: 3 }).map(list => (p: string) => `${p}date IN (${list.join(', ')})`),
    date.map(value => (p: string) => `${p}date NOT IN (${value})`),
    fc.tuple(comparison, time).map(
      ([sign, value]) =>
        (p: string) =>
          `${p}recv_ts ${sign} ${value}`,
    ),
    fc.tuple(time, time).map(
      ([from, to]) =>
        (p: string) =>
          `${p}recv_ts BETWEEN ${from} AND ${to}`,
    ),
    name.map(value => (p: string) => `${p}instrument_name = ${value}`),
    name.map(value => (p: string) => `${value} = ${p}instrument_name`),
    fc.array(name, { minLength: 1, maxLength: 3 }).map(list => (p: string) => `${p}instrument_name IN (${list.join(', ')})`), // prettier-ignore
    name.map(value => (p: string) => `${p}instrument_name <> ${value}`),
    fc.constantFrom((p: string) => `${p}id % 3 = 0`, (p: string) => `${p}date IS NOT NULL`, (p: string) => `${p}date = ${p}recv_ts::DATE`), // prettier-ignore
  ),
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 3, arbitrary: tie('atom') },
    {
      weight: 3,
      arbitrary: fc.tuple(tie('tree'), tie('tree')).map(
        ([a, b]) =>
          (p: string) =>
            `${a(p)} AND ${b(p)}`,
      ),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(tie('tree'), tie('tree')).map(
        ([a, b]) =>
          (p: string) =>
            `(${a(p)} OR ${b(p)})`,
      ),
    },
    { weight: 1, arbitrary: tie('tree').map(a => (p: string) => `NOT (${a(p)})`) },
    { weight: 1, arbitrary: tie('tree').map(a => (p: string) => `CASE WHEN ${a(p)} THEN true ELSE ${p}id > 50 END`) },
  ),
}))

/** Statements in which conditions may stand. */
const statement = fc.tuple(condition.tree, condition.tree, fc.nat({ max: 11 })).map(([one, other, form]) => {
  const forms = [
    `SELECT * FROM trades WHERE ${one('')}`,
    `SELECT t.* FROM trades AS t WHERE ${one('t.')} ORDER BY id`,
    `SELECT * FROM (SELECT * FROM trades WHERE ${one('')}) AS x WHERE ${other('x.')}`,
    `WITH x AS (SELECT * FROM trades WHERE ${one('')}) SELECT * FROM x WHERE ${other('')}`,
    `(SELECT * FROM trades WHERE ${one('')}) UNION ALL (SELECT * FROM trades WHERE ${other('')})`,
    `SELECT a.id, b.id AS other FROM trades a JOIN trades b ON a.id = b.id + 10 WHERE ${one('a.')} AND ${other('b.')}`,
    `SELECT a.id, b.id AS other FROM trades a LEFT JOIN quote b ON a.id = b.id AND ${other('b.')} WHERE ${one('a.')}`,
    `SELECT a.id, b.id AS other FROM trades a LEFT JOIN quote b ON a.id = b.id WHERE ${one('a.')} AND (${other('b.')})`,
    `SELECT count(*), max(id) FROM trades WHERE ${one('')}`,
    `SELECT id, lag(id) OVER (PARTITION BY instrument_name ORDER BY id) AS before FROM trades WHERE ${one('')}`,
    `SELECT * FROM trades WHERE ${one('')} AND id IN (SELECT id FROM quote WHERE ${other('')})`,
    `SELECT * FROM lately(${form % 2 === 0 ? "'2026-11-12', '2026-11-15'" : "to_day := '2026-11-18', from_day := DATE '2026-11-13'"}) WHERE ${one('')}`,
  ]
  return forms[form] ?? ''
})

const CALLED = [
  {
    name: 'lately',
    sql: `CREATE OR REPLACE MACRO lately(from_day, to_day := DATE '2026-11-20') AS TABLE
      SELECT * FROM trades WHERE date BETWEEN from_day AND to_day AND recv_ts >= from_day::TIMESTAMPTZ`,
  },
]

/** What a reader opens of a table: files of these days, rows of these instruments, lines from this time on. */
function view(table: string, days: Days | undefined): string {
  const { first, last, instruments, fromUs } = days ?? { first: '9999-99-99', last: '0000-00-00' }
  const conditions = [
    `date::VARCHAR BETWEEN '${first}' AND '${last}'`,
    ...(instruments ? [`list_contains([${instruments.map(text => `'${text.replaceAll("'", "''")}'`).join(', ')}]::VARCHAR[], instrument_name)`] : []), // prettier-ignore
    ...(fromUs === undefined ? [] : [`epoch_us(recv_ts) >= ${fromUs}`]),
  ]
  return `CREATE OR REPLACE VIEW ${table} AS SELECT * FROM all_${table} WHERE ${conditions.join(' AND ')};`
}

t.test('a statement has the same answer from what it can need as from all days', async t => {
  let pruned = 0
  await connection.run(
    'CREATE OR REPLACE VIEW trades AS FROM all_trades; CREATE OR REPLACE VIEW quote AS FROM all_quote',
  )
  for (const { sql } of CALLED) await connection.run(sql)
  await holds(
    t,
    fc.asyncProperty(statement, async sql => {
      const asked = await daysAsked(connection, sql, CALLED)
      assert.ok(asked, 'it was read')
      const answer = `SELECT list(to_json(a) ORDER BY to_json(a)::VARCHAR)::VARCHAR, count(*) FROM (${sql}) AS a`
      const ask = async () => (await connection.runAndReadAll(answer)).getRows()
      await connection.run('CREATE OR REPLACE VIEW trades AS FROM all_trades; CREATE OR REPLACE VIEW quote AS FROM all_quote') // prettier-ignore
      let whole
      try {
        whole = await ask()
      } catch {
        // DuckDB does not take it, whatever there is.
        return
      }
      await connection.run(view('trades', asked.get('trades')) + view('quote', asked.get('quote')))
      assert.deepEqual(await ask(), whole, JSON.stringify([...asked]))
      const trades = asked.get('trades')
      if (trades && (trades.first > FIRST || trades.instruments || trades.fromUs !== undefined)) pruned++
    }),
    { numRuns: 250 },
  )
  t.ok(pruned > 30, `${pruned} answers needed less than all`)
})
