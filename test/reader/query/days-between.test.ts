/** A catalog's macros of some days: those alone are looked at, and a day that is missing is no error. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import t, { type Test } from 'tap'
import { duckdb } from '../../../platform/duckdb.js'
import { catalogSql } from '../../../reader/query/catalog-sql.js'
import { knownDays } from '../../../reader/query/days-between.js'
import { columnsOfOwnTable, emptySelect } from '../../../reader/query/relation.js'
import { writeDataset } from '../../fixtures/dataset.js'

const none = emptySelect(await columnsOfOwnTable('deribit', 'trades'))

const tradesOf = (date: string, name = 'day-vps1') => ({
  ...{ table: 'trades', kind: 'perpetual', currency: 'BTC', date, name },
  sql: `SELECT * EXCLUDE (exchange, kind, currency, date) FROM
    (${none} UNION ALL BY NAME SELECT TIMESTAMPTZ '${date} 09:30:05Z' AS recv_ts, 'BTC-PERPETUAL' AS instrument_name)`,
})

async function withCatalog(t: Test, root: string): Promise<DuckDBConnection> {
  const instance = await duckdb().DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  t.teardown(() => {
    connection.closeSync()
    instance.closeSync()
  })
  await connection.run(await catalogSql(root, 'duckdb'))
  return connection
}

async function daysOf(connection: DuckDBConnection, from: string, to: string): Promise<string[]> {
  const sql = `SELECT date::VARCHAR FROM trades_between(${from}, ${to}) ORDER BY 1`
  return (await connection.runAndReadAll(sql)).getRows().map(([date]) => String(date))
}

t.test('days between two are those that are there, whatever lies in others', async t => {
  const root = t.testdir()
  await writeDataset(
    root,
    ['2026-11-20', '2026-11-21', '2026-11-24'].map(date => tradesOf(date)),
  )
  const connection = await withCatalog(t, root)
  const folder = join(root, 'parquet/exchange=deribit/table=trades/kind=perpetual/currency=BTC/date=2026-11-20')
  writeFileSync(join(folder, 'day-vps1.parquet'), 'no Parquet')
  t.same(await daysOf(connection, "'2026-11-21'", "'2026-11-23'"), ['2026-11-21'], 'two of them are missing')
  await t.rejects(connection.run('FROM trades'), 'the view looks at all')

  await writeDataset(root, [tradesOf('2026-11-20'), tradesOf('2026-11-25')])
  t.same(await daysOf(connection, "'2026-11-22'", "'2026-11-23'"), [], 'all of them are missing')
  t.same(await daysOf(connection, "'2020-01-01'", "'2020-02-01'"), [], 'before the first')
  t.same(await daysOf(connection, "'2026-11-24'", "'2026-12-31'"), ['2026-11-24', '2026-11-25'], 'what came since')
  t.same(await daysOf(connection, "DATE '2026-11-20'", "DATE '2026-11-20' + 1"), ['2026-11-20', '2026-11-21'])
})

t.test('files that others replaced do not count there, either', async t => {
  const root = t.testdir()
  const name = '09-vps1-r1-1'
  await writeDataset(root, [tradesOf('2026-11-20'), tradesOf('2026-11-21'), tradesOf('2026-11-21', name)])
  const folder = 'parquet/exchange=deribit/table=trades/kind=perpetual/currency=BTC/date=2026-11-21'
  const line = { path: `${folder}/${name}.parquet`, by: [`${folder}/day-vps1.parquet`] }
  mkdirSync(join(root, 'superseded/date=2026-11-21'), { recursive: true })
  writeFileSync(join(root, 'superseded/date=2026-11-21/superseded-vps1.jsonl'), `${JSON.stringify(line)}\n`)
  const connection = await withCatalog(t, root)
  t.same(await daysOf(connection, "'2026-11-20'", "'2026-11-21'"), ['2026-11-20', '2026-11-21'])
  t.same(await daysOf(connection, "'2026-11-20'", "'2026-11-30'"), ['2026-11-20', '2026-11-21'])
})

t.test('known days take few words', t => {
  t.same(knownDays(['2026-03-02', '2026-02-27', '2026-03-02']), {
    ...{ first: '2026-02-27', last: '2026-03-02', missing: ['2026-02-28', '2026-03-01'] },
  })
  t.equal(knownDays([]), undefined)
  t.end()
})
