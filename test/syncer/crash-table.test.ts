/**
 * The syncer cut off before each of its steps: killed, or by a power cut here, at the target, or of both, on disks that
 * forget what was not synced. What was brought, verified, replaced and deleted until then is judged at once, and again when
 * a syncer has taken it up.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import pino from 'pino'
import t from 'tap'
import { readAccount, DateLedger, syncerState } from '../../formats/ledger.js'
import { appendReceipts, readReceiptLines } from '../../formats/receipt.js'
import { appendReplacements, readReplaced } from '../../formats/replacement.js'
import { fsyncFolder, writeFileDurable } from '../../platform/durable-file.js'
import { runSyncer } from '../../syncer/main.js'
import { seeded } from '../fixtures/dice.js'
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
import { WatchedFiles, type Leaves } from '../fixtures/watched-files.js'

t.setTimeout(600_000)

const log = pino({ level: 'silent' })
const DATE = '2026-11-20'
const GRACE_MINUTES = 10
const KEEP_HOURS = 100
const START_MS = HOUR_14 + 24 * HOUR_MS
/** All ways before every step with `npm run long crashes`; else each so many of them. */
const EVERY = Number(process.env['EDGETAPE_CRASH_EVERY'] ?? 14)

/** One machine that records and one that keeps, below one folder. */
function world(root: string) {
  const tree = new ShippedTree(join(root, 'data'))
  const config = testConfig(
    tree.dataDir,
    { target: join(root, 'nas'), graceMinutes: GRACE_MINUTES },
    { keepHours: KEEP_HOURS },
  )
  const pass = async (nowMs: number) => {
    const { signal } = new AbortController()
    return runSyncer({ config, log, once: true, signal, clock: handClock(nowMs) })
  }
  return { tree, pass, nas: join(root, 'nas') }
}

/** An hour with one row, converted. */
function hour(tree: ShippedTree, number: number): string {
  const startedMs = HOUR_14 + number * HOUR_MS
  return tree.compacted(tree.segment(number, `segment ${number}\n`, startedMs), number, startedMs, `row ${number}\n`)
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

/** The whole story, watched; what is to be found after it. */
async function story(root: string) {
  const { tree, pass, nas } = world(root)
  mkdirSync(nas, { recursive: true })
  const hours = [1, 2].map(number => hour(tree, number))
  tree.quarantine(1)
  const files = ours(filesBelow(tree.dataDir))
  const watched = new WatchedFiles(root, path => /^data\/state\/(syncer\.json|syncer\/lock)/.test(path))
  const begin = watched.steps.length
  const passEnds: number[] = []
  let day = ''
  await watched.during(async () => {
    for (const [index, nowMs] of PASSES.entries()) {
      if (index === 2) day = rollUp(tree, hours)
      t.match(await pass(nowMs), { error: undefined, problemFiles: 0 }, `pass ${index + 1}`)
      passEnds.push(watched.steps.length)
    }
  })
  return {
    watched,
    begin,
    hours,
    day,
    files,
    passEnds,
    end: { here: ours(visibleBelow(tree.dataDir)), there: visibleBelow(nas) },
  }
}

t.test('cut off before every step: nothing is in neither place, and what is verified is', async t => {
  const folder = t.testdir({ live: {} })
  const live = join(folder, 'live')
  const { watched, begin, hours, day, files, passEnds, end } = await story(live)
  // The target is known by its path, so all happens at one.
  const root = live
  empty(live)
  t.same([...end.here.keys()], [], 'in the end all has been deleted here')
  const dayRows = end.there.get(day) ?? ''
  t.same(
    [...end.there],
    [...files, [day, dayRows] as const].filter(([path]) => !hours.includes(path)).sort(([a], [b]) => (a < b ? -1 : 1)),
    'and is there',
  )
  const contentOf = (path: string) => files.get(path) ?? end.there.get(path)

  const ways: [name: string, leaves: (seed: number) => Record<string, Leaves>][] = [
    ['killed', () => ({})],
    ['power cut here', () => ({ data: 'nothing' })],
    ['power cut there', () => ({ nas: 'nothing' })],
    ['power cut of both', () => ({ data: 'nothing', nas: 'nothing' })],
    ['power cut of both, some left', seed => ({ data: seeded(seed), nas: seeded(seed + 1) })],
  ]
  let tried = 0
  for (let count = begin; count <= watched.steps.length; count++) {
    for (const [index, [way, leaves]] of ways.entries()) {
      if ((count + index) % EVERY !== 0 && !passEnds.includes(count)) continue
      tried++
      watched.afterCrash(count, root, leaves(count))
      const name = `${way} before step ${count} (${watched.steps[count]?.does ?? 'end'})`
      if (!existsSync(join(root, 'data'))) {
        empty(root)
        continue
      }
      const complain = (what: string) => t.fail(`${name}: ${what}`)
      judge(root, contentOf, { hours, day, files }, complain)
      await takeUp(root, end.there, complain)
      empty(root)
    }
  }
  t.ok(tried > 50, `${tried} crashes at ${watched.steps.length - begin} steps`)

  /** Taken up, it comes to the same as undisturbed. */
  async function takeUp(root: string, there: Files, complain: (what: string) => void): Promise<void> {
    const { tree, pass, nas } = world(root)
    if (!isRolledUp(tree, day)) rollUp(tree, hours)
    for (let passes = 1; ; passes++) {
      const { error, problems } = await pass(SETTLED + passes * (GRACE_MINUTES + 1) * MINUTE_MS)
      const found = visibleBelow(nas)
      const left = [...ours(visibleBelow(tree.dataDir)).keys()]
      if (!error && left.length === 0 && JSON.stringify([...found]) === JSON.stringify([...there])) return
      if (passes < 9) continue
      complain(`taken up: ${error?.message ?? JSON.stringify(problems)}`)
      complain(`still here: ${left.join(' ')}; there: ${[...found.keys()].join(' ')}`)
      return
    }
  }
})

/** Of the folders themselves it is known which they are: one made anew would count as a copy, of which no ledger is believed. */
function empty(root: string): void {
  for (const top of ['data', 'nas'])
    for (const name of readdirSync(join(root, top))) rmSync(join(root, top, name), { recursive: true })
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
