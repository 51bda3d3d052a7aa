import assert from 'node:assert/strict'
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { describeFile } from '../../../compactor/date/day-lists.js'
import { openEngine } from '../../../compactor/engine.js'
import { fileFacts, parquetOptions } from '../../../compactor/files/parquet-options.js'
import { FEW_INSTRUMENTS } from '../../../formats/finished-list.js'
import { parquetFileAt } from '../../../formats/parquet-tree.js'
import { sqlText } from '../../../platform/duckdb.js'
import { sha256Of } from '../../../platform/sha256.js'
import { memoryFolder } from '../../fixtures/memory-folder.js'
import { holds } from '../../fixtures/holds.js'

const root = memoryFolder(t)
const path = 'parquet/exchange=deribit/table=quote/kind=perpetual/currency=BTC/date=2026-11-22/day-h.parquet'
const file = parquetFileAt(path)
const engine = await openEngine({ memoryMiB: 256, threads: 1, spillFolder: root })
await engine.run(`COPY (SELECT 1) TO ${sqlText(join(root, 'x.parquet'))} (FORMAT parquet)`)
t.teardown(() => engine.close())

/** Of no version. */
const NONE = { made: 'by somebody' }

interface Row {
  exchangeUs: number | null
  recvUs: number
  name: string | null
}

async function described(rows: readonly Row[], columns: string, metadata: Record<string, string>) {
  assert.ok(file)
  const values = rows.map(({ exchangeUs, recvUs, name }) => `(${exchangeUs ?? 'NULL'}, ${recvUs}, ${name === null ? 'NULL' : sqlText(name)})`) // prettier-ignore
  const source =
    rows.length === 0
      ? '(VALUES (1, 1, NULL)) AS t(e, r, n) WHERE false'
      : `(VALUES ${values.join(', ')}) AS t(e, r, n)`
  mkdirSync(join(root, path, '..'), { recursive: true })
  await engine.run(
    `COPY (SELECT ${columns} FROM ${source}) TO ${sqlText(join(root, path))} ${parquetOptions(metadata, 2048)}`,
  )
  return describeFile(engine, root, file)
}

const ALL =
  'make_timestamptz(e::BIGINT) AS exchange_ts, make_timestamptz(r::BIGINT) AS recv_ts, n::VARCHAR AS instrument_name'
const row = fc.record({
  exchangeUs: fc.option(fc.integer({ min: 1_700_000_000_000_000, max: 1_800_000_000_000_000 })),
  recvUs: fc.integer({ min: 1_700_000_000_000_000, max: 1_800_000_000_000_000 }),
  name: fc.option(fc.constantFrom('BTC-PERPETUAL', 'btc', "O'NEIL", 'ü', 'Ａ', '😀', '')),
})
const least = (list: readonly number[]) => list.reduce((one, other) => Math.min(one, other), Infinity)
const greatest = (list: readonly number[]) => list.reduce((one, other) => Math.max(one, other), -Infinity)

t.test('a list says of a file what is in it: rows, times, instruments', async t => {
  await holds(
    t,
    fc.asyncProperty(fc.array(row, { maxLength: 12 }), async rows => {
      const listed = await described(rows, ALL, fileFacts('quote', rows.length, {}))
      const made = rows.flatMap(({ exchangeUs }) => exchangeUs ?? [])
      const received = rows.map(({ recvUs }) => recvUs)
      assert.equal(listed.rows, rows.length)
      assert.deepEqual(listed.exchange_us, made.length === 0 ? null : [least(made), greatest(made)])
      assert.deepEqual(listed.recv_us, received.length === 0 ? null : [least(received), greatest(received)])
      assert.deepEqual(listed.instruments, [...new Set(rows.flatMap(({ name }) => name ?? []))].sort())
      assert.deepEqual([listed.path, listed.bytes], [path, statSync(join(root, path)).size])
      assert.equal(listed.sha256, await sha256Of(join(root, path)))
      assert.equal(listed.schema_version, 1)
    }),
    { numRuns: 30 },
  )
})

t.test(
  'of many instruments it names the ends between which a reader finds each of them, in whatever script',
  async t => {
    const names = Array.from(
      { length: FEW_INSTRUMENTS + 10 },
      (_, at) => `${['BTC', 'Ａ', '😀', '币'][at % 4] ?? ''}-${at}`,
    )
    const rows = (count: number) => names.slice(0, count).map((name, at) => ({ exchangeUs: null, recvUs: 1_790_000_000_000_000 + at, name })) // prettier-ignore
    const few = await described(rows(FEW_INSTRUMENTS), ALL, NONE)
    t.same([few.instruments?.length, few.instruments_between], [FEW_INSTRUMENTS, undefined])
    const { instruments, instruments_between: between = ['', ''] } = await described(rows(names.length), ALL, NONE)
    t.equal(instruments, undefined)
    for (const name of names) t.ok(name >= between[0] && name <= between[1], name)
  },
)

t.test('of a table without such columns it says nothing of them, and other columns have another mark', async t => {
  const rows = [{ exchangeUs: 1_790_000_000_000_000, recvUs: 1_790_000_000_000_000, name: 'x' }]
  const plain = await described(rows, 'n AS text', NONE)
  t.same([plain.exchange_us, plain.recv_us, plain.instruments, plain.rows], [null, null, undefined, 1])
  const whole = await described(rows, ALL, { schema_version: '7' })
  t.equal(whole.schema_version, 7)
  const marks = [
    plain.columns,
    whole.columns,
    (await described(rows, `${ALL}, 1 AS more`, NONE)).columns,
    (await described(rows, `${ALL}, '1' AS more`, NONE)).columns,
  ]
  t.equal(new Set(marks).size, marks.length, 'by their names and types')
  t.equal((await described([], ALL, NONE)).columns, whole.columns, 'not by their rows')
  const sums = new Map([[`${path} ${statSync(join(root, path)).size}`, 'f'.repeat(64)]])
  if (file) t.equal((await describeFile(engine, root, file, sums)).sha256, 'f'.repeat(64), 'a checksum that is known is not computed again') // prettier-ignore
})
