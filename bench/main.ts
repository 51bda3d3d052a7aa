/** `npm run bench [-- NAME…]`: all benchmarks, or those named. Each prints its figures, its goals and the machine. */
import { benchCompactor } from './compactor/main.js'
import { benchRecorder } from './recorder/main.js'
import { benchSegments } from './segments/main.js'

const benches: Record<string, () => Promise<void>> = {
  recorder: benchRecorder,
  compactor: benchCompactor,
  segments: benchSegments,
}

const names = process.argv.slice(2)
const unknown = names.filter(name => !(name in benches))
if (unknown.length > 0) {
  process.stderr.write(`no benchmark called ${unknown.join(', ')}; there are: ${Object.keys(benches).join(', ')}\n`)
  process.exitCode = 2
} else {
  for (const [name, bench] of Object.entries(benches)) if (names.length === 0 || names.includes(name)) await bench()
}
