import t from 'tap'
import { deribit } from '../../exchanges/deribit/main.js'
import { commonFamilies } from '../../exchanges/family.js'
import { compactOnce, rowsOf } from './fixtures/compacted.js'
import { samples } from './fixtures/every-table.js'
import { answer, linesOf, subscription } from './fixtures/samples/sample.js'
import { capturedFrames, framesMissing, sealSegment } from './fixtures/segments.js'

t.test('every table has a sample', async t => {
  const families = new Set(samples.map(({ family }) => family))
  t.same(
    [...deribit.families, ...commonFamilies].filter(family => 'table' in family && !families.has(family.name)),
    [],
  )
})

t.test('rows of every table, and a malformed line of each in quarantine', async t => {
  const dataDir = t.testdir()
  for (const [index, sample] of samples.entries()) {
    const lines = linesOf(sample)
    const broken = Buffer.from(lines[0]?.toString().slice(0, -5) ?? '')
    sealSegment(dataDir, sample.family, [...lines, broken], { number: index + 1 })
  }
  t.match(await compactOnce(dataDir), { segments: samples.length, failed: 0, quarantined: samples.length })
  for (const { family, table, conn = 'd1', rows: wanted } of samples) {
    const rows = (await rowsOf(dataDir, table)).filter(row => row['conn'] === conn)
    t.equal(rows.length, wanted.length, `${family}: rows`)
    wanted.forEach((values, index) => {
      const found = Object.fromEntries(Object.keys(values).map(name => [name, rows[index]?.[name]]))
      t.strictSame(found, values, `${family} ${index + 1}`)
    })
  }
})

t.test('captured frames without a sample of their own', { skip: framesMissing }, async t => {
  const files = {
    'chart.trades': 'chart_trades.jsonl',
    'markprice.options': 'markprice_options.jsonl',
    platform_state: 'platform_state.jsonl',
    incremental_ticker: 'incremental_ticker.jsonl',
    book_grouped: 'book_grouped.jsonl',
    instruments: 'rest_get_instruments.jsonl.zst',
  }
  const dataDir = t.testdir()
  Object.entries(files).forEach(([family, file], index) => {
    sealSegment(dataDir, family, linesOf({ frames: capturedFrames(file) }), { number: index + 1 })
  })
  const summary = await compactOnce(dataDir)
  t.match(summary, {
    failed: 0,
    quarantined: 0,
    rows: { candles: 1, option_marks: 2, platform_state: 1, incremental_ticker: 1 },
  })
  t.notOk(summary.rows['frames'], 'nothing is left for frames')
  for (const table of ['candles', 'option_marks', 'platform_state', 'incremental_ticker', 'book_grouped']) {
    const rows = await rowsOf(dataDir, table)
    t.ok(rows.length > 0 && rows.every(row => row['extra'] === null), `${table}: every member has its column`)
  }
  const definitions = capturedFrames(files.instruments).flatMap(
    frame => (JSON.parse(frame) as { result: Record<string, unknown>[] }).result,
  )
  const rows = await rowsOf(dataDir, 'instruments')
  t.equal(rows.length, definitions.length)
  const known = new Set(Object.keys(rows[0] ?? {}))
  t.same(
    [...new Set(definitions.flatMap(Object.keys))].filter(name => !known.has(name) && name !== 'kind'),
    [],
    'columns',
  )
})

t.test('live and backfilled trades, answers and notifications share a segment', async t => {
  const dataDir = t.testdir()
  const [live, filled] = samples.filter(({ family }) => family === 'trades').map(linesOf)
  const error = linesOf({
    conn: 'backfill',
    frames: ['{"jsonrpc":"2.0","id":1,"error":{"code":10028,"message":"too_many_requests"}}'],
  })
  const odd = linesOf({ conn: 'backfill', frames: [answer(1, { trades: 'none' }), answer(2, { trades: [] })] })
  sealSegment(dataDir, 'trades', [...(live ?? []), ...(filled ?? []), ...error, ...odd])
  t.match(await compactOnce(dataDir), { segments: 1, rows: { trades: 6, frames: 1 }, quarantined: 1 })
})

t.test('what an answer says besides its rows stays with the first', async t => {
  const dataDir = t.testdir()
  const filled = samples.find(({ conn }) => conn === 'backfill')
  sealSegment(dataDir, 'trades', linesOf({ conn: 'backfill', frames: filled?.frames ?? [] }))
  await compactOnce(dataDir)
  const [first] = await rowsOf(dataDir, 'trades')
  t.match(JSON.parse(String(first?.['extra'])), {
    envelope: { id: 'backfill 5', usIn: 1790133840887001, usOut: 1790133840887451, result: { has_more: false } },
  })
})

t.test('a new member in a list of thousands costs no minutes', async t => {
  const dataDir = t.testdir()
  const marks = Array.from({ length: 5000 }, (_, index) => ({
    timestamp: 1790133840887,
    instrument_name: `BTC-25SEP26-${index}-C`,
    mark_price: 1,
    iv: 0.5,
    brand_new: index,
  }))
  sealSegment(
    dataDir,
    'markprice.options',
    linesOf({ frames: Array.from({ length: 4 }, () => subscription('markprice.options.btc_usd', marks)) }),
  )
  t.match(await compactOnce(dataDir), { rows: { option_marks: 20_000 }, quarantined: 0 })
  const rows = await rowsOf(dataDir, 'option_marks')
  t.equal(rows.find(row => row['instrument_name'] === 'BTC-25SEP26-77-C')?.['extra'], '{"brand_new":77}')
})

