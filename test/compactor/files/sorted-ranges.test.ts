import { join } from 'node:path'
import t from 'tap'
import { openEngine } from '../../../compactor/engine.js'
import { groupStaged } from '../../../compactor/files/groups.js'
import { columnsOf } from '../../../compactor/lines/columns.js'
import { writeParts } from '../../../compactor/files/parts.js'
import { tableOf } from '../../../compactor/tables.js'
import { sha256Of } from '../../../platform/sha256.js'
import { filesBelow } from '../fixtures/compacted.js'

t.test('rows that are sorted range by range give the same bytes', async t => {
  const folder = t.testdir({ spill: {} })
  // Few instruments, one of them with most rows; times that repeat, or are missing.
  const staged = (instrument: string, exchange: string) => `CREATE OR REPLACE TABLE staged AS SELECT
    make_timestamptz(1790000000000000 + i) AS recv_ts, ${exchange} AS exchange_ts, ${instrument} AS instrument_name,
    'd1' AS conn, i AS seq, 'live' AS source, (i * 7919) % 1000 / 8 AS best_bid_price, 1::BIGINT AS row_no
    FROM (SELECT (i * 7919) % 30011 AS i FROM range(30011) numbers(i))`
  const named = `CASE WHEN i % 5 < 3 THEN 'BTC-PERPETUAL' WHEN i % 5 = 3 THEN 'BTC-25DEC26' ELSE 'ETH-PERPETUAL' END`
  const timed = `CASE WHEN i % 100 > 3 THEN make_timestamptz(1790000000000000 + (i // 3) * 3) END`
  const cases = [
    { family: 'quote', sql: staged(named, timed), files: 3 },
    { family: 'quote', sql: staged(`'BTC-PERPETUAL'`, timed), files: 1 },
    { family: 'quote', sql: staged(named.replace("'BTC-25DEC26'", 'NULL'), timed), files: 3 },
    { family: 'unknown', sql: staged('NULL::VARCHAR', 'NULL::TIMESTAMPTZ'), files: 1 },
  ]
  for (const [index, { family, sql, files }] of cases.entries()) {
    const hashesOf = async (sortedGroups: number) => {
      const engine = await openEngine({ memoryMiB: 512, threads: 1, spillFolder: join(folder, 'spill') })
      await engine.run(sql)
      const table = tableOf({ exchange: 'deribit', channel: family })
      const groups = await groupStaged(engine, table, family)
      const columns = await columnsOf(engine, 'staged')
      const rows = { table, columns, groups, facts: { segments: '[]' } }
      const parts = await writeParts(engine, rows, folder, sortedGroups)
      engine.close()
      return Promise.all(parts.map(({ temporary }) => sha256Of(temporary)))
    }
    const whole = await hashesOf(64)
    t.equal(whole.length, files)
    t.same(await hashesOf(0.1), whole, `case ${index}: in ranges`)
    t.same(await hashesOf(0.03), whole, `case ${index}: in many ranges`)
  }
  t.same(
    filesBelow(folder).filter(path => !path.endsWith('.parquet')),
    [],
    'pieces are removed',
  )
})
