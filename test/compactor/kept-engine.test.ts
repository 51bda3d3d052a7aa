import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Engine } from '../../compactor/engine.js'
import { KeptEngine } from '../../compactor/kept-engine.js'
import { openStagingTable } from '../../compactor/lines/staging-table.js'
import { readReceiptLines } from '../../formats/receipt.js'
import { tableOf } from '../../compactor/tables.js'
import { compactOnce, hashes } from './fixtures/compacted.js'
import { rawLine, rawLines, sealSegment } from './fixtures/segments.js'

const HOUR_MS = 3_600_000
const START_MS = Date.parse('2026-11-22T08:00:00Z')
const SMALL = 1000

function keptEngine(t: Test) {
  const kept = new KeptEngine({ memoryMiB: 64, threads: 1, spillFolder: join(t.testdir(), 'spill') })
  t.teardown(() => kept.close())
  return kept
}

const same = (engine: Engine) => Promise.resolve(engine.loaded)

t.test('each small segment opened an engine of its own and loaded the SQL of its table anew', async t => {
  const kept = keptEngine(t)
  const source = { channelAt: [], name: { channel: 'quote' } }
  const stage = async (engine: Engine) => {
    const statements: string[] = []
    const run = (sql: string) => (statements.push(sql), engine.run(sql))
    const table = tableOf({ exchange: 'deribit', channel: 'quote' })
    const { searchPath } = await openStagingTable({ ...engine, run }, source, table, 'own', { isEmpty: true })
    await engine.run('CREATE TABLE staged AS SELECT 1; CREATE TYPE texts AS ENUM (SELECT 1::VARCHAR)')
    return { searchPath, macros: statements.filter(sql => sql.includes('CREATE MACRO')).length, loaded: engine.loaded }
  }
  const first = await kept.use(SMALL, stage, undefined)
  const second = await kept.use(SMALL, stage, undefined)
  t.equal(first.macros, 1)
  t.match(second, { macros: 0, searchPath: first.searchPath })
  t.equal(second.loaded, first.loaded, 'it is one engine')
  t.not(await kept.use(1e9, same, undefined), first.loaded, 'a large one has its own')
  t.equal(await kept.use(SMALL, same, undefined), first.loaded, 'and leaves the other as it is')
})

t.test('an engine in which something failed, or was cut off, is used no more', async t => {
  const kept = keptEngine(t)
  const first = await kept.use(SMALL, same, undefined)
  await t.rejects(
    kept.use(SMALL, engine => engine.run('SELECT * FROM nothing'), undefined),
    /nothing/,
  )
  const second = await kept.use(SMALL, same, undefined)
  t.not(second, first)
  const stop = new AbortController()
  const cutOff = async (engine: Engine) => {
    stop.abort(new Error('asked to stop'))
    await engine.run('SELECT 1')
  }
  await t.rejects(kept.use(SMALL, cutOff, stop.signal), /asked to stop/)
  t.not(await kept.use(SMALL, same, undefined), second)
})

const quote = (price: number, wrong = '') =>
  `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"quote.X","data":{"timestamp":1790133840887,"instrument_name":"BTC-PERPETUAL","best_bid_price":${price}${wrong}}}}`
const platform =
  '{"jsonrpc":"2.0","method":"subscription","params":{"channel":"platform_state","data":{"locked":true}}}'

/** Book changes with so many rows in few bytes that their columns are looked at before they are sorted. */
const manyRows = (first: number) =>
  rawLines(
    Array.from({ length: 30 }, (_, index) => {
      const bids = Array.from({ length: 700 }, (_, place) => `["new",${place + 1},${index}]`).join(',')
      const id = first + index
      return `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.BTC-PERPETUAL.100ms","data":{"type":"change","timestamp":1790133840887,"instrument_name":"BTC-PERPETUAL","change_id":${id},"prev_change_id":${id - 1},"bids":[${bids}],"asks":[]}}}`
    }),
  )

/** One after the other: what the line before left behind must not show in the next. */
const SEGMENTS: readonly (readonly [string, readonly Buffer[]])[] = [
  ['quote', rawLines([quote(1), quote(2)])],
  ['quote', [rawLine(quote(3), 1), rawLine('no JSON', 2, 'text'), Buffer.from('broken')]],
  ['quote', rawLines([quote(4, ',"new":"\\"1"')])],
  ['platform_state', rawLines([platform])],
  ['unknown', rawLines(['{"a":1}', '[2]'])],
  ['quote', rawLines([quote(5)])],
  ['book', manyRows(1000)],
  ['book', manyRows(2000)],
]

t.test('segments that share an engine make the same files and receipts as each by itself', async t => {
  const made = async (isAlone: boolean) => {
    const dataDir = t.testdir()
    for (const [index, [channel, lines]] of SEGMENTS.entries()) {
      sealSegment(dataDir, channel, lines, { number: index + 1, startedMs: START_MS + index * HOUR_MS })
      if (isAlone) await compactOnce(dataDir)
    }
    t.match(await compactOnce(dataDir), { failed: 0, backlog: 0 })
    const receipts = readReceiptLines(dataDir, '2026-11-22')
    return { ...hashes(join(dataDir, 'parquet')), ...hashes(join(dataDir, 'quarantine')), receipts }
  }
  const together = await made(false)
  t.ok(Object.keys(together).length > SEGMENTS.length)
  t.same(together, await made(true))
})
