/**
 * The compactor cut off before each of its steps, by a kill or a power cut on a disk that forgets what was not synced, while
 * it converts, rolls up and rebuilds. What a reader finds is judged each time; now and then a compactor takes it up.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { finishSwitch } from '../../compactor/date/folder-switch.js'
import { readReceipts } from '../../formats/receipt.js'
import { readReplaced, switchPath } from '../../formats/replacement.js'
import type { Leaves } from '../fixtures/after-crash.js'
import { CrashPoints } from '../fixtures/crash-points.js'
import { seeded } from '../fixtures/dice.js'
import { memoryFolder } from '../fixtures/memory-folder.js'
import { findProgram } from '../fixtures/needs.js'
import { WatchedFiles } from '../fixtures/watched-files.js'
import { writeBacklog } from './fixtures/backlog.js'
import { compactOnce, configFor, hashes } from './fixtures/compacted.js'

t.setTimeout(600_000)

const DATE = '2024-01-02'
const HOURS = 2
const FRAMES = 12
/** Of crashes like others each so many is tried, in turns of the ways; all of them with `npm run long crashes`. */
const EVERY = Number(process.env['EDGETAPE_CRASH_EVERY'] ?? 10)
/** Each so many crashes is taken up by a compactor. */
const TAKE_UP_EVERY = Number(process.env['EDGETAPE_TAKE_UP_EVERY'] ?? 40)

type Options = Parameters<typeof compactOnce>[1]
const compact = (dataDir: string, more: Options = {}) =>
  compactOnce(dataDir, { config: configFor(dataDir, { rollUpAfterMinutes: 0 }), nowMs: Date.now, ...more })

const outputs = (dataDir: string): Record<string, string> => ({
  ...below(dataDir, 'parquet'),
  ...below(dataDir, 'quarantine'),
})
function below(dataDir: string, tree: string): Record<string, string> {
  if (!existsSync(join(dataDir, tree))) return {}
  return Object.fromEntries(
    Object.entries(hashes(join(dataDir, tree))).map(([path, sha256]) => [`${tree}/${path}`, sha256]),
  )
}

const isTemporary = (path: string) => path.startsWith('data/state/compactor/tmp')
const isUnneeded = (path: string) => /^data\/state\/(compactor\.json|compactor\/lock)/.test(path)

interface Story {
  watched: WatchedFiles
  begin: number
  /** How many segments were said to be converted when so many steps had been done. */
  told: { steps: number; segments: number }[]
}

/** What a compactor does in `dataDir`, watched. */
async function watch(root: string, dataDir: string, options: Options): Promise<Story> {
  const watched = new WatchedFiles(root, isUnneeded)
  const begin = watched.steps.length
  const told = [{ steps: 0, segments: 0 }]
  const onProgress = ({ segments }: { segments: number }) => told.push({ steps: watched.steps.length, segments })
  await watched.during(async () => {
    const { failed } = await compact(dataDir, { ...options, onProgress })
    t.equal(failed, 0)
  })
  return { watched, begin, told }
}

const root = memoryFolder(t)
mkdirSync(join(root, 'bin'))
const live = join(root, 'live')
const dataDir = join(live, 'data')
writeBacklog(join(root, 'hourly/data'), HOURS, FRAMES)
await compact(join(root, 'hourly/data'), { config: configFor(join(root, 'hourly/data'), { rollUp: false }) })
const hourly = outputs(join(root, 'hourly/data'))
writeBacklog(dataDir, HOURS, FRAMES)
const made = await watch(live, dataDir, {})
const expected = outputs(dataDir)
// As an earlier version left it, which understood less.
const quarantined = Object.keys(expected).find(path => path.startsWith('quarantine/')) ?? ''
appendFileSync(join(dataDir, quarantined), '{"reason":"not understood then"}\n')
const earlier = outputs(dataDir)
const rebuilt = await watch(live, dataDir, { rebuild: { date: DATE } })
const renamed = await watchWithoutExchange()

t.test('converted and rolled up, cut off before every step', t => everyCrash(t, made, true))
t.test('rebuilt, cut off before every step: nobody finds less than before', t => everyCrash(t, rebuilt, false))

t.test('rebuilt where names are exchanged by renames', t => everyCrash(t, renamed, false))