const ticker = (fields: string) =>
  `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"ticker.X.raw","data":{"timestamp":1790133840887,"instrument_name":"BTC-PERPETUAL",${fields}}}}`

t.test('numbers that are none, or too large, are NULL and kept as they came', async t => {
  const cases: [string, string, unknown, unknown][] = [
    ['"mark_iv":1000.0', 'mark_iv', 1000, null],
    ['"mark_iv":1e308', 'mark_iv', 1e308, null],
    ['"mark_iv":1e999', 'mark_iv', null, { mark_iv: '1e999' }],
    ['"mark_iv":"NaN"', 'mark_iv', null, { mark_iv: 'NaN' }],
    ['"mark_iv":"-Infinity"', 'mark_iv', null, { mark_iv: '-Infinity' }],
    ['"mark_iv":"high"', 'mark_iv', null, { mark_iv: 'high' }],
    ['"mark_iv":null', 'mark_iv', null, null],
    ['"mark_iv":{"a":1}', 'mark_iv', null, { mark_iv: { a: 1 } }],
    ['"greeks":{"delta":"NaN","gamma":1e-9}', 'greeks_gamma', 1e-9, { greeks: { delta: 'NaN' } }],
    ['"mark_iv":1.5,"bid_iv":"NaN"', 'mark_iv', 1.5, { bid_iv: 'NaN' }],
  ]
  const dataDir = t.testdir()
  sealSegment(dataDir, 'ticker', linesOf({ frames: cases.map(([fields]) => ticker(fields)) }))
  t.match(await compactOnce(dataDir), { quarantined: 0 })
  const rows = await rowsOf(dataDir, 'ticker')
  cases.forEach(([fields, column, value, extra], index) => {
    t.equal(rows[index]?.[column], value, fields)
    const text = rows[index]?.['extra']
    t.same(typeof text === 'string' ? JSON.parse(text) : null, extra, `${fields}: extra`)
  })
})

t.test('ids beyond 2^63 are kept as they came', async t => {
  const dataDir = t.testdir()
  const trade = (id: string) =>
    `{"trade_seq":1,"trade_id":"${id}","timestamp":1790133840887,"instrument_name":"BTC-PERPETUAL","price":1,"amount":1,"starbase_match_id":${id}}`
  const frame = `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.X","data":[${trade('225046781992378369')},${trade('99999999999999999999')}]}}`
  sealSegment(dataDir, 'trades', linesOf({ frames: [frame] }))
  await compactOnce(dataDir)
  const rows = await rowsOf(dataDir, 'trades')
  t.equal(rows[0]?.['starbase_match_id'], 225046781992378369n)
  t.equal(rows[1]?.['starbase_match_id'], null)
  t.match(rows[1]?.['extra'], /"starbase_match_id":99999999999999999999/)
})

t.test('a whole number that comes with a fraction is not rounded: NULL, and kept as it came', async t => {
  const cases: [string, unknown, unknown][] = [
    ['7', 7n, undefined],
    ['7.0', 7n, undefined],
    ['1e3', 1000n, undefined],
    ['"7"', 7n, undefined],
    ['7.5', null, 7.5],
    ['-0.5', null, -0.5],
    ['"7.5"', null, '7.5'],
    ['" 7.5"', null, ' 7.5'],
    ['true', null, true],
    ['225046781992378369', 225046781992378369n, undefined],
  ]
  const trade = (value: string, id: number) =>
    `{"trade_seq":1,"trade_id":"${id}","timestamp":1790133840887,"instrument_name":"BTC-PERPETUAL","price":1,"amount":1,"tick_direction":${value}}`
  const level = (value: string) =>
    `{"type":"change","timestamp":1790133840887,"instrument_name":"BTC-PERPETUAL","change_id":${value},"prev_change_id":1,"bids":[["new",1,1]],"asks":[]}`
  const dataDir = t.testdir()
  const escaped = (text: string) => text.replace('"tick_d', '"tick\\u005fd').replace('"change_i', '"change\\u005fi')
  cases.push(...cases.map(([value, ...wanted]): (typeof cases)[number] => [`${value} `, ...wanted]))
  const spelled = (value: string, text: string) => (value.endsWith(' ') ? escaped(text) : text)
  const trades = subscription('trades.X', 'DATA').replace(
    '"DATA"',
    () => `[${cases.map(([value], id) => spelled(value, trade(value, id))).join()}]`,
  )
  sealSegment(dataDir, 'trades', linesOf({ frames: [trades] }), { number: 1 })
  // Of one channel, equal numbers of changes are copies; what has no number is none.
  const books = cases.map(([value, , kept], index) =>
    subscription(`book.${kept === undefined ? index : 'X'}`, 'DATA').replace('"DATA"', () =>
      spelled(value, level(value)),
    ),
  )
  sealSegment(dataDir, 'book', linesOf({ frames: books }), { number: 2 })
  t.match(await compactOnce(dataDir), { quarantined: 0, failed: 0 })
  for (const [table, column] of [
    ['trades', 'tick_direction'],
    ['book', 'change_id'],
  ] as const) {
    const rows = await rowsOf(dataDir, table)
    t.equal(rows.length, cases.length, table)
    cases.forEach(([value, wanted, kept], index) => {
      t.equal(rows[index]?.[column], wanted, `${table}: ${value}`)
      const text = rows[index]?.['extra']
      const extra = typeof text === 'string' ? (JSON.parse(text) as Record<string, unknown>) : {}
      t.equal(extra[column], kept, `${table}: ${value} in extra`)
    })
  }
})
