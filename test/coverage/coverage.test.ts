import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { CoverageLine } from '../../coverage/assess.js'
import { verdictOf } from '../../coverage/assess.js'
import { shareOf } from '../../cli/coverage/print.js'
import { dayWindow, measureCoverage } from '../../coverage/measure.js'
import { edgetape } from '../fixtures/cli.js'
import { writeLake, type LakeFile } from '../fixtures/lake.js'
import { wholeRun, writeRun } from '../fixtures/raw-run.js'
import { journal, rows, us } from './fixtures/lake-rows.js'
import { matchAll } from '../fixtures/match-all.js'

/** Long after all that is told here. */
const nowUs = Date.parse('2027-01-01T00:00:00Z') * 1000

const subscribed = journal([
  [
    0,
    'subscribed',
    {
      channels: [
        'trades.BTC-PERPETUAL.100ms',
        'quote.BTC-PERPETUAL',
        'quote.ETH-PERPETUAL',
        'book.BTC-PERPETUAL.100ms',
        'ticker.BTC-27NOV26-60000-C.100ms',
        'ticker.BTC-27NOV26-70000-C.100ms',
        'deribit_price_index.btc_usd',
        'perpetual.BTC-PERPETUAL.100ms',
        'trades.option_combo.BTC.100ms',
      ],
    },
  ],
  [4, 'gap', { from_us: us(3), to_us: us(4.5), cause: 'connection lost' }],
  [10.5, 'stopped', { reason: 'SIGTERM' }],
])

const perpetual = { kind: 'perpetual', currency: 'BTC' }
const option = { kind: 'option', currency: 'BTC' }

const files: LakeFile[] = [
  subscribed,
  // 5 of the 6 trades from 10 to 15; 12 twice, as two connections would bring it.
  {
    table: 'trades',
    ...perpetual,
    sql: rows(
      ['instrument_name', 'trade_seq'],
      [10, 11, 12, 12, 14, 15].map((seq, i) => [i, 'BTC-PERPETUAL', seq]),
    ),
  },
  {
    table: 'quote',
    ...perpetual,
    sql: rows(
      ['instrument_name'],
      [
        [0, 'BTC-PERPETUAL'],
        [1, 'BTC-PERPETUAL'],
      ],
    ),
  },
  {
    table: 'book',
    ...perpetual,
    sql: rows(
      ['instrument_name', 'type', 'change_id', 'prev_change_id'],
      [
        [0, 'BTC-PERPETUAL', 'snapshot', 100, null],
        [0, 'BTC-PERPETUAL', 'snapshot', 100, null],
        [1, 'BTC-PERPETUAL', 'change', 107, 100],
        [1, 'BTC-PERPETUAL', 'change', 107, 100],
        [2, 'BTC-PERPETUAL', 'change', 120, 115],
        [3, 'BTC-PERPETUAL', 'change', 121, 120],
      ],
    ),
  },
  {
    table: 'ticker',
    ...option,
    sql: rows(
      ['instrument_name', 'mark_iv', 'greeks_delta'],
      [
        [0, 'BTC-27NOV26-60000-C', 46, 0.5],
        [1, 'BTC-27NOV26-70000-C', 50, null],
      ],
    ),
  },
  {
    table: 'price_index',
    kind: 'index',
    currency: 'BTC',
    sql: rows(
      ['instrument_name', 'price'],
      Array.from({ length: 11 }, (_, i) => [i, 'btc_usd', 6e4]),
    ),
  },
]

const lineOf = (lines: CoverageLine[], data: string, kind: string) =>
  lines.find(line => line.data === data && line.kind === kind)

