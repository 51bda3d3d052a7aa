/** What rows of each exchange are in formats of other programs, by SQL over a few rows of its tables. */
import t, { type Test } from 'tap'
import type { DuckDBConnection } from '@duckdb/node-api'
import { exports as exportsOfBybit } from '../../exchanges/bybit/export.js'
import { exports as exportsOfDeribit } from '../../exchanges/deribit/export.js'
import { EXPORTED_ROWS, type ExportRows } from '../../exchanges/export.js'
import { exports as exportsOfOkx } from '../../exchanges/okx/export.js'
import { exchanges } from '../../exchanges/registry.js'
import { openDuckDb } from '../../platform/duckdb.js'

type Row = Readonly<Record<string, string | number | null>>
const DATE = '2026-11-22'
const literal = (value: Row[string]) => (typeof value === 'string' ? `'${value}'` : String(value))

/** A table of these rows, each received so many seconds after noon; members that a row has not are NULL. */
async function tableOf(db: DuckDBConnection, table: string, rows: readonly [second: number, row: Row][]) {
  const columns = [...new Set(rows.flatMap(([, row]) => Object.keys(row)))]
  const values = rows.map(([second, row]) => {
    const at = `TIMESTAMPTZ '${DATE} 12:00:00' + INTERVAL ${second} SECOND`
    const own = columns.map(name => `${literal(row[name] ?? null)} AS "${name}"`).join(', ')
    return `SELECT 'x' AS exchange, 'k' AS kind, 'c' AS currency, DATE '${DATE}' AS "date", ${at} AS recv_ts, ${at} AS exchange_ts,
      'd1' AS conn, ${second}::BIGINT AS seq, NULL::VARCHAR AS source, ${own}`
  })
  await db.run(`CREATE OR REPLACE TABLE ${table} AS ${values.join(' UNION ALL ')}`)
}

/** The columns of each row, in the order of time and name. */
async function rowsOf(db: DuckDBConnection, { table, from, columns, where = 'true' }: ExportRows, schema: string) {
  const source = from ? `(${from(`"date" = DATE '${DATE}'`)})` : `${schema}.${table}`
  const texts = columns.map(column => `(${column})::VARCHAR`).join(', ')
  const sql = `SELECT instrument_name, ${texts} FROM ${source} WHERE ${where} ORDER BY seq, instrument_name`
  return (await db.runAndReadAll(sql)).getRows()
}

async function opened(t: Test, schema: string) {
  const db = await openDuckDb()
  t.teardown(() => db.closeSync())
  await db.run(`CREATE SCHEMA ${schema}`)
  return db
}

t.test('OKX: a contract that is paid in USD had no index price: its index is that of its pair', async t => {
  const db = await opened(t, 'okx')
  const swaps = ['BTC-USD_UM-SWAP', 'BTC-USD-SWAP', 'BTC-USDC-SWAP', 'BTC-USDT-SWAP', 'BTC-USD_UM-261225']
  const of = (second: number, name: string, more: Row): [number, Row] => [second, { instrument_name: name, ...more }]
  await tableOf(db, 'okx.ticker', swaps.map(name => of(10, name, { last: 90_000 }))) // prettier-ignore
  await tableOf(db, 'okx.mark_price', [of(11, 'BTC-USD-SWAP', { markPx: 90_001 })])
  await tableOf(db, 'okx.open_interest', [of(12, 'BTC-USD-SWAP', { oi: 0 })])
  await tableOf(db, 'okx.funding_rate', [
    of(13, 'BTC-USD-SWAP', { fundingTime: 1_700_000_000_000, fundingRate: 0.0001, nextFundingRate: null }),
  ])
  await tableOf(db, 'okx.price_index', [
    of(1, 'BTC-USD', { idxPx: 1 }),
    of(9, 'BTC-USD', { idxPx: 90_010 }),
    of(9, 'BTC-USDT', { idxPx: 90_020 }),
    of(99, 'BTC-USD', { idxPx: 99 }),
  ])
  const { derivative_ticker: ticker } = exportsOfOkx('perpetual').rows
  if (!ticker) throw new Error('a perpetual has tickers')
  const rows = await rowsOf(db, ticker, 'okx')
  const indexOf = new Map(rows.slice(0, 5).map(([name, , , , , last, index]) => [name, [last, index].map(Number)]))
  const usd = [90_000, 90_010]
  t.same(indexOf, new Map([
    ['BTC-USD-SWAP', usd], ['BTC-USDC-SWAP', usd], ['BTC-USDT-SWAP', [90_000, 90_020]],
    ['BTC-USD_UM-261225', usd], ['BTC-USD_UM-SWAP', usd],
  ]), 'the last that came before') // prettier-ignore
  const told = rows.slice(5).map(([, ...values]) => values.map(value => (value === null ? null : Number(value))))
  t.same(told, [
    [null, null, null, null, null, 90_010, 90_001],
    [null, null, null, null, null, 90_010, null],
    [1.7e15, 0.0001, null, null, null, 90_010, null],
  ], 'each channel tells its own; an open interest of 0 is none') // prettier-ignore
})

