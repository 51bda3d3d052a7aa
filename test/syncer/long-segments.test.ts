import { existsSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import pino from 'pino'
import t from 'tap'
import { withState } from '../../formats/raw-path.js'
import { runSyncer } from '../../syncer/main.js'
import { handClock, HOUR_14, HOUR_MS, ShippedTree, testConfig } from '../fixtures/shipped-tree.js'

t.test(
  'a segment that goes on for hours: shipped when it is sealed, and deleted here by the age of its date',
  async t => {
    const folder = t.testdir({})
    const tree = new ShippedTree(join(folder, 'data'))
    const clock = handClock(HOUR_14 + 1.5 * HOUR_MS)
    const target = join(folder, 'nas')
    const config = testConfig(tree.dataDir, { target, graceMinutes: 0 }, { keepHours: 2 })
    const once = async () => {
      const log = pino({ level: 'silent' })
      const report = await runSyncer({ config, log, once: true, signal: new AbortController().signal, clock })
      clock.advance(HOUR_MS)
      return report
    }
    const at3Ms = HOUR_14 - 11 * HOUR_MS
    tree.compacted(tree.segment(2), 2)
    const long = tree.segment(1, undefined, at3Ms, { ofDate: true })
    const open = tree.write(withState(long, 'open'), 'still written to')
    for (const state of ['sealed', 'manifest'] as const) rmSync(join(tree.dataDir, withState(long, state)))
    t.match(
      await once(),
      { shippedFiles: 3, verifiedFiles: 3, verifiedThroughMs: at3Ms },
      'of that hour something is open',
    )
    rmSync(join(tree.dataDir, open))
    const parquet = tree.compacted(tree.segment(1, undefined, at3Ms, { ofDate: true }), 1, at3Ms)
    t.match(parquet, /\/24-h-abc-1\.parquet$/)
    t.match(await once(), { shippedFiles: 3, verifiedFiles: 3, verifiedThroughMs: HOUR_14 + HOUR_MS, retiredFiles: 0 })
    for (const path of [long, withState(long, 'manifest'), parquet]) t.ok(existsSync(join(target, path)), path)
    t.match(await once(), { retiredFiles: 3 }, 'the hour is old enough, the date is not')
    t.ok(existsSync(join(tree.dataDir, long)))
    while (clock.nowMs() < HOUR_14 + 12 * HOUR_MS) t.match(await once(), { retiredFiles: 0, problemFiles: 0 })
    t.match(await once(), { retiredFiles: 3, problemFiles: 0 }, 'two hours after midnight')
    t.notOk(existsSync(join(tree.dataDir, long)))
    await once()
    t.notOk(existsSync(dirname(join(tree.dataDir, long))), 'with its folder')
  },
)