/** From the moment on at which new folders take the place of the old ones, without the programs that do it in one step. */
async function watchWithoutExchange(): Promise<Story> {
  const path = process.env['PATH']
  symlinkSync(findProgram('flock') ?? 'flock', join(root, 'bin/flock'))
  process.env['PATH'] = join(root, 'bin')
  const story = await watch(live, dataDir, { rebuild: { date: DATE } }).finally(() => (process.env['PATH'] = path))
  const { watched, begin } = story
  const isPlan = (path: string) => path.startsWith('data/state/compactor/switch.json')
  return { ...story, begin: watched.steps.findIndex((step, at) => at >= begin && watched.isWithin(step, isPlan)) }
}

async function everyCrash(t: Test, { watched, begin, told }: Story, isNew: boolean): Promise<void> {
  t.same(outputs(dataDir), expected, 'the same files, byte for byte')
  const ways: [name: string, leaves: (seed: number) => Record<string, Leaves>][] = [
    ['killed', () => ({})],
    ['power cut', () => ({ data: 'nothing' })],
    ['power cut, some left', seed => ({ data: seeded(seed) })],
  ]
  const after = join(root, 'after')
  const points = new CrashPoints(EVERY)
  let [crashes, takenUp] = [0, 0]
  for (let count = begin; count <= watched.steps.length; count++) {
    const step = watched.steps[count]
    if (step && watched.isWithin(step, isTemporary)) continue
    for (const [index, [way, leaves]] of ways.entries()) {
      if (step && !points.isTried(count, watched.kindOf(step), index)) continue
      rmSync(after, { recursive: true, force: true })
      const inodes = watched.afterCrash(count, after, leaves(count))
      const name = `${way} before step ${count} (${step?.does ?? 'end'})`
      const found = join(after, 'data')
      crashes++
      asThisDisk(found, inodes)
      judge(found, isNew ? (told.findLast(({ steps }) => steps <= count)?.segments ?? 0) : 2 * HOURS, what =>
        t.fail(`${name}: ${what}`),
      )
      if (!step) t.same(outputs(found), expected, `${name}: what was done is durable`)
      if (crashes % TAKE_UP_EVERY !== 0) continue
      takenUp++
      t.match(await compact(found), { failed: 0 }, name)
      // A rebuild that was cut off is not taken up: where it had not come far, quarantine is as it was.
      const taken = isNew ? outputs(found) : { ...outputs(found), [quarantined]: expected[quarantined] }
      t.same(taken, expected, `${name}: taken up, the same files`)
    }
  }
  rmSync(after, { recursive: true, force: true })
  t.ok(crashes > 40 && takenUp > 0, `${crashes} crashes at ${watched.steps.length - begin} steps, ${takenUp} taken up`)
}

/** A switch is known by inodes, which are others here. */
function asThisDisk(dataDir: string, inodes: ReadonlyMap<number, number>): void {
  const path = switchPath(dataDir)
  if (!existsSync(path)) return
  const plan = JSON.parse(readFileSync(path, 'utf8')) as { folders: { inode: number }[] }
  for (const folder of plan.folders) folder.inode = inodes.get(folder.inode) ?? folder.inode
  writeFileSync(path, JSON.stringify(plan))
}

/** What must be true of what readers find, once a switch that was begun is done. */
function judge(dataDir: string, segmentsTold: number, complain: (what: string) => void): void {
  finishSwitch(dataDir)
  const found = outputs(dataDir)
  const isKnown = (path: string, sha256: string) => [hourly, earlier, expected].some(known => known[path] === sha256)
  for (const [path, sha256] of Object.entries(found)) if (!isKnown(path, sha256)) complain(`${path} is not whole`)
  const receipts = [...readReceipts(dataDir).values()]
  if (receipts.length < segmentsTold) complain(`${receipts.length} receipts of ${segmentsTold} that were told`)
  for (const { segment, outputs } of receipts)
    for (const { path, sha256 } of outputs)
      if (found[path] !== sha256)
        complain(`${segment} is said to be in ${path}, which is ${found[path] ? 'another' : 'gone'}`)
  for (const [path, by] of readReplaced(dataDir, DATE)) {
    if (found[path] !== undefined) complain(`${path} is said to be replaced, and is there: its rows are twice`)
    for (const one of by)
      if (found[one] === undefined) complain(`${path} is said to be replaced by ${one}, which is gone`)
  }
  const isDay = (path: string) => /\/day-[^/]*$/.test(path)
  for (const day of Object.keys(found).filter(isDay)) {
    const beside = Object.keys(hourly).filter(path => path.startsWith(day.slice(0, day.lastIndexOf('/') + 1)))
    for (const path of beside) if (found[path] !== undefined) complain(`${path} is beside ${day}: its rows are twice`)
  }
}
