import assert from 'node:assert/strict'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { openEngine } from '../../../compactor/engine.js'
import { dropDuplicates } from '../../../compactor/files/duplicates.js'
import { columnsOf } from '../../../compactor/lines/columns.js'
import { tableNamed } from '../../../compactor/tables.js'
import { BY_PAYLOAD, type Identity } from '../../../exchanges/table.js'
import { groupBy } from '../../../platform/group-by.js'
import { memoryFolder } from '../../fixtures/memory-folder.js'
import { holds } from '../../fixtures/holds.js'

/** All copies come within this. */
const WINDOW_MS = 5000
const BY_TRADE = tableNamed('deribit', 'trades')?.identity ?? BY_PAYLOAD

interface Received {
  conn: string
  seq: number
  recvUs: number
  event: number
  price: number
  madeUs: number
}

/** Events, some of which say the same as others do, and which of three connections brought each, how late. */
const market = fc
  .array(
    fc.record({
      price: fc.integer({ min: 1, max: 3 }),
      isNewMs: fc.boolean(),
      brought: fc.array(fc.option(fc.nat({ max: 300 }), { freq: 4 }), { minLength: 3, maxLength: 3 }),
      twice: fc.nat({ max: 15 }).map(chance => chance === 0),
    }),
    { maxLength: 40 },
  )
  .map(events => {
    const rows: Received[] = []
    let madeUs = 1_790_000_000_000_000
    const [seqs, last] = [new Map<string, number>(), new Map<string, number>()]
    for (const [event, { price, isNewMs, brought, twice }] of events.entries()) {
      if (isNewMs) madeUs += 1000
      for (const [at, lateUs] of brought.entries()) {
        if (lateUs === null) continue
        const conn = `d${at + 1}`
        // A connection keeps the order of its exchange.
        const recvUs = Math.max(madeUs + lateUs, last.get(conn) ?? 0)
        last.set(conn, recvUs)
        for (let time = 0; time < (twice ? 2 : 1); time++) {
          const seq = (seqs.get(conn) ?? 0) + 1
          seqs.set(conn, seq)
          rows.push({ conn, seq, recvUs, event, price, madeUs })
        }
      }
    }
    return rows
  })

const folder = memoryFolder(t)
const engine = await openEngine({ memoryMiB: 256, threads: 1, spillFolder: folder })
t.teardown(() => engine.close())

const rowsSql = (rows: readonly Received[]) =>
  `SELECT make_timestamptz(recv) AS recv_ts, make_timestamptz(made) AS exchange_ts, 'BTC-PERPETUAL' AS instrument_name, conn, seq::BIGINT AS seq,
    'live' AS source, price::DOUBLE AS price, event::BIGINT AS trade_seq, event::VARCHAR AS trade_id, 1::BIGINT AS row_no
    FROM (VALUES ${rows.map(({ conn, seq, recvUs, event, price, madeUs }) => `(${recvUs}, ${madeUs}, '${conn}', ${seq}, ${price}, ${event})`).join(', ')})
    AS t(recv, made, conn, seq, price, event)`

/** Trades have a number each; quotes are known by what they say. */
const without = (identity: Identity) => (identity === BY_TRADE ? '' : ' EXCLUDE (trade_seq, trade_id)')

async function survivors(
  identity: Identity,
  rows: readonly Received[],
  files: { path: string; origin: string }[] = [],
) {
  if (rows.length === 0) return { kept: [] as string[], dropped: { rows: 0, frames: 0 } }
  await engine.run(`CREATE OR REPLACE TABLE staged AS SELECT *${without(identity)} FROM (${rowsSql(rows)})`)
  const columns = await columnsOf(engine, 'staged')
  const unreadable: string[] = []
  const dropped = await dropDuplicates(engine, {
    ...{ identity, columns, origin: 'h/r1/', candidateFiles: files, windowMs: WINDOW_MS },
    onUnreadable: path => unreadable.push(path),
  })
  assert.deepEqual(unreadable, [])
  const kept = await engine.rows('SELECT conn, seq FROM staged ORDER BY 1, 2')
  assert.equal(kept.length + dropped.rows, rows.length, 'each row is kept or counted')
  assert.equal(dropped.frames, dropped.rows, 'of frames with one row each')
  return { kept: kept.map(([conn, seq]) => `${String(conn)} ${String(seq)}`), dropped }
}

