/** Rows of files for NautilusTrader, read back from their bytes, against the rows that they were made of. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { exports } from '../../../exchanges/deribit/export.js'
import { exchangeNamed } from '../../../exchanges/registry.js'
import { openDuckDb, sqlText } from '../../../platform/duckdb.js'
import { fixedBytes } from '../../../reader/export/fixed-point.js'
import { nautilusId, precisionOf, writeNautilus, type NautilusType } from '../../../reader/export/nautilus.js'
import type { ExportSource } from '../../../reader/export/source.js'

const NAME = 'BTC-PERPETUAL'
const START_US = Date.UTC(2026, 10, 22, 14) * 1000
const SPAN = { fromUs: START_US, toUs: START_US + 7200e6 }

const connection = await openDuckDb()
t.teardown(() => connection.closeSync())

const { names } = exchangeNamed('deribit')
const source = {
  ...{ root: '', exchange: 'deribit', names, exports, onProblem: () => undefined },
  session: { ask: (_: string, action: (of: typeof connection) => unknown) => action(connection) },
} as unknown as ExportSource

const COMMON = `'deribit' AS exchange, 'perpetual' AS kind, 'BTC' AS currency, DATE '2026-11-22' AS "date"`
const at = (us: number | string) => `make_timestamptz(${us})`

/** Makes a table of what a statement gives. */
const fill = (table: string, sql: string) => connection.run(`CREATE OR REPLACE TABLE ${table} AS ${sql}`)

async function written(type: NautilusType, precision = { price: 1, size: 0 }) {
  const path = join(t.testdir({}), `${type}.parquet`)
  let advanced = 0
  const file = { ...SPAN, instruments: [NAME], instrument: NAME, advance: (rows: number) => void (advanced += rows) }
  const { rows, notes } = await writeNautilus(path, type, source, file, precision)
  const reader = await connection.runAndReadAll(`SELECT * FROM read_parquet(${sqlText(path)})`)
  const list = reader.getRowObjects()
  t.equal(rows, list.length, 'as many rows as it says')
  t.equal(advanced, list.length)
  return { path, notes, list, columns: reader.columnNames() }
}

/** A fixed-point number as the file has it. */
const hex = (value: unknown) => Buffer.from((value as { bytes: Uint8Array }).bytes).toString('hex')
const fixedHex = (value: number) => Buffer.from(fixedBytes(value)).toString('hex')

interface Trade {
  id: string
  side: string
  price: number
  amount: number
  madeUs: number
  recvUs: number
}

const tradeSql = ({ id, side, price, amount, madeUs, recvUs }: Trade, seq: number, by = 'live') =>
  `SELECT ${COMMON}, ${sqlText(NAME)} AS instrument_name, ${at(recvUs)} AS recv_ts, ${at(madeUs)} AS exchange_ts,
   ${sqlText(by)} AS source, ${seq} AS seq, ${seq} AS trade_seq, ${sqlText(id)} AS trade_id, ${sqlText(side)} AS direction,
   ${price}::DOUBLE AS price, ${amount}::DOUBLE AS amount`

t.test('a trade is the trade that was recorded, in the order of receipt, whatever it says', async t => {
  const trade = fc.record({
    id: fc.string({ maxLength: 12 }),
    side: fc.constantFrom('buy', 'sell'),
    price: fc.nat({ max: 2_000_000 }).map(half => half / 2),
    amount: fc
      .tuple(fc.nat({ max: 1e9 }), fc.nat({ max: 8 }))
      .map(([digits, places]) => Number(`${digits}e-${places}`)),
    madeUs: fc.nat({ max: 7000e6 }).map(us => START_US + us),
    lateUs: fc.nat({ max: 100e6 }),
  })
  const trades = fc
    .sample(trade, { numRuns: 120, seed: 22 })
    .map(({ lateUs, ...one }) => ({ ...one, recvUs: one.madeUs + lateUs }))
  await fill('trades', trades.map((one, n) => tradeSql(one, n)).join(' UNION ALL '))
  const { list, columns } = await written('trade_tick')
  t.same(columns, ['price', 'size', 'aggressor_side', 'trade_id', 'ts_event', 'ts_init'])
  const wanted = trades
    .map((one, n) => ({ ...one, n }))
    .sort((a, b) => a.recvUs - b.recvUs || a.n - b.n)
    .map(({ id, side, price, amount, madeUs, recvUs }) => ({
      ...{ price: fixedHex(price), size: fixedHex(amount), aggressor_side: side === 'buy' ? 1 : 2, trade_id: id },
      ...{ ts_event: BigInt(madeUs) * 1000n, ts_init: BigInt(recvUs) * 1000n },
    }))
  t.same(
    list.map(row => ({ ...row, price: hex(row['price']), size: hex(row['size']) })),
    wanted,
  )
})

