/**
 * The syncer cut off before each of its steps: killed, or by a power cut here, at the target, or of both, on disks that
 * forget what was not synced. What was brought, verified, replaced and deleted until then is judged at once, and again when
 * a syncer has taken it up.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import pino from 'pino'
import t, { type Test } from 'tap'
import { readAccount, DateLedger, syncerState } from '../../formats/ledger.js'
import { appendReceipts, readReceiptLines } from '../../formats/receipt.js'
import { appendReplacements, readReplaced } from '../../formats/replacement.js'
import { replacedFiles } from '../../formats/replaced-files.js'
import { createFolderDurable, fsyncFolder, writeFileDurable } from '../../platform/durable-file.js'
import { hasErrno } from '../../platform/edge-error.js'
import { runSyncer } from '../../syncer/main.js'
import type { Leaves } from '../fixtures/after-crash.js'
import { seeded } from '../fixtures/dice.js'
import { memoryFolder } from '../fixtures/memory-folder.js'
import { findProgram } from '../fixtures/needs.js'
import {
  filesBelow,
  handClock,
  HOUR_14,
  HOUR_MS,
  MINUTE_MS,
  sha256,
  ShippedTree,
  testConfig,
  visibleBelow,
} from '../fixtures/shipped-tree.js'
import { startTarget, type TestTarget } from '../fixtures/sync-targets.js'
import { WatchedFiles } from '../fixtures/watched-files.js'

// Mostly waits.

const STORY_MS = 600_000
/** For one crash, where a syncer takes it up through rsync, on a busy machine. */
const CRASH_MS = 5000

t.setTimeout(STORY_MS)
/** From now on. */
const giveTimeFor = (crashes: number) => t.setTimeout(STORY_MS + crashes * CRASH_MS)

const log = pino({ level: 'silent' })
const DATE = '2026-11-20'
const GRACE_MINUTES = 10
const KEEP_HOURS = 100
const START_MS = HOUR_14 + 24 * HOUR_MS
/** All ways before every step with `npm run long crashes`; else each so many of them. */
const EVERY = Number(process.env['EDGETAPE_CRASH_EVERY'] ?? 30)
/** Each so many crashes with an rsync target is taken up by a syncer. */
const TAKE_UP_EVERY = Number(process.env['EDGETAPE_TAKE_UP_EVERY'] ?? 5)

/** One machine that records and one that keeps, below one folder. */
function world(root: string, sync: TestTarget['sync']) {
  const tree = new ShippedTree(join(root, 'data'))
  const config = testConfig(tree.dataDir, { ...sync, graceMinutes: GRACE_MINUTES }, { keepHours: KEEP_HOURS })
  const pass = async (nowMs: number) => {
    const { signal } = new AbortController()
    return runSyncer({ config, log, once: true, signal, clock: handClock(nowMs) })
  }
  return { tree, pass, nas: join(root, 'nas') }
}

const dayOf = (hours: readonly string[]) => `${dirname(hours[0] ?? '')}/day-h.parquet`
const DAY_ROWS = 'row 1\nrow 2\n'

/** What the compactor does at a roll-up, also where it was cut off; it is not the one that is tried here. */
function rollUp(tree: ShippedTree, hours: readonly string[]): string {
  const day = dayOf(hours)
  writeFileDurable(join(tree.dataDir, day), DAY_ROWS)
  for (const path of hours) rmSync(join(tree.dataDir, path), { force: true })
  fsyncFolder(join(tree.dataDir, dirname(day)))
  appendReplacements(tree.dataDir, DATE, [{ by: [day], paths: [...hours] }])
  const output = { path: day, rows: 1, bytes: DAY_ROWS.length, sha256: sha256(DAY_ROWS) }
  const receipts = readReceiptLines(tree.dataDir, DATE)
  const rolled = receipts.map(receipt => ({ ...receipt, outputs: [output] }))
  appendReceipts(tree.dataDir, DATE, rolled)
  return day
}

