/** What every command prints for people: 80 columns, and a bar with the time left wherever it may take longer than 2 s. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createProgram } from '../../cli/program.js'
import { datesOfTree } from '../../formats/tree-place.js'
import { atHand, exampleAtHand } from '../../reader/query/example-at-hand.js'
import { QuerySession } from '../../reader/query/session.js'
import { viewText } from '../../reader/query/told-views.js'
import { edgetape } from '../fixtures/cli.js'
import { commandHere } from '../fixtures/command-here.js'
import { writeRecording } from '../fixtures/made-recording.js'
import { needs } from '../fixtures/needs.js'
import { writeDataset } from '../fixtures/dataset.js'

process.env['EDGETAPE_LOG'] = 'silent'

/** What a demo left. */
interface Tree {
  /** What the demo said. */
  told: string
  /** All else is in it. */
  folder: string
  config: string
  data: string
  nas: string
  date: string
  /** The last minute of it. */
  from: string
  to: string
}

interface Run {
  args: string[]
  /** Labels of the bars that it shows while it is at work. */
  bars?: string[]
  /** What it prints is for programs. */
  isForPrograms?: true
}

interface Row {
  runs?: (tree: Tree) => Run[]
  /** Why some of it needs no bar. */
  without?: string
}

const SOON = 'done within 2 s, whatever the tree holds'
const ENDLESS = 'goes on until it is stopped'

/** Every command: where its bar is, or why it needs none. */
const COMMANDS: Readonly<Record<string, Row>> = {
  init: { without: SOON },
  doctor: {
    without: 'tells each finding as it comes',
    runs: ({ config }) => [{ args: ['doctor', '--config', config] }],
  },
  record: { without: ENDLESS },
  compact: {
    without: `without --once it ${ENDLESS}`,
    runs: ({ folder }) => [{ args: ['compact', '--once', '--config', join(folder, 'one.yaml')], bars: ['segments'] }],
  },
  sync: {
    without: `without --once it ${ENDLESS}`,
    runs: ({ folder }) => [{ args: ['sync', '--once', '--config', join(folder, 'one.yaml')], bars: ['sync'] }],
  },
  run: { without: ENDLESS },
  status: { without: SOON, runs: ({ config }) => [{ args: ['status', '--config', config] }] },
  tail: { without: ENDLESS },
  serve: { without: ENDLESS },
  alerts: { without: SOON },
  coverage: {
    without: '--write is about one day',
    runs: ({ nas }) => [
      { args: ['coverage', '--path', nas], bars: ['journals'] },
      ...['hour', 'instrument'].map(by => ({
        ...{ args: ['coverage', '--path', nas, '--by', by, '--count'], bars: ['journals', 'tables'] },
      })),
    ],
  },
  report: {
    runs: ({ nas, date, folder }) => [
      { args: ['report', '--path', nas, '--date', date, '--out', join(folder, 'report.html')], bars: ['report'] },
    ],
  },
  verify: {
    runs: ({ data, config }) => [
      { args: ['verify', 'raw', data], bars: ['verify raw'] },
      { args: ['verify', 'parquet', data], bars: ['parquet'] },
      { args: ['verify', 'nas', '--config', config], bars: ['nas'] },
      { args: ['verify', 'bits', '--config', config], bars: ['bits'] },
    ],
  },
  dump: { runs: ({ nas }) => [{ args: ['dump', join(nas, 'raw')], bars: ['dump'], isForPrograms: true }] },
  query: {
    runs: ({ nas, folder }) => [
      {
        args: [
          'query',
          '--path',
          nas,
          'SELECT count(*), sum(hash(a.range, b.range)) FROM range(60000) a, range(8000) b',
        ],
        bars: ['query'],
      },
      { args: ['query', '--path', nas, '--out', join(folder, 'trades.csv'), 'FROM trades'] },
    ],
  },
  catalog: {
    without: 'duckdb, spark and trino: by names of folders',
    runs: ({ folder }) => [
      {
        args: ['catalog', '--path', join(folder, 'past'), '--dialect', 'ducklake'],
        bars: ['files'],
        isForPrograms: true,
      },
      {
        args: ['catalog', '--path', join(folder, 'past'), '--dialect', 'delta', '--out', join(folder, 'delta')],
        bars: ['files'],
      },
    ],
  },
  book: {
    without: '--at is a moment',
    runs: ({ nas, from, to, folder }) => {
      const span = ['--every', '10', '--from', from, '--to', to]
      const out = join(folder, 'book.csv')
      return [{ args: ['book', 'BTC-PERPETUAL', '--path', nas, ...span, '--out', out], bars: ['samples'] }]
    },
  },
  replay: { without: ENDLESS },
  merge: {
    runs: ({ nas, folder }) => [
      { args: ['merge', nas, '--out', join(folder, 'merged')], bars: ['gathering', 'segments'] },
    ],
  },
  import: {
    runs: ({ folder }) => [
      {
        args: [
          'import',
          'raw',
          join(folder, 'lines.jsonl'),
          '--exchange',
          'deribit',
          '--out',
          join(folder, 'imported'),
        ],
        bars: ['import'],
      },
    ],
  },
  export: {
    runs: ({ nas, folder, from, to }) => {
      const what = ['--format', 'csv', '--view', 'trades', '--from', from, '--to', to]
      return [{ args: ['export', ...what, '--path', nas, '--out', join(folder, 'exported')], bars: ['export'] }]
    },
  },
  retention: {
    // Of a demo nothing is due: test/syncer/retention-survey.test.ts hears what its bar is told.
    without: 'has a bar for what the target is asked about',
    runs: ({ config }) => [{ args: ['retention', '--dry-run', '--config', config] }],
  },
  simulate: { without: ENDLESS },
  demo: { without: 'has a bar of its own, of the seconds that it was asked for' },
  completion: { without: SOON },
  help: { without: SOON },
}