t.test('what was fetched later stands where it would have come, and what is of no such time does not', async t => {
  const one = { side: 'buy', price: 1, amount: 1 }
  const rows = [
    tradeSql({ ...one, id: 'before', madeUs: START_US - 2, recvUs: START_US - 1 }, 0),
    tradeSql({ ...one, id: 'first', madeUs: START_US - 1, recvUs: START_US }, 1),
    tradeSql({ ...one, id: 'last', madeUs: SPAN.toUs, recvUs: SPAN.toUs - 1 }, 2),
    tradeSql({ ...one, id: 'after', madeUs: SPAN.toUs - 1, recvUs: SPAN.toUs }, 3),
    tradeSql({ ...one, id: 'fetched', madeUs: START_US + 5, recvUs: SPAN.toUs + 3600e6 }, 4, 'backfill'),
    tradeSql({ ...one, id: 'fetched too early', madeUs: START_US - 5, recvUs: START_US + 5 }, 5, 'backfill'),
  ]
  await fill('trades', rows.join(' UNION ALL '))
  const { list } = await written('trade_tick')
  t.same(
    list.map(row => [row['trade_id'], row['ts_init']]),
    [
      ['first', BigInt(START_US) * 1000n],
      ['fetched', BigInt(START_US + 5) * 1000n],
      ['last', BigInt(SPAN.toUs - 1) * 1000n],
    ],
  )
})

t.test('quotes that lack a side are left out, counted, and the others have their sides', async t => {
  await fill(
    'quote',
    `SELECT ${COMMON}, ${sqlText(NAME)} AS instrument_name, ${at(`${START_US} + 1000 * n`)} AS recv_ts,
     ${at(`${START_US} + 1000 * n - 7`)} AS exchange_ts, 'live' AS source, n AS seq,
     CASE WHEN n % 5 = 0 THEN 0.0 ELSE 100.5 + n END AS best_ask_price, CASE WHEN n % 5 = 0 THEN 0.0 ELSE 10.0 END AS best_ask_amount,
     CASE WHEN n % 7 = 0 THEN 0.0 ELSE 100.0 + n END AS best_bid_price, CASE WHEN n % 7 = 0 THEN 0.0 ELSE 20.0 END AS best_bid_amount
     FROM range(1, 71) v(n)`,
  )
  const { list, notes } = await written('quote_tick')
  const whole = Array.from({ length: 70 }, (_, n) => n + 1).filter(n => n % 5 !== 0 && n % 7 !== 0)
  t.same(notes, { left_out_without_both_sides: 70 - whole.length })
  t.same(
    list.map(row => [
      hex(row['bid_price']),
      hex(row['ask_price']),
      hex(row['bid_size']),
      hex(row['ask_size']),
      row['ts_event'],
    ]),
    whole.map(n => [
      fixedHex(100 + n),
      fixedHex(100.5 + n),
      fixedHex(20),
      fixedHex(10),
      BigInt(START_US + 1000 * n - 7) * 1000n,
    ]),
  )
})