/** The last of what a roll-up writes is there. */
const isRolledUp = ({ dataDir }: ShippedTree, day: string) =>
  readReceiptLines(dataDir, DATE).filter(({ outputs }) => outputs[0]?.path === day).length >= 2

/** Moments of the story, ms: brought, verified, replaced, verified again, deleted. */
const PASSES = [0, 11, 20, 31, 60 * (KEEP_HOURS + 24), 60 * (KEEP_HOURS + 24) + 11].map(
  minutes => START_MS + minutes * MINUTE_MS,
)
const SETTLED = PASSES.at(-1) ?? 0

type Files = Map<string, string>
/** Recorded data, and what was made of it. */
const ours = (files: Files) => new Map([...files].filter(([path]) => /^(raw|parquet|quarantine)\//.test(path)))

/** Beside our files at the target, and none of them: readers see the one, and not the other. */
const FOREIGN = ['15-other-abc-1.parquet', '.notes-of-another']
const FOLDER = `parquet/exchange=deribit/table=trades/kind=option/currency=BTC/date=${DATE}`
const SEEN = FOREIGN.filter(name => !name.startsWith('.')).map(name => `${FOLDER}/${name}`)
const FOREIGN_ROWS = 'row of another host\n'

interface Story {
  watched: WatchedFiles
  /** What the target had at each step, where programs of its own write there. */
  there: Map<string, string>[]
  begin: number
  passEnds: number[]
  hours: string[]
  day: string
  files: Files
  end: { here: Files; there: Files }
}

/** The whole story, watched; what is to be found after it. */
async function story(t: Test, root: string, { kind, sync }: Pick<TestTarget, 'kind' | 'sync'>): Promise<Story> {
  const { tree, pass, nas } = world(root, sync)
  mkdirSync(nas, { recursive: true })
  createFolderDurable(join(nas, FOLDER))
  for (const name of FOREIGN) writeFileDurable(join(nas, FOLDER, name), FOREIGN_ROWS)
  // Of a target that was met a moment ago a power cut there leaves nothing: that is for a person to judge.
  if (kind !== 'folder') t.match(await pass(START_MS - HOUR_MS), { error: undefined })
  const hours = [1, 2].map(number => tree.hourOfOneRow(number))
  tree.quarantine(1)
  const files = ours(filesBelow(tree.dataDir))
  const there: Files[] = []
  const isUnneeded = (path: string) =>
    /^data\/state\/(syncer\.json|syncer\/lock)/.test(path) || (kind !== 'folder' && !path.startsWith('data'))
  const watched = new WatchedFiles(root, isUnneeded, () => kind !== 'folder' && there.push(seenBelow(nas)))
  const begin = watched.steps.length
  const passEnds: number[] = []
  const day = dayOf(hours)
  await watched.during(async () => {
    for (const [index, nowMs] of PASSES.entries()) {
      if (index === 2) rollUp(tree, hours)
      t.match(await pass(nowMs), { error: undefined, problemFiles: 0 }, `pass ${index + 1}`)
      passEnds.push(watched.steps.length)
    }
  })
  there.push(seenBelow(nas))
  const end = { here: ours(visibleBelow(tree.dataDir)), there: visibleBelow(nas) }
  return { watched, there, begin, passEnds, hours, day, files, end }
}

/** All files below a folder in which another program is at work. */
function seenBelow(root: string): Files {
  for (;;) {
    try {
      return filesBelow(root)
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw error
    }
  }
}

const WAYS: [name: string, leaves: (seed: number) => Record<string, Leaves>][] = [
  ['killed', () => ({})],
  ['power cut here', () => ({ data: 'nothing' })],
  ['power cut there', () => ({ nas: 'nothing' })],
  ['power cut of both', () => ({ data: 'nothing', nas: 'nothing' })],
  ['power cut of both, some left', seed => ({ data: seeded(seed), nas: seeded(seed + 1) })],
]

t.test('cut off before every step: nothing is in neither place, and what is verified is', async t => {
  const live = join(memoryFolder(t), 'live')
  mkdirSync(live)
  const target = { kind: 'folder', sync: { target: join(live, 'nas') } } as const
  const told = await story(t, live, target)
  const { files, day, hours, end } = told
  const left = [...files.keys(), day, ...SEEN].filter(path => !hours.includes(path))
  t.same([...end.there.keys()], left.sort(), 'in the end all is there')
  await everyCrash(t, live, target, told, told.begin, EVERY)
})

t.test('the same where names are exchanged by renames, while the day takes the place of its hours', async t => {
  const folder = memoryFolder(t)
  const live = join(folder, 'live')
  for (const name of ['live', 'bin']) mkdirSync(join(folder, name))
  const target = { kind: 'folder', sync: { target: join(live, 'nas') } } as const
  const path = process.env['PATH']
  for (const name of ['flock', 'dd']) symlinkSync(findProgram(name) ?? name, join(folder, 'bin', name))
  process.env['PATH'] = join(folder, 'bin')
  const told = await story(t, live, target).finally(() => (process.env['PATH'] = path))
  const [, from = 0, to = 0] = told.passEnds
  await everyCrash(t, live, target, told, from, Math.ceil(EVERY / 2), to)
})

t.test('the same with an rsync daemon, where the hours stay and readers are told', async t => {
  const live = join(memoryFolder(t), 'live')
  mkdirSync(live)
  const target = await startTarget(t, 'daemon', live)
  if (!target) return
  const told = await story(t, live, target)
  const { files, day, end } = told
  const [notice = '', ...more] = [...end.there.keys()].filter(path => path.startsWith('superseded/'))
  t.same(more, [])
  t.same([...end.there.keys()], [...files.keys(), ...SEEN, day, notice].sort(), 'in the end all is there')
  await everyCrash(t, live, target, told, told.begin, 2 * EVERY - 1)
})

/** The target is known by its path, so all happens at one. */
async function everyCrash(
  t: Test,
  root: string,
  { kind, sync }: Pick<TestTarget, 'kind' | 'sync'>,
  told: Story,
  from: number,
  every: number,
  to = told.watched.steps.length,
): Promise<void> {
  const { watched, there, passEnds, hours, day, files, end } = told
  t.same([...end.here.keys()], [], 'in the end all has been deleted here')
  for (const [path, content] of files) if (end.there.has(path)) t.equal(end.there.get(path), content, path)
  empty(root)
  const nas = join(root, 'nas')
  const contentOf = (path: string) => files.get(path) ?? end.there.get(path)
  let tried = 0
  giveTimeFor(((to + 1 - from) * WAYS.length) / every)
  for (let count = from; count <= to; count++) {
    const during = passEnds.findIndex(steps => count <= steps)
    for (const [index, [way, leavesAt]] of WAYS.entries()) {
      if ((count + index) % every !== 0) continue
      tried++
      const leaves = leavesAt(count)
      watched.afterCrash(count, root, leaves)
      if (kind !== 'folder') putThere(count, during, leaves['nas'] ?? 'all')
      const name = `${way} before step ${count} (${watched.steps[count]?.does ?? 'end'})`
      if (!existsSync(join(root, 'data'))) {
        empty(root)
        continue
      }
      const complain = (what: string) => t.fail(`${name}: ${what}`)
      judge(root, contentOf, { hours, day, files }, complain)
      // An rsync is a process for each question.
      if (kind === 'folder' || tried % TAKE_UP_EVERY === 0) await takeUp(during, complain)
      empty(root)
    }
  }
  t.ok(tried > 10, `${tried} crashes at ${to - from} steps`)

  /** A power cut there forgets what was brought within the grace period, the latest first. */
  function putThere(count: number, during: number, leaves: Leaves): void {
    const safe = PASSES.findLastIndex(nowMs => nowMs + GRACE_MINUTES * MINUTE_MS <= (PASSES[during] ?? 0))
    const forgotten = passEnds[safe] ?? told.begin
    const share = leaves === 'all' ? 1 : leaves === 'nothing' ? 0 : leaves()
    for (const [path, content] of there[forgotten + Math.floor((count - forgotten) * share)] ?? []) {
      mkdirSync(join(nas, dirname(path)), { recursive: true })
      writeFileSync(join(nas, path), content)
    }
  }

  /** Taken up, it comes to the same as undisturbed. */
  async function takeUp(during: number, complain: (what: string) => void): Promise<void> {
    const { tree, pass } = world(root, sync)
    if (!isRolledUp(tree, day)) rollUp(tree, hours)
    // Soon enough that a power cut there may be what took back its mark.
    if (kind !== 'folder') await pass((PASSES[during] ?? 0) + MINUTE_MS)
    const without = (files: Files) => JSON.stringify([...files].filter(([path]) => !hours.includes(path)))
    for (let passes = 1; ; passes++) {
      const { error, problems } = await pass(SETTLED + passes * (GRACE_MINUTES + 1) * MINUTE_MS)
      const found = visibleBelow(nas)
      const left = [...ours(visibleBelow(tree.dataDir)).keys()]
      const isThere = without(found) === without(end.there)
      const areGone = kind !== 'folder' || !hours.some(path => found.has(path))
      if (!error && left.length === 0 && isThere && areGone) break
      if (passes < 9) continue
      complain(`taken up: ${error?.message ?? JSON.stringify(problems)}`)
      complain(`still here: ${left.join(' ')}; there: ${[...found.keys()].join(' ')}`)
      break
    }
    judgeReaders(nas, complain)
    for (const name of FOREIGN)
      if (!existsSync(join(nas, FOLDER, name))) complain(`${name}, which another put there, is gone`)
  }
}

/** Of the folders themselves it is known which they are: one made anew would count as a copy, of which no ledger is believed. */
function empty(root: string): void {
  for (const top of ['data', 'nas'])
    for (const name of readdirSync(join(root, top))) rmSync(join(root, top, name), { recursive: true })
}

/** Each row once, for whoever leaves out what is said to be replaced. */
function judgeReaders(nas: string, complain: (what: string) => void): void {
  const leftOut = new Set(replacedFiles(nas))
  const rows = [...visibleBelow(nas)].flatMap(([path, content]) =>
    path.startsWith('parquet/') && !leftOut.has(join(nas, path)) ? content.trimEnd().split('\n') : [],
  )
  if (new Set(rows).size !== rows.length) complain(`readers of the target find ${rows.join(', ')}`)
}

/** What must be true right after a crash. */
function judge(
  root: string,
  contentOf: (path: string) => string | undefined,
  { hours, day, files }: { hours: readonly string[]; day: string; files: Files },
  complain: (what: string) => void,
): void {
  const dataDir = join(root, 'data')
  const nas = join(root, 'nas')
  const there = existsSync(nas) ? visibleBelow(nas) : new Map<string, string>()
  if (existsSync(nas)) judgeReaders(nas, complain)
  for (const [path, content] of there)
    if (content !== contentOf(path)) complain(`${path} at the target is not whole: ${content.length} bytes`)
  const here = ours(filesBelow(dataDir))
  const isHere = (path: string) => here.get(path) === contentOf(path)
  const isThere = (path: string) => there.get(path) === contentOf(path)
  const hasDay = isHere(day) || isThere(day)
  const account = readAccount(syncerState(dataDir))
  const ledger = account && new DateLedger(join(syncerState(dataDir), account.ledger), DATE, true)
  const replaced = readReplaced(dataDir, DATE)
  for (const path of files.keys()) {
    if (isHere(path)) continue
    if (hours.includes(path)) {
      if (!isThere(path) && !hasDay) complain(`${path} is in neither place, nor is the day`)
      if (!hasDay && !replaced.has(path) && ledger?.get(path)?.state !== 'verified') complain(`${path} went unseen`)
      continue
    }
    if (!isThere(path)) complain(`${path} is in neither place`)
    // What says so must be durable before the deletion is.
    if (ledger?.get(path)?.state !== 'verified')
      complain(`${path} was deleted, and no ledger says that it was verified`)
  }
}
