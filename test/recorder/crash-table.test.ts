import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseSegmentPath } from '../../formats/raw-path.js'
import t, { type Test } from 'tap'
import { seeded } from '../fixtures/dice.js'
import { CrashPoints } from '../fixtures/crash-points.js'
import { LoggedDisk, type LoggedStep } from '../fixtures/logged-disk.js'
import type { StorageOptions } from '../../recorder/storage/messages.js'
import { memoryFolder } from '../fixtures/memory-folder.js'
import { batchOf, recoveredNumbers, SLOT_TO_US, storeOptions, StoreRun } from '../fixtures/store-run.js'

t.setTimeout(240_000)

/** Of crashes like others each so many is tried, in turns of the ways; all of them with `npm run long crashes`. */
const EVERY = Number(process.env['EDGETAPE_CRASH_EVERY'] ?? 5)
const FAMILIES = ['trades', 'quote', 'journal']
const WAYS = ['killed', 'power cut, all forgotten', 'power cut, some forgotten']
const LINES = 40
/** Rounds of one batch a family. */
const ROUNDS = 5
const FSYNC_MS = 40
/** Batches come within it: they are blocks of one zstd frame. */
const FRAME_MS = 1000

/** How many lines of each family were acknowledged when a number of steps had been done. */
interface Acknowledged {
  steps: number
  lines: Map<string, number>
}

/** Each round in an hour of its own: what is little from the second on is in one segment, which goes on. */
const IN_HOURS: Partial<StorageOptions> = { long: { hours: 24, bytes: 10_000 }, rotateBytes: 1e6 }
const HOUR_US = 3600e6

/** Opens, appends, syncs, rotates by size and by time, and seals: every step that a recorder's disk sees. */
async function everyStep(root: string, more: Partial<StorageOptions> = {}) {
  const disk = new LoggedDisk(root)
  const lines = new Map<string, number>()
  const acknowledged: Acknowledged[] = [{ steps: 0, lines: new Map() }]
  const options = storeOptions(root, {
    fsyncMs: FSYNC_MS,
    frameMs: FRAME_MS,
    rotateBytes: 900,
    openFilesMax: 2,
    ...more,
  })
  const sealed: { steps: number; path: string }[] = []
  const run = new StoreRun(options, disk, event => {
    if (event.type === 'sealed') sealed.push({ steps: disk.steps.length, path: event.path })
    if (event.type !== 'stored') return
    lines.set(event.channel, (lines.get(event.channel) ?? 0) + event.frames)
    acknowledged.push({ steps: disk.steps.length, lines: new Map(lines) })
  })
  const rounds = more.long ? 3 : ROUNDS
  for (let round = 0; round < rounds; round++) {
    const laterUs = more.long ? round * HOUR_US : 0
    run.store.handle({ type: 'tick', nowUs: SLOT_TO_US - HOUR_US + laterUs + 10e6 })
    for (const family of FAMILIES) {
      const batch = batchOf(family, round * LINES + 1, (round + 1) * LINES)
      const { slotFromUs, slotToUs, firstRecvUs, lastRecvUs } = batch
      const slot = { slotFromUs: slotFromUs + laterUs, slotToUs: slotToUs + laterUs }
      run.store.handle({ ...batch, ...slot, firstRecvUs: firstRecvUs + laterUs, lastRecvUs: lastRecvUs + laterUs })
    }
    await delay(15)
    // What follows may else be on the disk before the end of what was before: neither is promised yet.
    await run.until('what ended is synced', () => !run.store.hasTurns)
  }
  run.store.handle({ type: 'tick', nowUs: SLOT_TO_US + 24 * HOUR_US })
  await run.until(
    'all is sealed by time',
    () => run.of('sealed').reduce((sum, { manifest }) => sum + manifest.frames, 0) === FAMILIES.length * rounds * LINES,
  )
  return { disk, acknowledged, sealed }
}

for (const [what, more] of [
  ['every step', {}],
  ['every step of segments that go on for hours', IN_HOURS],
] as const)
  t.test(`a crash at ${what}: nothing stored is lost, nothing is doubled or changed`, t => crashAtEveryStep(t, more))

async function crashAtEveryStep(t: Test, more: Partial<StorageOptions>): Promise<void> {
  const folder = memoryFolder(t)
  mkdirSync(join(folder, 'live'))
  const { disk, acknowledged, sealed } = await everyStep(join(folder, 'live'), more)
  if (more.long)
    t.ok(
      sealed.some(({ path }) => parseSegmentPath(path)?.name.ofDate),
      'some go on',
    )
  const kinds = new Set(disk.steps.map(({ does }) => does))
  t.same(
    kinds,
    new Set(['makeFolder', 'syncFolder', 'create', 'write', 'sync', 'rename']),
    'all kinds of steps are there',
  )

  /** What was acknowledged by the first `count` steps. */
  const promised = (count: number) =>
    acknowledged.findLast(({ steps }) => steps <= count)?.lines ?? new Map<string, number>()
  const check = async (name: string, count: number, dataDir: string, least: Map<string, number>) => {
    for (const { steps, path } of sealed)
      if (steps <= count && !existsSync(join(dataDir, path))) t.fail(`${name}: ${path} was said to be sealed`)
    const found = await recoveredNumbers(dataDir)
    for (const family of FAMILIES) {
      const numbers = found.get(family) ?? []
      // Whole, in order, once each, from the first on.
      if (numbers.some((n, index) => n !== index + 1))
        t.fail(`${name}: ${family}: lines doubled or missing: ${numbers.join(' ')}`)
      if (numbers.length < (least.get(family) ?? 0))
        t.fail(`${name}: ${family}: ${numbers.length} of ${least.get(family) ?? 0} lines`)
    }
    rmSync(dataDir, { recursive: true })
  }

  const target = join(folder, 'after')
  let crashes = 0
  for (const { count, way, name } of crashesOf(disk, 0)) {
    crash(disk, count, target, way)
    const least = way === 0 ? promised(count) : synced(disk, count, acknowledged)
    await check(name, count, target, least)
    crashes++
  }
  t.ok(longestUnsyncedMs(disk) < FSYNC_MS + 3000, `unsynced for ${Math.round(longestUnsyncedMs(disk))} ms at most`)
  t.same(syncedWithoutName(disk), [])
  t.ok(crashes > 60, `${disk.steps.length} steps, ${crashes} crashes`)
}

