import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import pino from 'pino'
import t from 'tap'
import { EdgeError } from '../../platform/edge-error.js'
import { withState } from '../../formats/raw-path.js'
import { runSyncer } from '../../syncer/main.js'
import type { Mark } from '../../syncer/place/mark.js'
import { FolderTarget } from '../../syncer/targets/folder.js'
import type { OutgoingFile, Target, VerifyResult, Work } from '../../syncer/targets/target.js'
import { handClock, HOUR_MS, MINUTE_MS, ShippedTree, testConfig, visibleBelow } from '../fixtures/shipped-tree.js'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** What is held, not what waits to be collected, bytes. */
function heapUsedNow(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

const DAY_MS = 24 * HOUR_MS
const START_MS = Date.parse('2026-11-06T00:00:00Z')
const BACK_MS = START_MS + 14 * DAY_MS
const BATCH = { files: 30, bytes: 1024 ** 3 }
/** So slow is the line that a batch takes ten minutes, and the whole backlog a good part of a day. */
const FILE_TAKES_MS = 20_000

/** A real folder that is away until `BACK_MS`, behind a slow line; time passes while files travel. */
class DistantTarget implements Target {
  readonly label = 'nas'
  readonly syncsToDisk = true
  readonly tries: number[] = []
  /** Paths in the order in which they were uploaded, and how many there were at once. */
  readonly order: { path: string; atMs: number }[] = []
  mostAtOnce = 0
  readonly #folder: FolderTarget
  readonly #clock: { nowMs: () => number }
  readonly #pass: (ms: number) => void

  constructor(root: string, clock: { nowMs: () => number }, pass: (ms: number) => void) {
    this.#folder = new FolderTarget(root, 60_000)
    this.#clock = clock
    this.#pass = pass
  }

  async reach(mayMake: boolean) {
    this.tries.push(this.#clock.nowMs())
    if (this.#clock.nowMs() < BACK_MS) throw new EdgeError('SYNC_TARGET_UNREACHABLE', 'away', { retry: true })
    return this.#folder.reach(mayMake)
  }

  compareMarks(marks: readonly Mark[]) {
    return this.#folder.compareMarks(marks)
  }

  writeMark(mark: Mark, how: 'new' | 'over') {
    return this.#folder.writeMark(mark, how)
  }

  prepare() {
    return this.#folder.prepare()
  }

  async ship(files: readonly OutgoingFile[], work: Work) {
    this.mostAtOnce = Math.max(this.mostAtOnce, files.length)
    const result = await this.#folder.ship(files, work)
    this.#pass(files.length * FILE_TAKES_MS)
    const done = new Set(result.done)
    for (const { path } of files) if (done.has(path)) this.order.push({ path, atMs: this.#clock.nowMs() })
    return result
  }

  verify(files: readonly OutgoingFile[], work: Work): Promise<VerifyResult> {
    return this.#folder.verify(files, work)
  }

  fetch(paths: readonly string[], work: Work): Promise<void> {
    return this.#folder.fetch(paths, work)
  }
}

t.test('a target that was away for two weeks', async t => {
  const folder = t.testdir()
  const tree = new ShippedTree(join(folder, 'data'))
  const nas = join(folder, 'nas')
  mkdirSync(nas)
  mkdirSync(tree.dataDir)
  const clock = handClock(START_MS)
  /** When each segment was sealed: at the end of its hour, one an hour, whatever else goes on. */
  const sealed = new Map<string, number>()
  const pass = (ms: number) => {
    clock.advance(ms)
    for (;;) {
      const startedMs = START_MS + sealed.size * HOUR_MS
      if (startedMs + HOUR_MS > clock.nowMs()) return
      sealed.set(tree.segment(sealed.size, `segment ${sealed.size}\n`, startedMs), startedMs + HOUR_MS)
    }
  }
  const target = new DistantTarget(nas, clock, pass)
  const stop = new AbortController()
  const isThrough = () => clock.nowMs() > BACK_MS && target.order.length === 2 * sealed.size
  const sleep = (ms: number) => {
    // The first hours minute by minute; then the machine is so busy that the syncer runs every six hours.
    const isLong = clock.nowMs() > START_MS + 3 * HOUR_MS && clock.nowMs() < BACK_MS
    if (isThrough()) stop.abort()
    pass(isLong ? Math.max(ms, Math.min(6 * HOUR_MS, BACK_MS - clock.nowMs())) : ms)
    return Promise.resolve()
  }
  const config = testConfig(tree.dataDir, { target: nas, everyMinutes: 5 }, { keepHours: 48 })
  const log = pino({ level: 'silent' })
  const limits = { passMs: MINUTE_MS, batch: BATCH }
  const heapBefore = heapUsedNow()
  const report = await runSyncer({ config, log, once: false, signal: stop.signal, clock, target, sleep, limits })

  t.equal(report.error, undefined)
  const there = visibleBelow(nas)
  t.same(
    [...there.keys()].filter(path => path.endsWith('.zst')).sort(),
    [...sealed.keys()].sort(),
    'all of it is there',
  )
  t.ok(sealed.size >= 14 * 24 + 3, 'and more came while it caught up')

  const away = target.tries.filter(atMs => atMs < BACK_MS)
  const pauses = away.slice(1).map((atMs, index) => atMs - (away[index] ?? 0))
  t.ok(away.filter(atMs => atMs < START_MS + HOUR_MS).length <= 65, 'no storm in the first hour')
  t.ok(pauses.filter((_, index) => (away[index] ?? 0) >= START_MS + HOUR_MS).every(ms => ms >= MINUTE_MS))
  t.ok(away.length > 3 * 60 + 13 * 4, `and no giving up: tried ${away.length} times`)

  t.ok(target.mostAtOnce <= BATCH.files, `never more than ${target.mostAtOnce} files in hand`)
  t.ok(heapUsedNow() - heapBefore < 64 * 1024 ** 2, 'in bounded memory')

  const segments = target.order.filter(({ path }) => sealed.has(path))
  const sealedMs = ({ path }: { path: string }) => sealed.get(path) ?? NaN
  const old = segments.filter(one => sealedMs(one) < BACK_MS - 2 * HOUR_MS)
  t.same(
    old,
    [...old].sort((a, b) => sealedMs(a) - sealedMs(b)),
    'the backlog goes from the oldest on',
  )
  const fresh = segments.filter(one => sealedMs(one) > BACK_MS)
  t.ok(fresh.length >= 3)
  const batchMs = BATCH.files * FILE_TAKES_MS
  for (const one of fresh) {
    const waitedMs = one.atMs - sealedMs(one)
    t.ok(waitedMs < 2.5 * batchMs, `${one.path} waited ${waitedMs / MINUTE_MS} minutes`)
  }
  for (const path of sealed.keys()) {
    if (!there.has(path) || !there.has(withState(path, 'manifest'))) t.fail(`${dirname(path)} is not whole`)
  }
})
