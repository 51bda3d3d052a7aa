/**
 * `npm run bench [-- NAME… --rounds N --seconds N --warm-up N --days N,N]`: all benchmarks, or those named. Each prints figures, goals
 * and machine. `--quick`: those that docs/performance.md tells of, once and small, in less than 5 minutes.
 */
import { parseArgs } from 'node:util'
import { benchCompactor } from './compactor/main.js'
import { benchBooks } from './reading/books.js'
import { benchChains } from './reading/chains.js'
import { benchReading } from './reading/main.js'
import { benchFresh } from './reading/fresh.js'
import { benchTail } from './reading/tail.js'
import { benchFlame } from './recorder/flame.js'
import { benchPeers } from './recorder/peers.js'
import { benchRecorder, type BenchOptions } from './recorder/main.js'
import { benchSegments } from './segments/main.js'
import { benchSyncer } from './syncer/main.js'
import { benchYears } from './years/main.js'

const benches: Record<string, (options: BenchOptions) => Promise<void>> = {
  recorder: benchRecorder,
  peers: benchPeers,
  flame: benchFlame,
  compactor: benchCompactor,
  segments: benchSegments,
  syncer: benchSyncer,
  read: benchReading,
  tail: benchTail,
  fresh: benchFresh,
  book: benchBooks,
  chains: benchChains,
  years: async () => {
    if (!(await benchYears(years))) process.exitCode = 1
  },
}

const { values, positionals: names } = parseArgs({
  allowPositionals: true,
  // Rounds and seconds are of the recorder's measurements.
  options: {
    rounds: { type: 'string', default: '2' },
    seconds: { type: 'string', default: '3' },
    'warm-up': { type: 'string', default: '8' },
    quick: { type: 'boolean', default: false },
    // Of years on one tree.
    days: { type: 'string', default: '30,400' },
    hours: { type: 'string', default: '24' },
  },
})
const years = { days: [1, ...values.days.split(',').map(Number)], hours: Number(values.hours) }
const { quick } = values
const [seconds, warmUp] = [Number(values.seconds), Number(values['warm-up'])]
const options = { rounds: quick ? 1 : Number(values.rounds), seconds, warmUp, quick }
/** Those of `--quick`. */
const SHORT = ['recorder', 'peers', 'fresh', 'compactor', 'syncer']
const unknown = names.filter(name => !(name in benches))
if (unknown.length > 0) {
  process.stderr.write(`no benchmark called ${unknown.join(', ')}; there are: ${Object.keys(benches).join(', ')}\n`)
  process.exitCode = 2
} else if (!(options.rounds >= 1 && seconds >= 1 && warmUp >= 1)) {
  process.stderr.write('--rounds, --seconds and --warm-up are numbers from 1\n')
  process.exitCode = 2
} else {
  // Years of files, and a drawing of the docs, are made only where they are named.
  const all = quick ? SHORT : Object.keys(benches).filter(name => name !== 'years' && name !== 'flame')
  for (const [name, bench] of Object.entries(benches))
    if ((names.length > 0 ? names : all).includes(name)) await bench(options)
}
