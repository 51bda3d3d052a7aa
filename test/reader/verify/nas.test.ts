import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { commandHere } from '../../fixtures/command-here.js'
import { flipByte, ShippedTree } from '../../fixtures/shipped-tree.js'
import { matchAll } from '../../fixtures/match-all.js'

t.test('verify nas', async t => {
  const folder = t.testdir()
  const tree = new ShippedTree(join(folder, 'data'))
  const nas = join(folder, 'nas')
  const segment = tree.segment(1)
  const parquet = tree.compacted(segment, 1)
  const config = join(folder, 'edgetape.yaml')
  const sync = { target: nas, graceMinutes: 0 }
  const kept = { keepHours: 1e6, minFreeGiB: 0 }
  writeFileSync(config, JSON.stringify({ exchange: { name: 'deribit' }, dataDir: tree.dataDir, sync, retention: kept }))
  t.equal((await commandHere(['sync', '--once', '--config', config])).exitCode, 0)

  const good = await commandHere(['verify', 'nas', '--config', config])
  t.equal(good.exitCode, 0, good.stderr)
  t.match(good.stdout, /^nas: 3 of 3 copies .* are right\nno fault/)

  flipByte(join(nas, segment))
  rmSync(join(nas, parquet))
  const bad = await commandHere(['verify', 'nas', '--json', '--config', config])
  t.equal(bad.exitCode, 1)
  const lines = bad.stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as object)
  matchAll(t, lines, [
    { type: 'finding', code: 'COPY_WRONG', path: segment, hint: /copies it again/ },
    { type: 'finding', code: 'COPY_MISSING', path: parquet },
    { type: 'proven', proof: 'nas', files: 3, right: 1, wrong: 1, missing: 1 },
    { type: 'result', ok: false, faults: 2 },
  ])

  rmSync(nas, { recursive: true })
  const away = await commandHere(['verify', 'nas', '--config', config])
  t.equal(away.exitCode, 1)
  t.match(away.stdout, /\[SYNC_TARGET_MISSING\]/, 'a target that is not there proves nothing')
})
