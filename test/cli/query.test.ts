import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { edgetape } from '../fixtures/cli.js'
import { writeLake } from '../fixtures/lake.js'

const trades = (names: string[]) =>
  `SELECT now() AS recv_ts, * FROM (VALUES ${names.map((name, i) => `('${name}', ${i})`).join(', ')}) v(instrument_name, trade_seq)`

t.test('a view for each table, with the columns of its partitions', async t => {
  const root = t.testdir()
  await writeLake(root, [
    { table: 'trades', kind: 'perpetual', currency: 'BTC', sql: trades(['BTC-PERPETUAL', 'BTC-PERPETUAL']) },
    { table: 'trades', kind: 'option', currency: 'BTC', sql: trades(['BTC-27NOV26-60000-C']) },
    { table: 'journal', sql: `SELECT 'started' AS event` },
  ])
  const sql = 'SELECT kind, count(*) AS trades FROM trades GROUP BY kind ORDER BY kind'
  const { stdout, exitCode } = await edgetape(['query', '--from', root, sql])
  t.equal(exitCode, 0)
  t.match(stdout, /^kind +trades\noption +1\nperpetual +2$/)
  const file = join(root, 'q.sql')
  writeFileSync(file, `${sql};\n`)
  const json = await edgetape(['query', '--from', root, '--file', file, '--json'])
  t.equal(json.stdout, '{"kind":"option","trades":1}\n{"kind":"perpetual","trades":2}')
  t.match(await edgetape(['query', '--from', root, 'SELECT * FROM tardes']), {
    exitCode: 1,
    stderr: /tardes does not exist[^]*hint: tables here: journal, trades\s*$/,
  })
})

t.test('what a day replaced is left out, where the day is', async t => {
  const root = t.testdir()
  const hour = { table: 'trades', kind: 'option', currency: 'BTC', name: '14-h1-r1-1', sql: trades(['A', 'B']) }
  await writeLake(root, [hour, { ...hour, name: '15-h1-r1-2', sql: trades(['C']) }])
  const folder = 'parquet/exchange=deribit/table=trades/kind=option/currency=BTC/date=2026-11-22'
  mkdirSync(join(root, 'superseded/date=2026-11-22'), { recursive: true })
  writeFileSync(
    join(root, 'superseded/date=2026-11-22/superseded-h1.jsonl'),
    `${JSON.stringify({ path: `${folder}/14-h1-r1-1.parquet`, by: [`${folder}/day-h1.parquet`] })}\n`,
  )
  const sql = "SELECT string_agg(instrument_name, '' ORDER BY instrument_name) AS names FROM trades"
  const names = async () => (await edgetape(['query', '--from', root, '--json', sql])).stdout
  t.equal(await names(), '{"names":"ABC"}', 'the list comes before the day')
  await writeLake(root, [{ ...hour, name: 'day-h1', sql: trades(['A', 'B']) }])
  t.equal(await names(), '{"names":"ABC"}', 'and then the day, with the same rows')
  const columns = await edgetape(['query', '--from', root, '--json', 'SELECT * FROM trades LIMIT 1'])
  t.notMatch(columns.stdout, /filename/)
})

t.test('what is missing is said', async t => {
  t.match(await edgetape(['query', '--from', t.testdir(), 'SELECT 1']), { exitCode: 1, stderr: /no Parquet below/ })
  t.match(await edgetape(['query', '--from', t.testdirName]), { exitCode: 1, stderr: /wanted SQL/ })
})
