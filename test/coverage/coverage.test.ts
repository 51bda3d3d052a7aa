import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { dayOf, measureAsked } from '../../coverage/account/measure.js'
import { summaryOf } from '../../coverage/account/account-summary.js'
import { shareText } from '../../coverage/account/wording.js'
import { countTables, type CountedLine } from '../../coverage/count-tables.js'
import { exchangeNamed } from '../../exchanges/registry.js'
import { writeRecording } from '../fixtures/made-recording.js'
import { commandHere } from '../fixtures/command-here.js'
import { writeDataset, type DatasetFile } from '../fixtures/dataset.js'
import { wholeRun, writeRun } from '../fixtures/raw-run.js'
import { journal, rows, us } from './fixtures/dataset-rows.js'
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

const files: DatasetFile[] = [
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

const lineOf = <Line extends { data: string; kind: string }>(lines: readonly Line[], data: string, kind: string) =>
  lines.find(line => line.data === data && line.kind === kind)

t.test('what the tables hold, against the numbers that the exchange gave', async t => {
  const root = t.testdir()
  await writeDataset(root, files)
  const count = async (by?: 'hour' | 'instrument') =>
    (await countTables(root, { fromUs: us(0), toUs: us(11) }, by, () => undefined)).lines
  const lines = await count()
  const counted: [data: string, kind: string, wanted: Partial<CountedLine> | undefined][] = [
    ['trades', 'perpetual', { rows: 6, instruments: 1, counted: { unit: 'trades', expected: 6, actual: 5 } }],
    ['trades', 'combo', undefined],
    ['quotes', 'perpetual', { rows: 2, instruments: 1 }],
    ['book depth', 'perpetual', { rows: 6, counted: { unit: 'linked changes', expected: 3, actual: 2 } }],
    ['ticker', 'option', { rows: 2, instruments: 2 }],
    ['ticker: implied volatility', 'option', { counted: { unit: 'instruments', expected: 2, actual: 2 } }],
    ['ticker: greeks', 'option', { rows: 1, counted: { unit: 'instruments', expected: 2, actual: 1 } }],
    ['index price', 'index', { rows: 11 }],
  ]
  for (const [data, kind, wanted] of counted) matchAll(t, lineOf(lines, data, kind), wanted, `${data} ${kind}`)
  t.match(lineOf(await count('hour'), 'trades', 'perpetual'), { hourUs: us(0), counted: { expected: 6, actual: 5 } })
  t.match(lineOf(await count('instrument'), 'book depth', 'perpetual'), {
    instrument: 'BTC-PERPETUAL',
    counted: { expected: 3, actual: 2 },
  })
})

t.test('a day knows what the days before subscribed, and what is missing behind the end', async t => {
  const root = t.testdir()
  const next = { date: '2026-11-23' }
  await writeDataset(root, [
    journal([
      [0, 'started', { run: 'r1' }],
      [0, 'subscribed', { channels: ['quote.BTC-PERPETUAL'] }],
    ]),
    journal([[86_400, 'stopped', {}]], { ...next, name: '14-h1-r1-2' }),
  ])
  const of = async (date: string) => {
    const told = summaryOf(await measureAsked(root, dayOf(date), nowUs), exchangeNamed)
    return { complete: lineOf(told.lines, 'quotes', 'perpetual')?.complete, isEmpty: told.isEmpty }
  }
  t.same(await of('2026-11-22'), { complete: 1, isEmpty: false })
  t.same(await of('2026-11-23'), { complete: 1 - 10 / 24, isEmpty: false }, 'stopped at 14:00')
  t.match(await of('2026-11-24'), { isEmpty: true }, 'a whole day without a recorder')
  t.match(await of('2026-11-21'), { complete: undefined }, 'before anything was wanted')
})

t.test('a share is never rounded up to all', t => {
  t.equal(shareText(0.999_999), '99.9 %')
  t.equal(shareText(1), '100.0 %')
  t.equal(shareText(undefined), '–')
  t.end()
})

t.test('the command prints the count behind the account: as text, Markdown or JSON', async t => {
  const root = t.testdir()
  await writeDataset(root, files)
  const bad = 'quarantine/exchange=deribit/channel=quote/date=2026-11-22'
  mkdirSync(join(root, bad), { recursive: true })
  writeFileSync(join(root, bad, '20261122T140000Z-h1-r1-1.jsonl'), '{"reason":"no price","raw":""}\n'.repeat(2))
  const text = await commandHere(['coverage', '--path', root, '--count'])
  t.match(text.stdout, /^Complete but for 1\.5 s: 14:00:03, connection lost /)
  t.match(text.stdout, /^trades +perpetual +1 +6 {2}5 of 6 trades$/m)
  t.match(text.stdout, /^In quarantine: 2 lines, first in\s+quarantine\/\S+\.jsonl:\s+no price\.$/m)
  t.equal(text.exitCode, 4)
  const markdown = await commandHere([
    'coverage',
    '--path',
    root,
    '--count',
    '--markdown',
    '--to',
    '2026-11-22T14:00:10.5',
  ])
  t.match(markdown.stdout, /^\| quotes \| perpetual \| 1 \| 2 \| {2}\|$/m)
  const json = JSON.parse(
    (await commandHere(['coverage', '--path', root, '--count', '--json', '--by', 'instrument'])).stdout,
  ) as {
    tables: CountedLine[]
    missing: unknown[]
    quarantined: unknown[]
  }
  const trades = { data: 'trades', instrument: 'BTC-PERPETUAL', counted: { expected: 6, actual: 5 } }
  matchAll(t, lineOf(json.tables, 'trades', 'perpetual'), trades)
  matchAll(t, json.missing, [
    { from: '2026-11-22T14:00:03Z', to: '2026-11-22T14:00:04.500Z', cause: 'connection lost' },
  ])
  matchAll(t, json.quarantined, [{ lines: 2, reason: 'no price' }])
})

t.test('trades that the tables lack end the count with 4, though nothing else tells of them', async t => {
  const root = t.testdir()
  const quiet = journal([
    [0, 'subscribed', { channels: ['trades.BTC-PERPETUAL.100ms'] }],
    [10.5, 'stopped', { reason: 'SIGTERM' }],
  ])
  await writeDataset(root, [quiet, ...files.filter(({ table }) => table === 'trades')])
  t.equal((await commandHere(['coverage', '--path', root])).exitCode, 0)
  t.equal((await commandHere(['coverage', '--path', root, '--count'])).exitCode, 4)
})

t.test('where nothing is, it says what to do', async t => {
  const root = t.testdir({ raw: {}, parquet: {} })
  const nothing: [args: string[], found: RegExp][] = [
    [[join(root, 'away')], /away is not there\nedgetape: hint: wanted a dataDir/],
    [[root], /holds no file that edgetape wrote\nedgetape: hint: .*wanted a dataDir/],
  ]
  for (const [args, found] of nothing) {
    const { stdout, stderr, exitCode } = await commandHere(['coverage', '--path', ...args])
    t.equal(stdout, '', 'no table')
    t.match(stderr, found)
    t.equal(exitCode, 1)
  }
  writeRun(join(root, 'raw-only'), wholeRun(3))
  const { stderr, exitCode } = await commandHere(['coverage', '--path', join(root, 'raw-only'), '--count'])
  t.match(stderr, /^edgetape: no Parquet below .*\nedgetape: hint: edgetape compact --once/, 'only raw')
  t.equal(exitCode, 1)
})

t.test('a day on which nothing was recorded is no day on which all was lost', async t => {
  const root = t.testdir()
  await writeDataset(root, files)
  const { stdout, stderr, exitCode } = await commandHere(['coverage', '--path', root, '--date', '2026-11-25'])
  t.equal(stdout, '')
  t.match(
    stderr,
    /nothing was recorded \(2026-11-25\): the recorder was stopped\nedgetape: hint: .* has files of 2026-11-22 to 2026-11-22/,
  )
  t.equal(exitCode, 1)
})

t.test('of what lies ahead of the clock here it was said that no recorder ran', async t => {
  const root = t.testdir()
  const recvUs = Date.parse('2200-11-22T14:00Z') * 1000
  writeRecording(root, [{ family: 'quote', conn: 'd1', recvUs, frame: '{}' }])
  const { stderr, exitCode } = await commandHere(['coverage', '--path', root])
  t.match(
    stderr,
    /nothing was recorded: it is \d{4}-\d\d-\d\d by the clock of this machine\n.* has files of 2200-11-22 to/,
  )
  t.equal(exitCode, 1)
})

t.test('a Parquet file that was cut off is named, and the rest is counted', async t => {
  const root = t.testdir()
  await writeDataset(root, files)
  const folder = join(root, 'parquet/exchange=deribit/table=trades/kind=perpetual/currency=BTC/date=2026-11-22')
  const whole = readFileSync(join(folder, '14-h1-r1-1.parquet'))
  const torn = { 'cut off': whole.subarray(0, whole.length - 40), empty: '', garbage: 'PAR1'.repeat(40) + 'x' }
  for (const [what, bytes] of Object.entries(torn)) {
    writeFileSync(join(folder, '15-h1-r1-2.parquet'), bytes)
    const { stdout, stderr, exitCode } = await commandHere(['coverage', '--path', root, '--count', '--json'])
    t.match(stderr, /15-h1-r1-2\.parquet is no whole Parquet file/, what)
    t.equal(exitCode, 1)
    const { tables } = JSON.parse(stdout) as { tables: { table: string; rows: number }[] }
    t.equal(tables.find(({ table }) => table === 'trades')?.rows, 6)
    const asked = await commandHere(['query', 'SELECT count(*) AS n FROM trades', '--path', root, '--json'])
    t.match(asked.stderr, /15-h1-r1-2\.parquet is no whole Parquet file.*its rows are in no answer/)
    t.same(JSON.parse(asked.stdout), { n: 6 })
    t.equal(asked.exitCode, 1)
    const verified = await commandHere(['verify', root])
    t.match(verified.stdout, /^fault: .*15-h1-r1-2\.parquet: .*\[UNREADABLE\]/m)
    t.equal(verified.exitCode, 1)
  }
})