t.test('OKX: an option has what several channels told of it by then, each of its own family', async t => {
  const db = await opened(t, 'okx')
  const name = 'BTC-USD_UM-261225-90000-P'
  const other = 'BTC-USD-261225-90000-C'
  const of = (second: number, instrument: string, more: Row): [number, Row] => [second, { instrument_name: instrument, ...more }] // prettier-ignore
  const greeks = { bidVol: 0, askVol: 0.6, markVol: 0.55, delta: -0.5, gamma: 1, vega: 2, theta: -3, uly: 'BTC-USD' }
  await tableOf(db, 'okx.option_summary', [of(10, name, greeks), of(10, other, greeks), of(20, name, greeks)])
  const bid = { last: 0.02, bidPx: 0.019, bidSz: 5, askPx: 0, askSz: 0 }
  await tableOf(db, 'okx.ticker', [of(15, name, bid), of(16, other, { ...bid, last: 0.5 })])
  await tableOf(db, 'okx.mark_price', [of(9, name, { markPx: 0.021 }), of(21, name, { markPx: 9 })])
  await tableOf(db, 'okx.open_interest', [of(5, other, { oi: 7 })])
  await tableOf(db, 'okx.price_index', [of(5, 'BTC-USD', { idxPx: 90_500 })])
  const { options_chain: chain } = exportsOfOkx('option').rows
  if (!chain) throw new Error('options have a chain')
  const rows = (await rowsOf(db, chain, 'okx')).map(row =>
    row.map(value => (value !== null && Number.isFinite(Number(value)) ? Number(value) : value)),
  )
  const endUs = Date.UTC(2026, 11, 25, 8) * 1000
  const put = ['put', 90_000, endUs]
  const behind = ['BTC-USD', 90_500, -0.5, 1, 2, -3, null]
  const nothing = [null, null, null, null, null]
  t.same(rows, [
    [other, 'call', 90_000, endUs, 7, null, null, null, null, null, null, 0.6, null, 0.55, ...behind],
    [name, ...put, ...nothing, null, null, 0.6, 0.021, 0.55, ...behind],
    [name, ...put, null, 0.02, 0.019, 5, null, null, null, 0.6, 0.021, 0.55, ...behind],
  ]) // prettier-ignore
})

t.test("Bybit: an option's end, strike and side stand in its name, of one that settles in USDT, too", async t => {
  const db = await opened(t, 'bybit')
  const zeros = { open_interest: 0, last_price: 0, bid_price: 0, bid_size: 0, bid_iv: 0, ask_price: 5, ask_size: 1 }
  const greeks = {
    ask_iv: 0.4,
    mark_price: 4,
    mark_price_iv: 0.3,
    underlying_price: 2,
    delta: 1,
    gamma: 0,
    vega: 0,
    theta: 0,
  }
  const names = ['BTC-7AUG26-106000-P-USDT', 'XRP-26DEC25-0.4-C', 'ETH-29FEB28-4000-P', 'BTCUSDT']
  const of = (name: string, at: number): [number, Row] => [at, { instrument_name: name, ...zeros, ...greeks }]
  await tableOf(db, 'bybit.ticker', names.map(of))
  await db.run(
    `UPDATE bybit.ticker SET kind = CASE WHEN instrument_name = 'BTCUSDT' THEN 'perpetual' ELSE 'option' END`,
  )
  const { options_chain: chain } = exportsOfBybit('option').rows
  if (!chain) throw new Error('options have a chain')
  const rows = await rowsOf(db, chain, 'bybit')
  const endUs = (...day: [number, number, number]) => String(Date.UTC(...day, 8) * 1000)
  t.same(rows.map(([name, side, strike, end]) => [name, side, Number(strike), end]), [
    ['BTC-7AUG26-106000-P-USDT', 'put', 106_000, endUs(2026, 7, 7)],
    ['XRP-26DEC25-0.4-C', 'call', 0.4, endUs(2025, 11, 26)],
    ['ETH-29FEB28-4000-P', 'put', 4000, endUs(2028, 1, 29)],
  ]) // prettier-ignore
  t.same(rows[0]?.slice(4, 12).map(value => value !== null), [false, false, false, false, false, true, true, true], 'an empty side has no price') // prettier-ignore
})

