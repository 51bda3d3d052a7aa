import { join } from 'node:path'
import t from 'tap'
import { openEngine } from '../../../compactor/engine.js'
import { groupStaged } from '../../../compactor/files/groups.js'
import { writeParts } from '../../../compactor/files/parts.js'
import { lookAtColumns } from '../../../compactor/files/seen-columns.js'
import { columnsOf } from '../../../compactor/lines/columns.js'
import { tableOf } from '../../../compactor/tables.js'
import { sha256Of } from '../../../platform/sha256.js'

const ROWS = 24_000

const engineIn = (folder: string) => openEngine({ memoryMiB: 512, threads: 1, spillFolder: join(folder, 'spill') })

/** Name, SQL, whether it is empty, and the only text. */
const columns: [name: string, sql: string, isEmpty: boolean, onlyText: string | undefined][] = [
  ['nothing', 'NULL::VARCHAR', true, undefined],
  ['no_number', 'NULL::DOUBLE', true, undefined],
  ['one_number', 'CASE WHEN i = 23999 THEN 1.5 END', false, undefined],
  ['number', 'i / 8', false, undefined],
  ['short', `'live'`, false, 'live'],
  ['of_eight', `'BTC-USDT'`, false, 'BTC-USDT'],
  ['longer', `'BTC-USDT.'`, false, undefined],
  ['longer_last', `CASE WHEN i = 23999 THEN 'BTC-USDT2' ELSE 'BTC-USDT1' END`, false, undefined],
  ['longer_once', `CASE WHEN i = 23999 THEN 'BTC-USDT1' ELSE 'BTC-USDT' END`, false, undefined],
  ['other_once', `CASE WHEN i = 23999 THEN 'like' ELSE 'live' END`, false, undefined],
  ['missing_once', `CASE WHEN i <> 23999 THEN 'live' END`, false, undefined],
  ['without_text', `''`, false, undefined],
  ['ends_in_nul', `CASE WHEN i % 2 = 0 THEN 'live' ELSE 'live' || chr(0) END`, false, undefined],
  ['quoted', `'it''s'`, false, undefined],
  ['looks_like_note', `', Max: x'`, false, undefined],
  ['beyond_ascii', `'é'`, false, undefined],
]

t.test('what rows hold, as DuckDB noted it', async t => {
  const folder = t.testdir({ spill: {} })
  const engine = await engineIn(folder)
  t.teardown(() => engine.close())
  await engine.run(`CREATE TABLE staged AS SELECT ${columns.map(([name, sql]) => `${sql} AS ${name}`).join(', ')}
    FROM range(${ROWS}) numbers(i)`)
  const seen = await lookAtColumns(engine, await columnsOf(engine, 'staged'))
  t.same(
    seen.map(({ name, isEmpty, onlyText }) => [name, isEmpty, onlyText]),
    columns.map(([name, , isEmpty, onlyText]) => [name, isEmpty, onlyText]),
  )
  const different = (wanted: string) => seen.find(({ name }) => name === wanted)?.different ?? 0
  t.ok(different('number') > ROWS / 2, 'about how many values differ')
  t.ok(different('short') < 10)
})

const staged = (instrument: string) => `CREATE TABLE staged AS
  SELECT make_timestamptz(1790000000000000 + i) AS recv_ts, NULL::TIMESTAMPTZ AS exchange_ts, ${instrument} AS instrument_name,
    'd1' AS conn, i::BIGINT AS seq, 'live' AS source, i / 8 AS best_bid_price, NULL::DOUBLE AS best_ask_price,
    'only this one' AS channel, NULL::VARCHAR AS extra, 1::BIGINT AS row_no
  FROM (SELECT (i * 7919) % ${ROWS} AS i FROM range(${ROWS}) numbers(i))`

t.test('columns that are not read are taken out of rows that nobody asks for afterwards', async t => {
  const folder = t.testdir({ spill: {} })
  const names = { one: `'BTC-PERPETUAL'`, two: `CASE WHEN i % 5 = 0 THEN 'ETH-PERPETUAL' ELSE 'BTC-PERPETUAL' END` }
  for (const [what, instrument] of Object.entries(names)) {
    for (const sortedGroups of [64, 0.1]) {
      const write = async (isLast: boolean) => {
        const engine = await engineIn(folder)
        await engine.run(staged(instrument))
        const table = tableOf({ exchange: 'deribit', channel: 'quote' })
        const groups = await groupStaged(engine, table, 'quote')
        const rows = { table, columns: await columnsOf(engine, 'staged'), groups, facts: {}, isLast }
        const parts = await writeParts(engine, rows, folder, sortedGroups)
        const left = (await columnsOf(engine, 'staged')).map(({ name }) => name)
        engine.close()
        return { left, hashes: await Promise.all(parts.map(({ temporary }) => sha256Of(temporary))) }
      }
      const kept = await write(false)
      const last = await write(true)
      t.same(last.hashes, kept.hashes, `${what}, ${sortedGroups}: same bytes`)
      t.equal(kept.left.length, 11)
      const ordered = ['recv_ts', 'exchange_ts', 'instrument_name', 'conn', 'seq']
      t.same(last.left, [...ordered, 'best_bid_price', 'row_no'])
    }
  }
})
