import { rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { acquireProcessLock } from '../../platform/process-lock.js'
import { withState } from '../../formats/raw-path.js'
import { verifyTarget } from '../../syncer/main.js'
import {
  flipByte,
  handClock,
  HOUR_14,
  HOUR_MS,
  ShippedTree,
  testConfig,
  visibleBelow,
  passOnce,
} from '../fixtures/shipped-tree.js'
import { startTarget } from '../fixtures/sync-targets.js'
import { matchAll } from '../fixtures/match-all.js'

const signal = new AbortController().signal

for (const kind of ['folder', 'daemon', 'ssh'] as const) {
  t.test(kind, async t => {
    const folder = t.testdir()
    const target = await startTarget(t, kind, folder)
    if (!target) return
    const tree = new ShippedTree(join(folder, 'data'))
    const segment = tree.segment(1)
    const parquet = tree.compacted(segment, 1)
    const config = testConfig(tree.dataDir, { ...target.sync, graceMinutes: 0 })
    const clock = handClock(HOUR_14 + 2 * HOUR_MS)
    const pass = () => passOnce(config, clock)
    t.match(await verifyTarget({ config, signal }), { files: 0, noted: true }, 'before anything was shipped')
    await pass()
    const done: number[] = []
    const proof = await verifyTarget({ config, signal, onProgress: ({ doneFiles }) => done.push(doneFiles) })
    matchAll(t, proof, { files: 3, doneFiles: 3, right: 3, wrong: [], missing: [], problems: [], error: undefined })
    t.same(done, [1, 2, 3])
    t.equal(proof.bytes, proof.doneBytes)

    flipByte(join(target.root, segment))
    rmSync(join(target.root, parquet))
    const lock = acquireProcessLock(join(tree.dataDir, 'state/syncer/lock'), 'syncer')
    const beside = await verifyTarget({ config, signal, clock })
    lock.release()
    const found = { right: 1, missing: [parquet], noted: false }
    matchAll(t, beside, { ...found, wrong: [segment] }, 'beside a syncer it only tells')
    if (kind === 'folder') {
      // The bad copy was set aside, so that readers no longer see it.
      matchAll(t, await verifyTarget({ config, signal, clock }), { right: 1, missing: [parquet, segment], noted: true })
    } else matchAll(t, await verifyTarget({ config, signal, clock }), { ...found, wrong: [segment], noted: true })

    t.match(await pass(), { shippedFiles: 2, verifiedFiles: 2 }, 'the syncer ships them anew')
    t.equal(visibleBelow(target.root).get(segment), 'segment 1\n')
    t.ok(visibleBelow(target.root).has(withState(segment, 'manifest')))
  })
}
