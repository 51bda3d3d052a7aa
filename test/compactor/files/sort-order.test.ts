import { join } from 'node:path'
import t from 'tap'
import { openEngine } from '../../../compactor/engine.js'
import { groupStaged } from '../../../compactor/files/groups.js'
import { writeParts } from '../../../compactor/files/parts.js'
import { IN_FULL } from '../../../compactor/files/sort-order.js'
import { columnsOf } from '../../../compactor/lines/columns.js'
import { tableOf } from '../../../compactor/tables.js'
import { sqlText } from '../../../platform/duckdb.js'

/** Frames of several rows, in an order of their own, whose times are mostly equal. */
const staged = (
  conn: string,
  seq: string,
  instrument = `'BTC-' || i % 3 || '-PERPETUAL'`,
) => `CREATE OR REPLACE TABLE staged AS
  SELECT make_timestamptz(1790000000000000 + (i * 31) % 50) AS recv_ts,
    CASE WHEN i % 11 > 0 THEN make_timestamptz(1790000000000000 + (i // 5000)) END AS exchange_ts,
    ${instrument} AS instrument_name, ${conn} AS conn, ${seq} AS seq, 'live' AS source,
    i / 8 AS best_bid_price, 1 + i % 4 AS row_no
  FROM (SELECT (i * 7919) % 24001 AS i FROM range(24001) numbers(i))`

const cases: [what: string, sql: string][] = [
  ['one connection', staged(`'d1'`, '(i // 4)::BIGINT')],
  ['several, whose frames bear the same numbers', staged(`'d' || i % 13`, '(i // 52)::BIGINT')],
  ['several, of one instrument', staged(`'d' || i % 13`, '(i // 52)::BIGINT', `'BTC-PERPETUAL'`)],
  ['numbers that leave no room beside them', staged(`'d' || i % 13`, '9223372036854775000 + i // 52')],
  ['numbers that fit just so', staged(`'d' || i % 13`, '170000000000000000 + i // 52')],
  ['numbers below zero', staged(`'d' || i % 13`, '(i // 52)::BIGINT - 7')],
  ['more connections than rows are carried by number', staged(`'d' || i`, '(i // 52)::BIGINT')],
]

t.test('few keys give the order of all', async t => {
  const folder = t.testdir({ spill: {} })
  for (const [what, sql] of cases) {
    const engine = await openEngine({ memoryMiB: 512, threads: 1, spillFolder: join(folder, 'spill') })
    await engine.run(sql)
    const table = tableOf({ exchange: 'deribit', channel: 'quote' })
    const groups = await groupStaged(engine, table, 'quote')
    const columns = await columnsOf(engine, 'staged')
    const [part, ...more] = await writeParts(engine, { table, columns, groups, facts: {} }, folder)
    t.same(more, [])
    const shown = 'instrument_name, exchange_ts, seq, conn, recv_ts'
    const ordered = await engine.rows(
      `SELECT ${shown} FROM (SELECT *, row_number() OVER (ORDER BY ${IN_FULL}) AS place FROM staged) ORDER BY place`,
    )
    const found = await engine.rows(
      `SELECT ${shown} FROM read_parquet(${sqlText(part?.temporary ?? '')}, hive_partitioning = false)`,
    )
    t.equal(found.length, 24001)
    t.same(
      found.findIndex((row, at) => String(row) !== String(ordered[at])),
      -1,
      what,
    )
    engine.close()
  }
})