const payloadOf = ({ price, madeUs }: Received) => `${madeUs} ${price}`

/** What was told: of numbered events each; of others, so often as one connection brought the like of it. */
function told(identity: Identity, rows: readonly Received[]): Map<string, number> {
  const counts = new Map<string, number>()
  if (identity === BY_TRADE) for (const { event } of rows) counts.set(String(event), 1)
  else
    for (const conn of new Set(rows.map(({ conn }) => conn)))
      for (const [payload, own] of groupBy(
        rows.filter(row => row.conn === conn),
        payloadOf,
      ))
        counts.set(payload, Math.max(counts.get(payload) ?? 0, own.length))
  return counts
}

for (const [name, identity] of [
  ['numbers', BY_TRADE],
  ['what they say', BY_PAYLOAD],
] as const) {
  // prettier-ignore
  const keyOf = (row: Received) => (identity === BY_TRADE ? String(row.event) : payloadOf(row))
  const countsOf = (rows: readonly Received[]) => new Map([...groupBy(rows, keyOf)].map(([key, own]) => [key, own.length])) // prettier-ignore
  const sorted = (counts: Map<string, number>) => [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
  const keptOf = (rows: readonly Received[], kept: readonly string[]) =>
    rows.filter(({ conn, seq }) => kept.includes(`${conn} ${seq}`))

  t.test(`events known by ${name} are kept once, however many connections brought them, in any order`, async t => {
    await holds(
      t,
      fc.asyncProperty(market, fc.infiniteStream(fc.nat()), async (rows, dice) => {
        const { kept } = await survivors(identity, rows)
        const left = keptOf(rows, kept)
        assert.deepEqual(sorted(countsOf(left)), sorted(told(identity, rows)))
        for (const row of left) {
          const earlier = rows.filter(other => keyOf(other) === keyOf(row) && other.recvUs < row.recvUs)
          if (identity === BY_TRADE) assert.deepEqual(earlier, [], 'the copy that was received first stays')
        }
        const mixed = rows
          .map(row => [dice.next().value, row] as const)
          .sort(([a], [b]) => a - b)
          .map(([, row]) => row)
        assert.deepEqual((await survivors(identity, mixed)).kept, kept, 'in whatever order the rows come')
        if (identity === BY_TRADE)
          assert.deepEqual((await survivors(identity, left)).kept, kept, 'and nothing more is taken for a copy')
      }),
      { numRuns: 25 },
    )
  })

  t.test(`events known by ${name} are kept once over files that are there already`, async t => {
    await holds(
      t,
      fc.asyncProperty(market, async rows => {
        const isFirst = ({ conn }: Received) => conn === 'd1'
        const [earlier, later] = [rows.filter(isFirst), rows.filter(row => !isFirst(row))]
        const { kept } = await survivors(identity, earlier)
        const there = keptOf(earlier, kept)
        const path = join(folder, 'earlier.parquet')
        if (there.length > 0)
          await engine.run(`COPY (SELECT * EXCLUDE (row_no) FROM (SELECT *${without(identity)} FROM (${rowsSql(there)}))) TO '${path}' (FORMAT parquet)`) // prettier-ignore
        const files = there.length > 0 ? [{ path, origin: 'other/r9/' }] : []
        const more = keptOf(later, (await survivors(identity, later, files)).kept)
        assert.deepEqual(sorted(countsOf([...there, ...more])), sorted(told(identity, rows)))
      }),
      { numRuns: 25 },
    )
  })
}
