import { cpSync, existsSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import pino from 'pino'
import t from 'tap'
import { runSyncer } from '../../syncer/main.js'
import {
  filesBelow,
  handClock,
  HOUR_14,
  HOUR_MS,
  MINUTE_MS,
  ShippedTree,
  testConfig,
  passOnce,
} from '../fixtures/shipped-tree.js'
import { matchAll } from '../fixtures/match-all.js'

const log = pino({ level: 'silent' })
const signal = new AbortController().signal
const dataOf = ({ dataDir }: ShippedTree) => [...filesBelow(dataDir).keys()].filter(path => /^(raw|parquet)/.test(path))

t.test('the target is the dataDir, by whatever name', async t => {
  const folder = t.testdir({ real: { data: {} } })
  const dataDir = join(folder, 'real/data')
  const tree = new ShippedTree(dataDir)
  tree.segment(1)
  symlinkSync(join(folder, 'real'), join(folder, 'link'))
  symlinkSync(dataDir, join(folder, 'alias'))
  for (const name of ['alias', 'link/data', 'link', 'link/data/raw', 'link/data/new', 'real/../real/data/']) {
    const config = testConfig(dataDir, { target: join(folder, name), graceMinutes: 0 })
    await t.rejects(runSyncer({ config, log, once: true, signal }), { code: 'SYNC_TARGET_NOT_ELSEWHERE' }, name)
    const swapped = testConfig(join(folder, 'link/data'), {
      target: join(folder, 'real', name.includes('data') ? 'data' : ''),
    })
    await t.rejects(runSyncer({ config: swapped, log, once: true, signal }), { code: 'SYNC_TARGET_NOT_ELSEWHERE' })
  }
  t.same(dataOf(tree).length, 2)
  t.notOk(existsSync(join(dataDir, 'new')))
})

t.test('a copy that is the file here under another name proves nothing', async t => {
  const folder = t.testdir()
  const tree = new ShippedTree(join(folder, 'data'))
  const segment = tree.segment(1)
  tree.compacted(segment, 1)
  const nas = join(folder, 'nas')
  const clock = handClock(HOUR_14 + 2 * HOUR_MS)
  const config = testConfig(tree.dataDir, { target: nas, graceMinutes: 0 }, { keepHours: 10 })
  const once = () => passOnce(config, clock)
  t.match(await once(), { verifiedFiles: 3 })
  for (const path of ['raw', 'parquet']) rmSync(join(nas, path), { recursive: true })
  cpSync(join(tree.dataDir, 'parquet'), join(nas, 'parquet'), { recursive: true })
  // What a mount of our own folder over the target's looks like from here: the same inodes.
  mkdirSync(join(nas, dirname(segment)), { recursive: true })
  for (const path of dataOf(tree)) if (path.startsWith('raw')) linkSync(join(tree.dataDir, path), join(nas, path))
  clock.advance(24 * HOUR_MS)
  const report = await once()
  t.match(report, { retiredFiles: 0 })
  t.match(report.problems.find(({ path }) => path === segment)?.reason, /is the file here under another name/)
  t.ok(existsSync(join(tree.dataDir, segment)))
})

t.test('a link at the target is never followed', async t => {
  const folder = t.testdir({ outside: {}, nas: {} })
  const tree = new ShippedTree(join(folder, 'data'))
  const segment = tree.segment(1)
  const parquet = tree.compacted(segment, 1)
  const nas = join(folder, 'nas')
  const outside = join(folder, 'outside')
  const clock = handClock(HOUR_14 + 2 * HOUR_MS)
  const config = testConfig(tree.dataDir, { target: nas, graceMinutes: 0 }, { keepHours: 10 })
  const once = () => passOnce(config, clock)
  symlinkSync(outside, join(nas, 'raw'))
  mkdirSync(join(nas, dirname(dirname(parquet))), { recursive: true })
  symlinkSync(outside, join(nas, dirname(parquet)))
  const report = await once()
  t.match(report, { error: undefined, shippedFiles: 0, problemFiles: 3 })
  const reason = /found a link at .*, wanted a folder/
  matchAll(t, report.problems, [{ reason }, { reason }, { reason }])
  t.same(readdirSync(outside), [])

  rmSync(join(nas, 'raw'))
  rmSync(join(nas, dirname(parquet)))
  t.match(await once(), { verifiedFiles: 3 })
  // Planted later, before the last look: what lies behind it is not taken for the copy, and nothing of it is moved.
  const hour = dirname(segment)
  renameSync(join(nas, hour), join(outside, 'moved'))
  symlinkSync(join(outside, 'moved'), join(nas, hour))
  const moved = filesBelow(outside)
  clock.advance(24 * HOUR_MS)
  t.match(await once(), { retiredFiles: 0 })
  t.same(filesBelow(outside), moved)
  t.equal(dataOf(tree).length, 3)
})

t.test('a power cut there took the last mark back, and a syncer with nothing to bring refused it for good', async t => {
  const folder = t.testdir({ nas: {} })
  const tree = new ShippedTree(join(folder, 'data'))
  const [nas, before] = [join(folder, 'nas'), join(folder, 'before')]
  const clock = handClock(HOUR_14 + 2 * HOUR_MS)
  const config = testConfig(tree.dataDir, { target: nas, graceMinutes: 15 }, { keepHours: 1000 })
  const after = (minutes: number) => {
    clock.advance(minutes * MINUTE_MS)
    return passOnce(config, clock)
  }
  tree.compacted(tree.segment(1), 1)
  await after(0)
  t.match(await after(20), { error: undefined, verifiedFiles: 3 })
  cpSync(nas, before, { recursive: true, preserveTimestamps: true })
  tree.compacted(tree.segment(2), 2)
  t.match(await after(20), { shippedFiles: 3 })
  rmSync(nas, { recursive: true })
  renameSync(before, nas)
  t.match(await after(5), { error: undefined, shippedFiles: 0 }, 'the mark before is believed for a while')
  t.match(await after(20), { error: undefined, missingFiles: 3 }, 'and from then on')
  t.match(await after(5), { error: undefined, shippedFiles: 0 })
  t.match(await after(20), { error: undefined, verifiedFiles: 3 })
})
