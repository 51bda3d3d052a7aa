import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { writeCoverage } from '../coverage/write-tables.js'
import { packageRoot } from '../platform/package-info.js'
import { journal, rows, us } from './coverage/fixtures/dataset-rows.js'
import { writeDataset } from './fixtures/dataset.js'
import { matchAll } from './fixtures/match-all.js'
import { needs, needsThat } from './fixtures/needs.js'
import { hasPackages } from './fixtures/python-targets.js'

const NAME = 'BTC-PERPETUAL'

const story = journal([
  [0, 'started', { run: 'r1' }],
  [0, 'subscribed', { channels: [`quote.${NAME}`] }],
  [0, 'live', { channels: 1 }],
  [50, 'gap', { cause: 'reset', families: ['quote'], from_us: us(20), to_us: us(50) }],
  [100, 'stopped', {}],
])

/** Each second but those of the outage. */
const seconds = Array.from({ length: 100 }, (_, second) => second).filter(second => second < 20 || second >= 50)
const columns = ['instrument_name', 'seq', 'best_bid_price', 'best_ask_price']
const quotes = rows(
  columns,
  seconds.map(second => [second, NAME, second, 100, 101]),
)

const LOOK = `
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import numpy as np
import plots
recording = plots.Recording(Path(sys.argv[2]), 'deribit')
quotes = plots.quotes_of(recording, '${NAME}')
print(json.dumps({
    'blank': [float(at) for at in quotes['at'][np.isnan(quotes['bid'])]],
    'quotes': int(np.isfinite(quotes['bid']).sum()),
    'title': plots.plot_coverage(recording).axes[0].get_title(),
}))
`

t.test('plots drew bid and ask straight through an outage, and counted what the journal has for gaps', async t => {
  if (!needs(t, 'python')) return
  const hasLibraries = await hasPackages('python3', 'duckdb', 'matplotlib')
  if (!needsThat(t, hasLibraries, 'needs duckdb and matplotlib: pip install duckdb matplotlib')) return
  const root = t.testdir()
  const quote = { table: 'quote', kind: 'perpetual', currency: 'BTC' }
  await writeDataset(root, [story, { ...quote, sql: `SELECT *, recv_ts AS exchange_ts FROM (${quotes})` }])
  const env = { PYTHONPATH: join(packageRoot, 'python'), PYTHONDONTWRITEBYTECODE: '1' }
  const look = async () => {
    const { stdout } = await execa('python3', ['-c', LOOK, join(packageRoot, 'examples'), root], { env })
    return JSON.parse(stdout) as unknown
  }

  matchAll(t, await look(), {
    blank: [],
    title: 'What came when; spans missing (red): 0; of some days the account is not written yet',
  })
  await writeCoverage(root, '2026-11-22')
  t.same(await look(), {
    blank: [us(20) / 1e6, us(100) / 1e6],
    quotes: seconds.length,
    title: 'What came when; spans missing (red): 1',
  })
})
