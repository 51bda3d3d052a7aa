/** `npm run bench [-- NAME… --rounds N --seconds N --days N,N]`: all benchmarks, or those named. Each prints figures, goals and machine. */
import { parseArgs } from 'node:util'
import { benchCompactor } from './compactor/main.js'
import { benchBooks } from './reading/books.js'
import { benchChains } from './reading/chains.js'
import { benchReading } from './reading/main.js'
import { benchFresh } from './reading/fresh.js'
import { benchTail } from './reading/tail.js'
import { benchPeers } from './recorder/peers.js'
import { benchRecorder, type BenchOptions } from './recorder/main.js'
import { benchSegments } from './segments/main.js'
import { benchSyncer } from './syncer/main.js'
import { benchYears } from './years/main.js'

const benches: Record<string, (options: BenchOptions) => Promise<void>> = {
  recorder: benchRecorder,
  peers: benchPeers,
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
    // Of years on one tree.
    days: { type: 'string', default: '30,400' },
    hours: { type: 'string', default: '24' },
  },
})
const years = { days: [1, ...values.days.split(',').map(Number)], hours: Number(values.hours) }
const options = { rounds: Number(values.rounds), seconds: Number(values.seconds) }
const unknown = names.filter(name => !(name in benches))
if (unknown.length > 0) {
  process.stderr.write(`no benchmark called ${unknown.join(', ')}; there are: ${Object.keys(benches).join(', ')}\n`)
  process.exitCode = 2
} else if (!(options.rounds >= 1 && options.seconds >= 1)) {
  process.stderr.write('--rounds and --seconds are numbers from 1\n')
  process.exitCode = 2
} else {
  // Years of files are made only where they are named.
  for (const [name, bench] of Object.entries(benches))
    if (names.includes(name) || (names.length === 0 && name !== 'years')) await bench(options)
}
