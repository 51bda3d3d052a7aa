import { rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { compactOnce } from '../../compactor/fixtures/compacted.js'
import { commandHere } from '../../fixtures/command-here.js'
import { writeMixedTree } from '../../fixtures/mixed-tree.js'
import { RUN_STARTED_US, wholeRun, writeRun } from '../../fixtures/raw-run.js'
import { begin, lines, outage, S, type Entry } from './fixtures/three-channels.js'

const missed = outage(40, 75)
const compared: Entry = [
  90,
  'compared',
  { scopes: ['perpetual BTC'], from_us: RUN_STARTED_US, to_us: RUN_STARTED_US + 90 * S, trades: 8439 },
]
const end: Entry = [1000, 'stopped', { reason: 'test' }]

t.test('one sentence first, then what is missing; 80 columns; 4 where something is, 0 where nothing', async t => {
  const root = t.testdir()
  writeRun(root, lines([...begin, missed, compared, end]))
  const { stdout, exitCode } = await commandHere(['coverage', '--path', root])
  t.equal(exitCode, 4)
  const [first = ''] = stdout.split('\n')
  t.match(first, /^Complete but for 35 s: 14:00:40, connection lost \(BTC-PERPETUAL \(book, quote\)\)\.$/)
  t.match(stdout, /Missing, the longest first \(UTC\):\n {2}14:00:40 {2}35 s/)
  t.match(
    stdout,
    /trades +perpetual +1 +100\.0 %/,
    'trades that were all fetched are whole, whatever the connection did',
  )
  t.match(stdout, /Trades, by number, up to the last comparison with the exchange: 8,439 of 8,439\./)
  t.match(stdout, /Healed: 1 span of trades, fetched and proven whole; the longest 35 s, 14:00:40\./)
  t.ok(
    stdout.split('\n').every(line => line.length <= 80),
    'fits',
  )
  for (const by of ['hour', 'instrument', 'channel']) {
    const { stdout } = await commandHere(['coverage', '--path', root, '--by', by])
    t.match(stdout, /^\w+ .* complete +missing\b/m, by)
    t.ok(
      stdout.split('\n').every(line => line.length <= 80),
      `--by ${by} fits`,
    )
  }
  const before = await commandHere([
    'coverage',
    '--path',
    root,
    '--from',
    '2026-11-22T14:00:02',
    '--to',
    '2026-11-22T14:00:30',
  ])
  t.equal(before.exitCode, 0, 'the time before the outage is complete')
  t.match(before.stdout, /^Complete: 3 channels, 28 s\./)
  const json = JSON.parse((await commandHere(['coverage', '--path', root, '--json'])).stdout) as {
    complete: boolean
    missing: { seconds: number; channels: string[] }[]
  }
  t.same(
    json.missing.map(({ seconds, channels }) => [seconds, channels]),
    [[35, ['deribit book BTC-PERPETUAL', 'deribit quote BTC-PERPETUAL']]],
  )
  const markdown = await commandHere(['coverage', '--path', root, '--markdown'])
  t.match(markdown.stdout, /^\*\*Complete but for 35 s/)
})

t.test('of a recording that goes on, without Parquet, the first seconds are told', async t => {
  const root = t.testdir()
  writeRun(root, lines([...begin, missed, [90, 'clock']]), 'open')
  const { stdout, exitCode } = await commandHere(['coverage', '--path', root])
  t.equal(exitCode, 4)
  t.match(stdout, /^(?:Complete but for|Incomplete: missing)/)
})

t.test('an empty day says so, not that nothing of it is there', async t => {
  const root = t.testdir()
  writeRun(root, lines([...begin, end]))
  const { stderr, exitCode } = await commandHere(['coverage', '--path', root, '--date', '2026-11-20'])
  t.equal(exitCode, 1)
  t.match(stderr, /nothing was recorded 2026-11-20|nothing was recorded \(2026-11-20\)/)
})

t.test('of files without a journal it was said that nothing was recorded', async t => {
  const root = t.testdir()
  writeRun(
    root,
    wholeRun(3000).filter(({ family }) => family !== 'journal'),
  )
  const said = /^Files say: 2 kinds of data, 3 s\. There is no journal, so gaps cannot be\s+known\./
  const told = async (...more: string[]) => {
    const { stdout, exitCode } = await commandHere(['coverage', '--path', root, ...more])
    t.equal(exitCode, 0)
    return stdout
  }
  const fromSegments = await told()
  t.match(fromSegments, said)
  t.match(fromSegments, /trades +none +1 +–/, 'no percentage of what nobody can count')
  t.match(fromSegments, /2026-11-22T14:00:00\.001Z? to 2026-11-22T14:00:03/)
  t.match(JSON.parse(await told('--date', '2026-11-22', '--json')), {
    claimed_channels: 2,
    empty: false,
    missing_seconds: 0,
  })
  t.equal(
    (await commandHere(['coverage', '--path', root, '--date', '2026-11-23'])).exitCode,
    1,
    'of another day there is nothing',
  )
})

t.test('of tables without a journal it was said that nothing was recorded', async t => {
  const root = t.testdir()
  writeMixedTree(root)
  t.match(await compactOnce(root), { failed: 0 })
  for (const gone of ['raw', 'parquet/exchange=deribit/table=journal']) rmSync(join(root, gone), { recursive: true })
  const { stdout, exitCode } = await commandHere(['coverage', '--path', root])
  t.equal(exitCode, 0)
  t.match(stdout, /^Files say: 2 kinds of data, .*\. There is no journal, so gaps cannot be\s+known\./)
  t.match(stdout, /trades +perpetual +1 +–/)
  t.equal(
    (await commandHere(['coverage', '--path', root, '--date', '2026-11-23'])).exitCode,
    1,
    'of another day there is nothing',
  )
})