t.test('facts against facts', async t => {
  const root = t.testdir()
  await writeLake(root, files)
  const { lines, spans, window, intervals } = await measureCoverage(root, { nowUs })
  t.match(lineOf(lines, 'trades', 'perpetual'), {
    counted: { unit: 'trades', expected: 6, actual: 5 },
    complete: 5 / 6,
    verdict: '❌',
    rows: 6,
  })
  const combos = { counted: undefined, verdict: '❌', rows: 0, complete: 9 / 10.5 }
  t.match(lineOf(lines, 'trades', 'combo'), combos, 'none traded is no loss, the gap is')
  t.match(lineOf(lines, 'quotes', 'perpetual'), { seen: 1, live: 2, complete: 0.5, verdict: '❌', rows: 2 })
  t.match(lineOf(lines, 'book depth', 'perpetual'), {
    counted: { unit: 'linked changes', expected: 3, actual: 2 },
    verdict: '❌',
    rows: 6,
  })
  t.match(lineOf(lines, 'ticker', 'option'), { seen: 2, live: 2, gaps: 1, rows: 2 })
  t.match(lineOf(lines, 'ticker: implied volatility', 'option'), { counted: { expected: 2, actual: 2 } })
  t.match(lineOf(lines, 'ticker: greeks', 'option'), { counted: { expected: 2, actual: 1 }, complete: 0.5 })
  t.match(
    lineOf(lines, 'funding', 'perpetual'),
    { seen: 0, complete: 0, verdict: '❌', rows: 0 },
    'nothing of something',
  )
  t.match(lineOf(lines, 'index price', 'index'), { counted: { unit: 'seconds', expected: 10, actual: 10 }, rows: 11 })
  t.match(lineOf(lines, 'quotes', 'perpetual')?.silence, { fromUs: us(1), toUs: us(10.5) })
  t.same(spans, [{ fromUs: us(0), toUs: us(10.5) }])
  t.same(window.toUs, us(10.5), 'up to the last that was heard')
  matchAll(t, intervals, [
    { gap: 'gap', fromUs: us(3), toUs: us(4.5), conn: 'd1', cause: 'connection lost', filled: false },
  ])
})

t.test('a day knows what the days before subscribed, and what is missing behind the end', async t => {
  const root = t.testdir()
  const next = { date: '2026-11-23' }
  await writeLake(root, [
    journal([
      [0, 'started', { run: 'r1' }],
      [0, 'subscribed', { channels: ['quote.BTC-PERPETUAL'] }],
    ]),
    journal([[86_400, 'stopped', {}]], { ...next, name: '14-h1-r1-2' }),
    { table: 'quote', ...perpetual, sql: rows(['instrument_name'], [[0, 'BTC-PERPETUAL']]) },
    {
      table: 'quote',
      ...perpetual,
      ...next,
      name: '14-h1-r1-2',
      sql: rows(
        ['instrument_name'],
        [
          [80_000, 'BTC-PERPETUAL'],
          [80_001, 'BTC-PERPETUAL'],
        ],
      ),
    },
  ])
  const of = async (date: string) =>
    lineOf((await measureCoverage(root, { window: dayWindow(date), nowUs })).lines, 'quotes', 'perpetual')
  t.match(await of('2026-11-22'), { seen: 1, live: 1, complete: 1, verdict: '✅', rows: 1 })
  t.match(await of('2026-11-23'), { complete: 14 / 24, verdict: '❌', rows: 2, gaps: 1 }, 'stopped at 14:00')
  t.match(await of('2026-11-24'), { complete: 0, verdict: '❌', rows: 0 }, 'a whole day without a recorder')
  t.equal(await of('2026-11-21'), undefined, 'before anything was wanted')
})

t.test('verdicts', t => {
  t.equal(verdictOf(1), '✅')
  t.equal(verdictOf(0.999_999), '⚠️')
  t.equal(verdictOf(0.95), '⚠️')
  t.equal(verdictOf(0.949), '❌')
  t.equal(verdictOf(undefined), '–')
  t.equal(shareOf(0.999_999), '99.9 %', 'never rounded up')
  t.end()
})

