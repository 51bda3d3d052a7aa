import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import pino from 'pino'
import t from 'tap'
import { reportPath } from '../../formats/report-path.js'
import { runSyncer } from '../../syncer/main.js'
import { handClock, HOUR_14, HOUR_MS, ShippedTree, testConfig } from '../fixtures/shipped-tree.js'
import { startTarget } from '../fixtures/sync-targets.js'

t.test('the report of a day is shipped, verified and at last removed here', async t => {
  const folder = t.testdir()
  const target = await startTarget(t, 'folder', folder)
  if (!target) return
  const tree = new ShippedTree(join(folder, 'data'))
  const path = reportPath('2026-11-20', 'h_abcdefgh')
  mkdirSync(dirname(join(tree.dataDir, path)), { recursive: true })
  writeFileSync(join(tree.dataDir, path), '<h1>2026-11-20</h1>')
  writeFileSync(join(tree.dataDir, `${path}.tmp`), 'half of one')
  const clock = handClock(HOUR_14 + 24 * HOUR_MS)
  const config = testConfig(tree.dataDir, { ...target.sync, graceMinutes: 0 }, { keepHours: 48 })
  const log = pino({ level: 'silent' })
  const once = () => runSyncer({ config, log, once: true, signal: new AbortController().signal, clock })
  t.match(await once(), { error: undefined, verifiedFiles: 1 })
  t.equal(readFileSync(join(target.root, path), 'utf8'), '<h1>2026-11-20</h1>')
  t.notOk(existsSync(join(target.root, `${path}.tmp`)))
  t.ok(existsSync(join(tree.dataDir, path)))
  clock.advance(48 * HOUR_MS)
  await once()
  t.notOk(existsSync(join(tree.dataDir, path)), 'after keepHours')
  t.ok(existsSync(join(target.root, path)))
})