t.test('the side of a liquidation is that of the order that closed the position', async t => {
  const bybit = await opened(t, 'bybit')
  const of = (at: number, more: Row): [number, Row] => [at, { instrument_name: 'BTCUSDT', price: 1, size: 1, ...more }]
  await tableOf(bybit, 'bybit.liquidations', [of(1, { side: 'Buy' }), of(2, { side: 'Sell' })])
  const ofBybit = exportsOfBybit('perpetual').rows.liquidations
  if (!ofBybit) throw new Error('perpetuals are liquidated')
  t.same(
    (await rowsOf(bybit, ofBybit, 'bybit')).map(row => row[2]),
    ['sell', 'buy'],
    "Bybit's is the position's",
  )
  t.equal(exportsOfBybit('spot').rows.liquidations, undefined)

  const deribit = await opened(t, 'deribit')
  const trade = (at: number, direction: string, liquidation: string | null): [number, Row] => [
    at,
    { instrument_name: 'BTC-PERPETUAL', trade_id: String(at), direction, price: 1, amount: 10, liquidation },
  ]
  await tableOf(deribit, 'deribit.trades', [
    ...[trade(1, 'buy', 'T'), trade(2, 'sell', 'T'), trade(3, 'buy', 'M'), trade(4, 'sell', 'M')],
    trade(5, 'buy', null),
  ])
  const ofDeribit = exportsOfDeribit.rows.liquidations
  if (!ofDeribit) throw new Error('Deribit tells of liquidations')
  t.same((await rowsOf(deribit, ofDeribit, 'deribit')).map(row => row[2]), ['buy', 'sell', 'sell', 'buy'], "the taker's, or the maker's; others are no liquidations") // prettier-ignore
})

t.test('what is exported names families and tables that the exchange has, and calls instruments as others do', t => {
  const kinds = ['perpetual', 'future', 'option', 'spot'] as const
  const columnsOf = new Map<string, number>()
  for (const { name, families, exports } of exchanges) {
    if (!exports) continue
    for (const kind of kinds) {
      const { rows, book } = exports(kind)
      for (const type of EXPORTED_ROWS) {
        const row = rows[type]
        if (!row) continue
        t.ok(families.some(one => one.name === row.family && one.table === row.table), `${name} ${kind} ${type}: ${row.family}`) // prettier-ignore
        const count = columnsOf.get(type) ?? row.columns.length
        columnsOf.set(type, count)
        t.equal(row.columns.length, count, `${name} ${kind} ${type} has the columns of its header`)
      }
      t.ok(
        families.some(one => one.name === book.family && one.table === book.table),
        `${name} ${kind} ${book.family}`,
      )
    }
  }
  const bybit = (kind: (typeof kinds)[number], name: string) => exportsOfBybit(kind).nautilusId(name)
  t.same(
    [
      bybit('spot', 'BTCUSDT'),
      bybit('perpetual', 'BTCUSDT'),
      bybit('perpetual', 'BTCUSD'),
      bybit('future', 'BTCUSDZ26'),
      bybit('option', 'BTC-7AUG26-106000-P-USDT'),
    ],
    [
      'BTCUSDT-SPOT.BYBIT',
      'BTCUSDT-LINEAR.BYBIT',
      'BTCUSD-INVERSE.BYBIT',
      'BTCUSDZ26-INVERSE.BYBIT',
      'BTC-7AUG26-106000-P-USDT-OPTION.BYBIT',
    ],
  )
  t.same(
    kinds.map(kind => [exportsOfOkx(kind).tardisName, exportsOfBybit(kind).tardisName]),
    [['okex-swap', 'bybit'], ['okex-futures', 'bybit'], ['okex-options', 'bybit-options'], ['okex', 'bybit-spot']], // prettier-ignore
  )
  t.end()
})