t.test('the command prints a table, Markdown or JSON', async t => {
  const root = t.testdir()
  await writeLake(root, files)
  const text = await edgetape(['coverage', root, '--count'])
  t.match(text.stdout, /trades .*perpetual .*5 of 6 trades .*❌ 83\.3 %/)
  t.match(text.stdout, /^1 gap:\n {2}2026-11-22T14:00:03\.000Z {2}1\.5 s {2}gap d1 {2}all: connection lost; missing$/m)
  t.equal(text.exitCode, 0)
  const markdown = await edgetape(['coverage', root, '--count', '--markdown', '--to', '2026-11-22T14:00:10.5'])
  t.match(markdown.stdout, /^\| quotes \| perpetual \| 1 of 2 \| 2 \| [\d.]+ \| 9\.5 s \| 1 \| {2}\| ❌ 50\.0 % \|$/m)
  const json = JSON.parse((await edgetape(['coverage', root, '--count', '--json', '--by', 'instrument'])).stdout) as {
    lines: { data: string; instrument: string }[]
    gaps: unknown[]
  }
  t.match(json.lines[0], { data: 'trades', instrument: 'BTC-PERPETUAL', counted: { expected: 6, actual: 5 } })
  const quotes = json.lines.filter(({ data }) => data === 'quotes')
  matchAll(t, quotes, [
    { instrument: 'BTC-PERPETUAL', rows: 2, complete: 9 / 10.5 },
    { instrument: 'ETH-PERPETUAL', rows: 0, complete: 0 },
  ])
  matchAll(t, json.gaps, [{ from: '2026-11-22T14:00:03.000Z', to: '2026-11-22T14:00:04.500Z', filled: false }])
})

t.test('where nothing is, it says what to do', async t => {
  const root = t.testdir({ raw: {}, parquet: {} })
  const nothing: [args: string[], found: RegExp][] = [
    [[join(root, 'away')], /away is not there\nedgetape: hint: wanted a dataDir/],
    [[root], /holds no file that edgetape wrote\nedgetape: hint: wanted a dataDir/],
  ]
  for (const [args, found] of nothing) {
    const { stdout, stderr, exitCode } = await edgetape(['coverage', ...args])
    t.equal(stdout, '', 'no table')
    t.match(stderr, found)
    t.equal(exitCode, 1)
  }
  writeRun(join(root, 'raw-only'), wholeRun(3))
  const { stderr, exitCode } = await edgetape(['coverage', join(root, 'raw-only'), '--count'])
  t.match(stderr, /^edgetape: no Parquet below .*\nedgetape: hint: edgetape compact --once/, 'only raw')
  t.equal(exitCode, 1)
})

t.test('a day on which nothing was recorded is no day on which all was lost', async t => {
  const root = t.testdir()
  await writeLake(root, files)
  const { stdout, stderr, exitCode } = await edgetape(['coverage', root, '--date', '2026-11-25'])
  t.equal(stdout, '')
  t.match(
    stderr,
    /nothing was recorded \(2026-11-25\): the recorder was stopped\nedgetape: hint: .* has files of 2026-11-22 to 2026-11-22/,
  )
  t.equal(exitCode, 1)
})

t.test('a Parquet file that was cut off is named, and the rest is counted', async t => {
  const root = t.testdir()
  await writeLake(root, files)
  const folder = join(root, 'parquet/exchange=deribit/table=trades/kind=perpetual/currency=BTC/date=2026-11-22')
  const whole = readFileSync(join(folder, '14-h1-r1-1.parquet'))
  const torn = { 'cut off': whole.subarray(0, whole.length - 40), empty: '', garbage: 'PAR1'.repeat(40) + 'x' }
  for (const [what, bytes] of Object.entries(torn)) {
    writeFileSync(join(folder, '15-h1-r1-2.parquet'), bytes)
    const { stdout, stderr, exitCode } = await edgetape(['coverage', root, '--count', '--json'])
    t.match(stderr, /15-h1-r1-2\.parquet is no whole Parquet file/, what)
    t.equal(exitCode, 1)
    const { lines } = JSON.parse(stdout) as { lines: { table: string; rows: number }[] }
    t.equal(lines.find(({ table }) => table === 'trades')?.rows, 6)
    const asked = await edgetape(['query', 'SELECT count(*) AS n FROM trades', '--from', root, '--json'])
    t.match(asked.stderr, /15-h1-r1-2\.parquet is no whole Parquet file.*its rows are in no answer/)
    t.same(JSON.parse(asked.stdout), { n: 6 })
    t.equal(asked.exitCode, 1)
    const verified = await edgetape(['verify', root])
    t.match(verified.stdout, /^fault: .*15-h1-r1-2\.parquet: .*\[UNREADABLE\]/m)
    t.equal(verified.exitCode, 1)
  }
})