/** Lines that are longer than a terminal, but for words that are longer themselves. */
const tooLong = (text: string) => text.split('\n').filter(line => line.length > 80 && !/^\s*\S+$/.test(line))

/** A command at a terminal, whose clock goes on by two seconds each time it is read: however fast the machine, it takes long. */
async function atTerminal(args: readonly string[]) {
  const now = performance.now.bind(performance)
  let reads = 0
  const { isTTY } = process.stderr
  process.stderr.isTTY = true
  performance.now = () => now() + 2000 * ++reads
  try {
    return await commandHere(args)
  } finally {
    performance.now = now
    process.stderr.isTTY = isTTY
  }
}

/** So much is to be recorded; on a machine that is busy it takes a longer demo. */
const RECORDED_MS = 4000

async function demoTree(folder: string, seconds = 8): Promise<Tree> {
  const { exitCode, stdout, stderr } = await edgetape(['demo', '--seconds', String(seconds), '--out', 'demo'], {
    cwd: folder,
  })
  if (exitCode !== 0) throw new Error(stderr)
  const root = join(folder, 'demo')
  const [config, data, nas] = [join(root, 'edgetape.yaml'), join(root, 'data'), join(root, 'nas')]
  const date = datesOfTree(nas)?.last ?? ''
  const session = await QuerySession.open({ root: nas, fresh: undefined, note: () => undefined })
  const { firstMs = 0, lastMs = 0 } = (await atHand(session, nas)) ?? {}
  session.connection.closeSync()
  session.clear()
  if (lastMs - firstMs < RECORDED_MS && seconds < 60) return await demoTree(folder, 2 * seconds)
  const text = (ms: number) => new Date(ms).toISOString().replace('Z', '')
  return { told: stdout, folder: root, config, data, nas, date, from: text(lastMs - 3000), to: text(lastMs) }
}

const tree = needs(t, 'flock') ? await demoTree(t.testdir({})) : undefined

t.test('what takes long says how long, and nothing is wider than a terminal', { timeout: 240_000 }, async t => {
  if (!tree) return
  const { folder } = tree
  const { commands } = await createProgram()
  t.same(commands.map(command => command.name()).sort(), Object.keys(COMMANDS).sort(), 'every command is in the table')

  // Files of a day that is over, lines of somebody else, a disk that is too small.
  const trades = "SELECT TIMESTAMPTZ '2026-11-20 09:30:05Z' AS recv_ts, 'BTC-PERPETUAL' AS instrument_name"
  const past = ['16', '17', '18', '19', '20'].map(day => ({ date: `2026-11-${day}`, name: 'day-vps1', sql: trades }))
  await writeDataset(
    join(folder, 'past'),
    past.map(day => ({ table: 'trades', kind: 'perpetual', currency: 'BTC', ...day })),
  )
  mkdirSync(join(folder, 'other'))
  writeRecording(join(folder, 'one'), [
    { family: 'quote', conn: 'd1', recvUs: (1e6 * Date.parse('2026-11-20')) / 1e3, frame: '{}' },
  ])
  writeFileSync(
    join(folder, 'one.yaml'),
    JSON.stringify({
      dataDir: join(folder, 'one'),
      exchange: { name: 'deribit' },
      sync: { target: join(folder, 'other') },
    }),
  )
  const lines = Array.from({ length: 2000 }, (_, n) => ({
    time: new Date(1_763_800_000_000 + n).toISOString(),
    ...{ jsonrpc: '2.0', method: 'subscription', params: { channel: 'quote.BTC-PERPETUAL', data: { n } } },
  }))
  writeFileSync(join(folder, 'lines.jsonl'), lines.map(line => `${JSON.stringify(line)}\n`).join(''))

  const [report = ''] = tree.told.split('\nWhere it is')
  t.same(tooLong(report), [], 'the report of the demo, but for paths')
  for (const [name, { runs, without }] of Object.entries(COMMANDS)) {
    t.ok(runs !== undefined || without !== undefined, `${name} has a bar, or says why not`)
    for (const { args, bars = [], isForPrograms } of runs?.(tree) ?? []) {
      const what = args.join(' ').replaceAll(folder, '')
      const { stdout, stderr } = await atTerminal(args)
      for (const bar of bars)
        t.match(stderr, new RegExp(`  ${bar} [^\\n]* of [^\\n]* left`), `${what}: says how far it is, and what is left`)
      if (!isForPrograms) t.same(tooLong(stdout.replaceAll(folder, '')), [], what)
    }
  }
})

t.test('examples of views ask for what is at hand, and have rows', { timeout: 120_000 }, async t => {
  if (!tree) return
  const session = await QuerySession.open({ root: tree.nas, fresh: undefined, note: text => t.fail(text) })
  t.teardown(() => {
    session.connection.closeSync()
    session.clear()
  })
  const there = await atHand(session, tree.nas)
  for (const { name, example, mayBeEmpty } of session.readyViews) {
    const sql = there ? exampleAtHand(example, there) : example
    const rows = await session.ask(sql, async connection => (await connection.runAndReadAll(sql)).getRows())
    t.ok(rows.length > 0 || mayBeEmpty !== undefined, `${name}: ${rows.length} rows of ${sql}`)
    if (rows.length === 0) t.match(await viewText(session, tree.nas, name), /may be empty: /, name)
  }
})