t.test('a recovery that is cut off at every step, by a kill or a power cut, is done again', async t => {
  const folder = memoryFolder(t)
  mkdirSync(join(folder, 'live'))
  const { disk, acknowledged } = await everyStep(join(folder, 'live'))
  const count = disk.steps.findLastIndex(({ does }) => does === 'write') - 20
  const crashed = join(folder, 'crashed')
  disk.afterKill(count, crashed)
  const least = acknowledged.findLast(({ steps }) => steps <= count)?.lines ?? new Map<string, number>()
  const recovery = new LoggedDisk(crashed)
  const first = recovery.steps.length
  const expected = await recoveredNumbers(crashed, recovery)
  t.ok(least.size > 0)
  t.ok(
    [...least].every(([family, lines]) => expected.get(family)?.length === lines),
    'nothing is lost',
  )
  const again = join(folder, 'again')
  let crashes = 0
  for (const { count: cut, way, name } of crashesOf(recovery, first)) {
    crash(recovery, cut, again, way)
    const found = await recoveredNumbers(again)
    if (JSON.stringify([...found].sort()) !== JSON.stringify([...expected].sort())) t.fail(name)
    rmSync(again, { recursive: true })
    crashes++
  }
  t.ok(crashes > 20, `${recovery.steps.length - first} steps of recovery, ${crashes} crashes`)
})

/** Leaves in `target` what a crash after `count` steps would. */
function crash(disk: LoggedDisk, count: number, target: string, way: number): void {
  if (way === 0) disk.afterKill(count, target)
  else disk.afterPowerCut(count, target, way === 1 ? 'all' : seeded(count))
}

/** Crashes that are tried, from a step on. */
function* crashesOf(disk: LoggedDisk, from: number) {
  const points = new CrashPoints(EVERY)
  for (let count = from; count <= disk.steps.length; count++) {
    const step = disk.steps[count]
    for (const [way, what] of WAYS.entries())
      if (!step || points.isTried(count, disk.kindOf(step), way))
        yield { count, way, name: `${what} before ${count} (${step?.does ?? 'end'})` }
  }
}

/** What a power cut after `count` steps must leave: all lines behind whose write the file and its name were synced. */
function synced(disk: LoggedDisk, count: number, acknowledged: Acknowledged[]): Map<string, number> {
  const least = new Map<string, number>()
  for (const { steps, lines } of acknowledged) {
    const write = disk.steps.slice(0, steps).findLast(step => step.does === 'write')
    if (write?.does !== 'write') continue
    const created = disk.steps.findIndex(step => step.does === 'create' && step.file === write.file)
    const syncs = (step: LoggedStep, index: number) =>
      index < count && step.does === 'sync' && step.after >= steps && step.file === write.file
    const names = (step: LoggedStep, index: number) =>
      index < count && step.does === 'syncFolder' && step.after > created && step.name === folder
    const folder = dirname(nameOf(disk.steps[created]))
    const family = /channel=(\w+)/.exec(nameOf(disk.steps[created]))?.[1] ?? ''
    if (disk.steps.some(syncs) && disk.steps.some(names)) least.set(family, lines.get(family) ?? 0)
  }
  return least
}

/** How long bytes of an open segment waited for their sync, at most. */
function longestUnsyncedMs({ steps }: LoggedDisk): number {
  const waits = steps.map((step, index) => {
    if (step.does !== 'write') return 0
    const sync = steps.find(later => later.does === 'sync' && later.after > index && later.file === step.file)
    return (sync?.atMs ?? Infinity) - step.atMs
  })
  return Math.max(...waits)
}

/** Open segments whose bytes were synced twice before their name was: until then a power cut takes all of it. */
function syncedWithoutName({ steps }: LoggedDisk): string[] {
  return steps.flatMap((step, created) => {
    const name = nameOf(step)
    if (step.does !== 'create' || !name.endsWith('.open')) return []
    const named = steps.findIndex(one => one.does === 'syncFolder' && one.after > created && one.name === dirname(name))
    const before = steps.slice(0, named).filter(one => one.does === 'sync' && one.file === step.file)
    return named >= 0 && before.length <= 1 ? [] : [name]
  })
}

const nameOf = (step: LoggedStep | undefined) => (step?.does === 'create' ? step.name : '')
