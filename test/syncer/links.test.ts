/** A tree of ours, or a part of it, that is a link to somewhere else. */
import { existsSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { partProblems } from '../../monitor/doctor/part-problems.js'
import { createLogger } from '../../platform/log.js'
import { runSyncer } from '../../syncer/main.js'
import { copyDurably } from '../../syncer/targets/durable-copy.js'
import { matchAll } from '../fixtures/match-all.js'
import { HOUR_14, HOUR_MS, ShippedTree, handClock, sha256, testConfig } from '../fixtures/shipped-tree.js'

const HOUR = 'raw/exchange=deribit/channel=trades/date=2026-11-20/hour=14'

for (const linked of ['raw', 'parquet', 'raw/exchange=deribit/channel=trades', dirname(HOUR), HOUR]) {
  t.test(`${linked} is a link: nothing of it was shipped, and nothing was said`, async t => {
    const folder = t.testdir({ nas: {}, elsewhere: {} })
    const tree = new ShippedTree(join(folder, 'data'))
    tree.compacted(tree.segment(1, undefined, HOUR_14, linked === HOUR ? { inHourFolder: true } : {}), 1)
    const [place, real] = [join(tree.dataDir, linked), join(folder, 'elsewhere', 'it')]
    renameSync(place, real)
    symlinkSync(real, place)
    const config = testConfig(tree.dataDir, { target: join(folder, 'nas'), graceMinutes: 0 }, { keepHours: 0 })
    const run = { config, log: createLogger('test', 'silent'), once: true, clock: handClock(HOUR_14 + 100 * HOUR_MS) }
    const sync = () => runSyncer({ ...run, signal: new AbortController().signal })

    const told = await sync()
    t.equal(told.problemFiles, 1)
    matchAll(t, told.problems, [{ path: linked, reason: /found a link .*mount --bind/ }])
    t.ok(existsSync(join(folder, 'nas', linked.startsWith('raw') ? 'parquet' : 'raw')), 'the others are shipped')
    t.notOk(existsSync(join(folder, 'nas', linked)))
    t.ok(existsSync(join(tree.dataDir, linked)), 'and it stays')
    const findings = partProblems(config)
    t.equal(findings.filter(({ check }) => check === 'shipping').length, 1)
    if (linked !== HOUR)
      matchAll(t, findings, [
        { check: 'links', message: new RegExp(`^${linked}: found a link`) },
        { check: 'shipping' },
      ])

    rmSync(place)
    renameSync(real, place)
    t.match(await sync(), { problemFiles: 0 })
    t.ok(existsSync(join(folder, 'nas', linked)), 'put in its place it is shipped')
  })
}

t.test('a file that became a link after it was looked at was copied from behind it', async t => {
  const folder = t.testdir({ nas: {}, data: { segment: t.fixture('symlink', '../elsewhere') }, elsewhere: 'content\n' })
  const facts = { bytes: 8, mtimeMs: 0, sha256: sha256('content\n'), md5: '', replace: false }
  const copied = copyDurably(
    { path: 'segment', ...facts },
    join(folder, 'data'),
    join(folder, 'nas/segment'),
    () => undefined,
  )
  await t.rejects(copied, { code: 'ELOOP' })
  t.same(readdirSync(join(folder, 'nas')), [])
})
