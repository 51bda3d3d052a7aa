import { readdirSync } from 'node:fs'
import t from 'tap'
import { compactOnce, query } from '../../compactor/fixtures/compacted.js'
import { rawLine, sealSegment } from '../../compactor/fixtures/segments.js'
import { encodingOf } from '../../../recorder/storage/line-encoding.js'
import { capturedFrames } from './captured.js'
import { fuzz } from './fuzz.js'

const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000)

t.test('frames that nobody would send crash nothing, and reach no path', async t => {
  const captured = capturedFrames(t)
  if (!captured) return
  // Long answers are lists of the same.
  const all = [...captured.values()]
    .flat()
    .map(text => Buffer.from(text))
    .filter(({ length }) => length < 20_000)
  t.comment(`seed ${SEED}; FUZZ_SEED=${SEED} repeats it`)
  fuzz(all, 4000, SEED)

  const dataDir = t.testdir({})
  const byFamily = new Map<string, Buffer[]>()
  let seq = 0
  fuzz(all, 1500, SEED + 1, (family, frame) => {
    const lines = byFamily.get(family) ?? []
    lines.push(rawLine(frame, ++seq, encodingOf(frame)))
    byFamily.set(family, lines)
  })
  let number = 0
  for (const [family, lines] of byFamily) sealSegment(dataDir, family, lines, { exchange: 'okx', number: ++number })
  await compactOnce(dataDir)
  t.same(
    readdirSync(dataDir).sort(),
    ['parquet', 'quarantine', 'raw', 'state'].filter(name => readdirSync(dataDir).includes(name)),
  )
  const [strange] = await query(`SELECT count(*) AS n FROM glob('${dataDir}/parquet/**/*.parquet')
    WHERE NOT regexp_matches(file, '/parquet/exchange=okx/table=[a-z_]+/kind=[a-z_]+/currency=(none|[A-Z0-9]{1,16})/date=[0-9-]{10}/[^/]+$')`)
  t.equal(strange?.['n'], 0n, 'paths are of known words')
})