t.test('a file says whose it is and how precise, in the form that the catalog reads', async t => {
  await fill(
    'trades',
    tradeSql({ id: 'a', side: 'sell', price: 0.5, amount: 3, madeUs: START_US, recvUs: START_US }, 0),
  )
  const { path, list } = await written('trade_tick', { price: 4, size: 2 })
  t.equal(list.length, 1)
  const said = await connection.runAndReadAll(
    `SELECT decode(key), decode(value) FROM parquet_kv_metadata(${sqlText(path)}) ORDER BY 1`,
  )
  t.same(said.getRows(), [
    ['instrument_id', 'BTC-PERPETUAL.DERIBIT'],
    ['price_precision', '4'],
    ['size_precision', '2'],
  ])
  t.equal(nautilusId(source, NAME), 'BTC-PERPETUAL.DERIBIT')
  const schema = await connection.runAndReadAll(
    `SELECT name, type, type_length, repetition_type FROM parquet_schema(${sqlText(path)}) WHERE num_children IS NULL`,
  )
  const types = new Map(schema.getRows().map(([name, ...more]) => [name, more]))
  t.same(types.get('price')?.slice(0, 1), ['FIXED_LEN_BYTE_ARRAY'])
  t.equal(Number(types.get('price')?.[1]), 16)
  t.ok(
    [...types.values()].every(([, , repetition]) => repetition === 'REQUIRED'),
    'nothing may be missing',
  )
  t.equal(readFileSync(path).subarray(-4).toString(), 'PAR1')
})

t.test('more rows than wait in memory, and none at all', async t => {
  const many = 45_001
  await fill(
    'trades',
    `SELECT * EXCLUDE (n) REPLACE (${at(`${START_US} + n`)} AS recv_ts, n AS seq, n::VARCHAR AS trade_id)
     FROM (${tradeSql({ id: '', side: 'buy', price: 1, amount: 1, madeUs: START_US, recvUs: 0 }, 0)}) one, range(${many}) v(n)`,
  )
  const { path } = await written('trade_tick')
  const count = (sql: string) => connection.runAndReadAll(sql).then(reader => reader.getRows()[0]?.map(Number))
  const from = `FROM read_parquet(${sqlText(path)})`
  t.same(await count(`SELECT count(*), count(DISTINCT trade_id), max(trade_id::INT) ${from}`), [many, many, many - 1])
  t.same(await count(`SELECT count(*) ${from} WHERE ts_init <> (${START_US} + trade_id::BIGINT) * 1000`), [0])
  await connection.run('DELETE FROM trades')
  t.same((await written('trade_tick')).list, [], 'a file all the same')
})

t.test('decimals are those of the steps, or of what is there where that is finer', async t => {
  for (const [what, steps, trades, precision] of [
    ['steps alone', [0.5, 10], [100, 10], { price: 1, size: 0 }],
    ['a price finer than its step', [0.5, 10], [100.0625, 10], { price: 4, size: 0 }],
    ['an amount finer than its step', [0.5, 1], [100, 0.001], { price: 1, size: 3 }],
    ['no step is known', [undefined, undefined], [100.25, 2.5], { price: 2, size: 1 }],
    ['a step of nothing', [0, 0], [100, 1], { price: 0, size: 0 }],
    ['tiny ones', [0.0000005, 1e-8], undefined, { price: 7, size: 8 }],
    ['nothing is known', [undefined, undefined], undefined, { price: 0, size: 0 }],
  ] as const) {
    const [tick, step] = steps.map(value => (value === undefined ? 'NULL' : String(value)))
    await fill(
      'instruments',
      `SELECT ${COMMON}, ${sqlText(NAME)} AS instrument_name, ${at('0')} AS recv_ts, 99::DOUBLE AS tick_size, 99::DOUBLE AS min_trade_amount
       UNION ALL SELECT ${COMMON}, ${sqlText(NAME)}, ${at('1')}, ${tick}, ${step}`,
    )
    if (tick === 'NULL') await connection.run('DELETE FROM instruments')
    const [price, amount] = trades ?? [0, 0]
    await fill('trades', tradeSql({ id: 'a', side: 'buy', price, amount, madeUs: START_US, recvUs: START_US }, 0))
    if (!trades) await connection.run('DELETE FROM trades')
    t.same(await precisionOf(source, NAME), precision, what)
  }
})
