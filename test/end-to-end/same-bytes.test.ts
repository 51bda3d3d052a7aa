import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { compactOnce, configFor, filesBelow } from '../compactor/fixtures/compacted.js'
import { expectedPath, plainName, printOf, writeGoldenRecording } from '../fixtures/golden-recording.js'

/**
 * The same frames give the same files, byte for byte: sealed segments, manifests, Parquet, quarantine, and the files of
 * days. What they were is recorded in `test/fixtures/golden/expected.json`, without the part of a name that tells
 * recorders of one host name apart, and with the version of edgetape masked.
 *
 * A change of format, of a table's columns, of zstd or of DuckDB changes them with good reason: then
 * `GOLDEN=record node dist/test/end-to-end/same-bytes.test.js` records them anew, and the commit says why.
 */
const HOURLY_MS = Date.UTC(2026, 10, 20, 12)
const TWO_DAYS_LATER_MS = Date.UTC(2026, 10, 25)

/** Files below folders of dataDir: what is compared of each. */
function printsOf(dataDir: string, ...folders: string[]): Record<string, unknown> {
  const prints: Record<string, unknown> = {}
  for (const folder of folders) {
    for (const file of filesBelow(join(dataDir, folder))) {
      const name = plainName(`${folder}/${file}`)
      if (name in prints) throw new Error(`two files are ${name}`)
      prints[name] = printOf(join(dataDir, folder, file))
    }
  }
  return prints
}

const recording = process.env['GOLDEN'] === 'record'
const expected = recording
  ? {}
  : (JSON.parse(readFileSync(expectedPath, 'utf8')) as Record<string, Record<string, unknown>>)

t.test('the same frames give the same files as ever', async t => {
  const dataDir = t.testdir()
  writeGoldenRecording(dataDir)
  const found: typeof expected = { raw: printsOf(dataDir, 'raw') }
  t.match(await compactOnce(dataDir, { nowMs: () => HOURLY_MS }), { failed: 0 })
  found['hours'] = printsOf(dataDir, 'parquet', 'quarantine')
  await compactOnce(dataDir, { nowMs: () => TWO_DAYS_LATER_MS })
  found['days'] = printsOf(dataDir, 'parquet', 'quarantine')
  if (recording) writeFileSync(expectedPath, `${JSON.stringify(found, undefined, 2)}\n`)
  else for (const [stage, files] of Object.entries(expected)) t.strictSame(found[stage], files, stage)
  t.strictSame(printsOf(dataDir, 'raw'), found['raw'], 'raw is left as it was')
})

t.test('two threads, less memory and a second conversion change nothing', async t => {
  const dataDir = t.testdir()
  writeGoldenRecording(dataDir)
  const config = configFor(dataDir, { threads: 2, memoryMiB: 192 })
  await compactOnce(dataDir, { config, nowMs: () => HOURLY_MS })
  t.strictSame(printsOf(dataDir, 'parquet', 'quarantine'), expected['hours'], 'hours')
  await compactOnce(dataDir, { config, nowMs: () => TWO_DAYS_LATER_MS, rebuild: {} })
  t.strictSame(printsOf(dataDir, 'parquet', 'quarantine'), expected['days'], 'days')
})
