import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { acquireProcessLock } from '../../platform/process-lock.js'
import { surveyRetention } from '../../syncer/main.js'
import { commandHere } from '../fixtures/command-here.js'
import { filesBelow, handClock, HOUR_14, HOUR_MS, ShippedTree, testConfig, passOnce } from '../fixtures/shipped-tree.js'
import { matchAll } from '../fixtures/match-all.js'

/** Segment 1 is verified and compacted, 2 verified only, 3 not even shipped; 4 is of a later hour and like 1. */
async function surveyed(folder: string) {
  const tree = new ShippedTree(join(folder, 'data'))
  tree.compacted(tree.segment(1), 1)
  tree.segment(2)
  const late = HOUR_14 + 5 * HOUR_MS
  tree.compacted(tree.segment(4, 'later\n', late), 4, late)
  const config = testConfig(tree.dataDir, { target: join(folder, 'nas'), graceMinutes: 0 }, { keepHours: 10 })
  const clock = handClock(HOUR_14 + 8 * HOUR_MS)
  await passOnce(config, clock)
  tree.segment(3)
  clock.advance(4 * HOUR_MS)
  return { tree, config, clock }
}

const listOf = (dataDir: string) => [...filesBelow(dataDir).keys()].filter(path => /^(raw|parquet)\//.test(path))

t.test('tells what would go and why the rest stays, and deletes nothing', async t => {
  const { tree, config, clock } = await surveyed(t.testdir())
  const before = listOf(tree.dataDir)
  const { dates, neededBytes } = await surveyRetention({ config, dryRun: true, clock })
  t.equal(neededBytes, 0)
  matchAll(t, dates, [{ date: '2026-11-20', ageFiles: 3, youngFiles: 3, problems: [] }])
  matchAll(
    t,
    dates[0]?.goes.map(({ path }) => path.replace(/.*\//, '')),
    ['20261120T140000Z_1h-h-abc-1.jsonl.zst', '20261120T140000Z_1h-h-abc-1.json', '14-h-abc-1.parquet'],
  )
  t.same(Object.fromEntries(dates[0]?.stays ?? []), { 'not compacted': 1, 'not verified': 1, 'segment still here': 2 })
  t.same(listOf(tree.dataDir), before)
})

t.test('without --dry-run the same files go', async t => {
  const { tree, config, clock } = await surveyed(t.testdir())
  const told = (await surveyRetention({ config, dryRun: true, clock })).dates.flatMap(({ goes }) =>
    goes.map(file => file.path),
  )
  const proven: [number, number][] = []
  await surveyRetention({ config, dryRun: false, clock, onProven: (...bytes) => proven.push(bytes) })
  const [[bytes, all] = [0, 0]] = proven
  t.ok(proven.length === 1 && bytes > 0 && bytes === all, 'says how far it is')
  t.equal(told.length, 3)
  for (const path of told) t.notOk(existsSync(join(tree.dataDir, path)), path)
  t.equal(listOf(tree.dataDir).length, 7)
})

t.test('only a dry run works beside a syncer', async t => {
  const { tree, config, clock } = await surveyed(t.testdir())
  const lock = acquireProcessLock(join(tree.dataDir, 'state/syncer/lock'), 'syncer')
  t.teardown(() => lock.release())
  t.equal((await surveyRetention({ config, dryRun: true, clock })).dates[0]?.goes.length, 3)
  await t.rejects(surveyRetention({ config, dryRun: false, clock }), { code: 'LOCK_HELD' })
})

t.test('space that is needed takes young files, too, and says so', async t => {
  const { config, clock } = await surveyed(t.testdir())
  const tight = { ...config, retention: { ...config.retention, minFreeGiB: 1e9 } }
  const { dates } = await surveyRetention({ config: tight, dryRun: true, clock })
  matchAll(t, dates, [{ ageFiles: 3, youngFiles: 0 }])
  t.equal(dates[0]?.goes.length, 6)
})

t.test('the command', async t => {
  const folder = t.testdir()
  const { tree } = await surveyed(folder)
  const config = join(folder, 'edgetape.yaml')
  const settings = {
    exchange: { name: 'deribit' },
    dataDir: tree.dataDir,
    sync: { target: join(folder, 'nas') },
    retention: { keepHours: 1, minFreeGiB: 0 },
  }
  writeFileSync(config, JSON.stringify(settings))
  const text = await commandHere(['retention', '--dry-run', '--config', config])
  t.match(text.stdout, /^would delete 6 files, [^]*older\s+than\s+1\s+h/)
  t.match(text.stdout, /2026-11-20 +6 .*6 by age +.*2 segment still here/)
  const json = await commandHere(['retention', '--dry-run', '--json', '--config', config])
  matchAll(t, JSON.parse(json.stdout), { dry_run: true, dates: [{ for_age: 6, for_space: 0, young: 0 }] })
})
