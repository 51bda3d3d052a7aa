import t from 'tap'
import type { CoverageLine } from '../../../cli/coverage/assess.js'
import { verdictOf } from '../../../cli/coverage/assess.js'
import { measureCoverage } from '../../../cli/coverage/measure.js'
import { edgetape } from '../../fixtures/cli.js'
import { writeLake, type LakeFile } from '../../fixtures/lake.js'

const startS = Date.parse('2026-11-22T14:00:00Z') / 1000

/** SQL for rows `(second, …)` with the time columns that every table has. */
function rows(columns: string[], values: (string | number | null)[][]): string {
  const literal = (value: string | number | null) =>
    value === null ? 'NULL' : typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`
  const list = values.map(row => `(${row.map(literal).join(', ')})`).join(', ')
  return `SELECT to_timestamp(${startS} + second) AS recv_ts, * EXCLUDE (second) FROM (VALUES ${list}) v(second, ${columns.join(', ')})`
}

function journal(events: [second: number, event: string, detail: object][], file: Partial<LakeFile> = {}): LakeFile {
  const values = events.map(([second, event, detail], i) => [
    second,
    i + 1,
    event,
    JSON.stringify({ conn: 'd1', ...detail }),
  ])
  return { table: 'journal', sql: rows(['seq', 'event', 'detail'], values), ...file }
}

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
        'deribit_volatility_index.btc_usd',
        'deribit_volatility_index.eth_usd',
      ],
    },
  ],
  [4, 'gap', { from_us: (startS + 3) * 1e6, to_us: (startS + 4.5) * 1e6, cause: 'connection lost' }],
  [5, 'rejected', { channels: ['quote.NOPE'] }],
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
    table: 'frames',
    sql: rows(
      ['channel'],
      [
        [0, 'deribit_volatility_index.btc_usd'],
        [1, 'platform_state'],
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

function lineOf(lines: CoverageLine[], data: string, kind: string): Partial<CoverageLine> | undefined {
  const line = lines.find(line => line.data === data && line.kind === kind)
  if (line === undefined) return undefined
  const { expected, actual, verdict, rows } = line
  return { expected, actual, verdict, rows }
}

t.test('facts against facts', async t => {
  const root = t.testdir()
  await writeLake(root, files)
  const { lines, gaps, rejected, spans } = await measureCoverage(root)
  t.same(lineOf(lines, 'trades', 'perpetual'), { expected: 6, actual: 5, verdict: '❌', rows: 6 })
  t.same(lineOf(lines, 'trades', 'combo'), { expected: 0, actual: 0, verdict: '–', rows: 0 }, 'none traded is no loss')
  t.same(lineOf(lines, 'quotes', 'perpetual'), { expected: 2, actual: 1, verdict: '❌', rows: 2 })
  t.same(lineOf(lines, 'book depth', 'perpetual'), { expected: 1, actual: 1, verdict: '✅', rows: 6 })
  t.same(lineOf(lines, 'book changes', 'perpetual'), { expected: 3, actual: 2, verdict: '❌', rows: 6 })
  t.same(lineOf(lines, 'ticker', 'option'), { expected: 2, actual: 2, verdict: '✅', rows: 2 })
  t.same(lineOf(lines, 'ticker: implied volatility', 'option')?.verdict, '✅')
  t.same(lineOf(lines, 'ticker: greeks', 'option'), { expected: 2, actual: 1, verdict: '❌', rows: 2 })
  t.same(
    lineOf(lines, 'funding', 'perpetual'),
    { expected: 1, actual: 0, verdict: '❌', rows: 0 },
    'nothing of something',
  )
  t.same(lineOf(lines, 'index price', 'index'), { expected: 10, actual: 10, verdict: '✅', rows: 11 })
  const volatility = { expected: 2, actual: 1, verdict: '❌', rows: 1 }
  t.same(lineOf(lines, 'volatility index', 'index'), volatility, 'a channel without a table of its own counts, too')
  t.same(spans, [{ fromUs: startS * 1e6, toUs: (startS + 10.5) * 1e6 }])
  t.match(gaps, [{ run: 'h1-r1', conn: 'd1', cause: 'connection lost' }])
  t.same(rejected, ['quote.NOPE'])
})

t.test('a day knows what the days before subscribed', async t => {
  const root = t.testdir()
  const next = { date: '2026-11-23' }
  await writeLake(root, [
    journal([[0, 'subscribed', { channels: ['quote.BTC-PERPETUAL'] }]]),
    journal([[86_400, 'stopped', {}]], { ...next, name: '14-h1-r1-2' }),
    { table: 'quote', ...perpetual, sql: rows(['instrument_name'], [[0, 'BTC-PERPETUAL']]) },
    {
      table: 'quote',
      ...perpetual,
      ...next,
      sql: rows(
        ['instrument_name'],
        [
          [80_000, 'BTC-PERPETUAL'],
          [80_001, 'BTC-PERPETUAL'],
        ],
      ),
    },
  ])
  const of = async (date: string) => lineOf((await measureCoverage(root, date)).lines, 'quotes', 'perpetual')
  t.same(await of('2026-11-22'), { expected: 1, actual: 1, verdict: '✅', rows: 1 })
  t.same(await of('2026-11-23'), { expected: 1, actual: 1, verdict: '✅', rows: 2 })
  t.same(await of('2026-11-24'), undefined, 'nothing subscribed, nothing here')
})

t.test('verdicts', t => {
  t.equal(verdictOf(1000, 999), '✅')
  t.equal(verdictOf(10_000, 9989), '⚠️')
  t.equal(verdictOf(100, 95), '⚠️')
  t.equal(verdictOf(1000, 949), '❌')
  t.equal(verdictOf(1, 0), '❌')
  t.equal(verdictOf(0, 0), '–')
  t.equal(verdictOf(undefined, 5), '–')
  t.end()
})

t.test('the command prints a table, Markdown or JSON', async t => {
  const root = t.testdir()
  await writeLake(root, files)
  const text = await edgetape(['coverage', '--from', root])
  t.match(text.stdout, /trades .*perpetual .*trades .*6 .*5 .*❌ 83\.3 %/)
  t.match(text.stdout, /1 gaps? in the journal, 1\.5 s/)
  t.equal(text.exitCode, 0)
  const markdown = await edgetape(['coverage', '--from', root, '--markdown', '--date', '2026-11-22'])
  t.match(markdown.stdout, /^\| quotes \| perpetual \| instruments \| 2 \| 1 \| ❌ 50\.0 % \| 2 \| \d+ \|$/m)
  const json = JSON.parse((await edgetape(['coverage', '--from', root, '--json'])).stdout) as {
    lines: unknown[]
    gaps: unknown[]
  }
  t.match(json.lines[0], { data: 'trades', kind: 'perpetual', expected: 6, actual: 5, verdict: '❌' })
  t.match(json.gaps, [{ from: '2026-11-22T14:00:03.000Z', to: '2026-11-22T14:00:04.500Z' }])
})

t.test('where nothing is, it says what to do', async t => {
  const { stderr, exitCode } = await edgetape(['coverage', '--from', t.testdir()])
  t.match(stderr, /^edgetape: no Parquet below .*\nedgetape: hint: edgetape compact --once/)
  t.equal(exitCode, 1)
})
