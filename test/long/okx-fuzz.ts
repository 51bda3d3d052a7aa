import t from 'tap'
import { capturedFrames } from '../exchanges/okx/captured.js'
import { fuzz } from '../exchanges/okx/fuzz.js'

const FRAMES = 100_000
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000)

await t.test('a hundred thousand frames that OKX would never send crash nothing', { timeout: 600_000 }, t => {
  const captured = capturedFrames(t)
  if (captured) {
    const all = [...captured.values()].flat().map(text => Buffer.from(text))
    const startedMs = performance.now()
    fuzz(
      all.filter(({ length }) => length < 20_000),
      FRAMES,
      SEED,
    )
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
    t.pass(`${FRAMES} frames in ${seconds} s`)
    process.stdout.write(`okx-fuzz: ${FRAMES} frames, seed ${SEED} (FUZZ_SEED=${SEED} repeats them), ${seconds} s\n`)
  }
  t.end()
})
