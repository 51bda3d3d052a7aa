/** `npm run long [-- NAME…]`: proofs that take too long for the suite, all or those named. Each is a test and prints figures. `--minutes N` is how long `soak` or `small-vps` goes on, `--each N` how often `ends` ends in each way. */
import { parseArgs } from 'node:util'

const proofs: Record<string, () => Promise<unknown>> = {
  kills: () => import('./kills.js'),
  recorder: () => import('./recorder.js'),
  scale: () => import('./scale.js'),
  syncer: () => import('./syncer.js'),
  targets: () => import('./targets.js'),
  'compactor-kills': () => import('./compactor-kills.js'),
  crashes: () => import('./crashes.js'),
  'compactor-big': () => import('./compactor-big.js'),
  soak: () => import('./soak.js'),
  'small-vps': () => import('./soak.js'),
  ends: () => import('./ends.js'),
  fuzz: () => import('./fuzz.js'),
  truth: () => import('./truth.js'),
  'okx-fuzz': () => import('./okx-fuzz.js'),
  image: () => import('./image.js'),
}

const { positionals: names } = parseArgs({
  options: { minutes: { type: 'string' }, each: { type: 'string' } },
  allowPositionals: true,
})
const unknown = names.filter(name => !(name in proofs))
if (unknown.length > 0) {
  process.stderr.write(`no proof called ${unknown.join(', ')}; there are: ${Object.keys(proofs).join(', ')}\n`)
  process.exitCode = 2
} else {
  for (const [name, prove] of Object.entries(proofs)) if (names.length === 0 || names.includes(name)) await prove()
}
