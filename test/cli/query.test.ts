import { writeFileSync } from 'node:fs'
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

t.test('what is missing is said', async t => {
  t.match(await edgetape(['query', '--from', t.testdir(), 'SELECT 1']), { exitCode: 1, stderr: /no Parquet below/ })
  t.match(await edgetape(['query', '--from', t.testdirName]), { exitCode: 1, stderr: /wanted SQL/ })
})
