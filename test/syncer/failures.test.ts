import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import pino from 'pino'
import t, { type Test } from 'tap'
import { readStatus } from '../../formats/status.js'
import { withState } from '../../formats/raw-path.js'
import { DateLedger } from '../../formats/ledger.js'
import { isClean, runSyncer, type PassReport } from '../../syncer/main.js'
import { FolderTarget } from '../../syncer/targets/folder.js'
import { Watchdog } from '../../syncer/targets/watchdog.js'
import { needsThat } from '../fixtures/needs.js'
import {
  filesBelow,
  flipByte,
  handClock,
  HOUR_14,
  HOUR_MS,
  ShippedTree,
  testConfig,
  visibleBelow,
} from '../fixtures/shipped-tree.js'
import { matchAll } from '../fixtures/match-all.js'

const log = pino({ level: 'silent' })

/** A tree with one compacted segment, and a syncer to a folder beside it. Nothing has to wait. */
function beside(folder: string, sync: object = {}, retention: object = { keepHours: 0 }) {
  const tree = new ShippedTree(join(folder, 'data'))
  const segment = tree.segment(1)
  tree.compacted(segment, 1)
  const nas = join(folder, 'nas')
  const clock = handClock(HOUR_14 + 2 * HOUR_MS)
  const config = testConfig(tree.dataDir, { target: nas, graceMinutes: 0, ...sync }, retention)
  const once = (signal = new AbortController().signal, onProgress?: (report: PassReport) => void) =>
    runSyncer({ config, log, once: true, signal, clock, ...(onProgress && { onProgress }) })
  return { tree, segment, nas, clock, config, once }
}

t.test('a full disk here ended the syncer; now it is told, and tried again', async t => {
  const { tree, nas, clock, config } = beside(t.testdir())
  const ledgers = join(tree.dataDir, 'state/syncer')
  const stop = new AbortController()
  const said: unknown[] = []
  let passes = 0
  const sleep = async () => {
    said.push(readStatus(tree.dataDir, 'syncer'))
    passes++
    clock.advance(HOUR_MS)
    if (passes === 3) stop.abort()
    await setImmediate()
  }
  let calls = 0
  const refusing = {
    ...clock,
    // Stands for whatever this machine refuses in the middle of a pass.
    nowMs: () => {
      if (++calls === 3) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
      return clock.nowMs()
    },
  }
  const report = await runSyncer({ config, log, once: false, signal: stop.signal, clock: refusing, sleep })
  t.ok(existsSync(ledgers))
  t.match(said[0], { failures_in_a_row: 1, last_error: { code: 'SYNC_PASS_BROKEN_OFF', message: /ENOSPC/ } })
  t.match(said.at(-1), { failures_in_a_row: 0 })
  t.match(report, { error: undefined, backlogFiles: 0 })
  t.ok(existsSync(join(nas, 'raw')))
})

t.test('an unmounted target is refused, not filled', async t => {
  const { tree, nas, once } = beside(t.testdir(), {}, {})
  await once()
  renameSync(nas, `${nas}.away`)
  mkdirSync(nas)
  tree.segment(2)
  const report = await once()
  t.match(report.error, { code: 'SYNC_TARGET_UNMARKED', retry: true, hint: /is it mounted/ })
  t.same(readdirSync(nas), [])
  t.match(report, { backlogFiles: 2, tried: true })
  t.match(readStatus(tree.dataDir, 'syncer'), { backlog_files: 2, last_error: { code: 'SYNC_TARGET_UNMARKED' } })

  rmSync(nas, { recursive: true })
  t.match((await once()).error, { code: 'SYNC_TARGET_MISSING' }, 'nor made anew')
  t.notOk(existsSync(nas))

  renameSync(`${nas}.away`, nas)
  t.match(await once(), { error: undefined, backlogFiles: 0, shippedFiles: 2 }, 'mounted again')
})

t.test('another disk at the same place gets everything, and nothing counts as verified there', async t => {
  const { segment, nas, tree, once } = beside(t.testdir(), { graceMinutes: 15 })
  await once()
  rmSync(nas, { recursive: true })
  mkdirSync(nas)
  writeFileSync(join(nas, '.edgetape-target'), '')
  t.match(await once(), { shippedFiles: 3, verifiedFiles: 0, retiredFiles: 0 })
  t.ok(existsSync(join(tree.dataDir, segment)))
  t.match(readFileSync(join(nas, '.edgetape-target'), 'utf8'), /^[0-9a-f-]{36}\n$/, 'an empty marker gets an id')
})

t.test('what differs from its manifest here is kept and not shipped, whichever sum tells', async t => {
  const { segment, nas, tree, once } = beside(t.testdir())
  const manifestPath = withState(segment, 'manifest')
  const manifest = tree.read(manifestPath).toString('utf8')
  const wrong = { sha256: '0'.repeat(64), md5: '0'.repeat(32) }
  for (const [kind, sum] of Object.entries(wrong)) {
    tree.write(manifestPath, JSON.stringify({ ...(JSON.parse(manifest) as object), [kind]: sum }))
    const report = await once()
    matchAll(t, report.problems, [{ path: segment, reason: new RegExp(`its ${kind} is .* says ${sum}`) }])
    t.notOk(isClean(report))
    t.notOk(existsSync(join(nas, segment)), kind)
    t.ok(existsSync(join(tree.dataDir, segment)), 'and is kept')
  }
  tree.write(manifestPath, manifest)
  t.match(await once(), { error: undefined })
  t.ok(existsSync(join(nas, segment)), 'the true manifest lets it go')
})

t.test('a target that became another one while it was compared: nothing is deleted here', async t => {
  const { tree, nas, config, clock, once } = beside(t.testdir(), {}, { keepHours: 1000 })
  await once()
  const [mark = ''] = readdirSync(nas).filter(name => name.startsWith('.edgetape-target-'))
  class Exchanged extends FolderTarget {
    override async verify(...asked: Parameters<FolderTarget['verify']>) {
      const result = await super.verify(...asked)
      writeFileSync(join(nas, mark), 'edgetape of-another-disk 1\n')
      return result
    }
  }
  const { signal } = new AbortController()
  const due = { ...config, retention: { ...config.retention, keepHours: 0 } }
  const target = new Exchanged(nas, 60_000)
  const report = await runSyncer({ config: due, log, once: true, signal, clock, target })
  t.match(report, { retiredFiles: 0, error: { code: 'SYNC_TARGET_DIFFERS' } })
  t.equal([...filesBelow(tree.dataDir).keys()].filter(path => /^(raw|parquet)/.test(path)).length, 3)
})

t.test('a first target needs its parent', async t => {
  const folder = t.testdir()
  const { once } = beside(folder, { target: join(folder, 'no', 'where') })
  t.match((await once()).error, { code: 'SYNC_TARGET_MISSING' })
  t.notOk(existsSync(join(folder, 'no')))
})

t.test('outside of its window nothing is uploaded, and what is there is still verified', async t => {
  const { once, clock } = beside(t.testdir(), { window: '16:00-16:30', graceMinutes: 15 }, {})
  t.match(await once(), { shippedFiles: 3, verifiedThroughMs: HOUR_14 })
  clock.advance(HOUR_MS)
  t.match(await once(), { verifiedFiles: 3, verifiedThroughMs: HOUR_14 + HOUR_MS })
})

t.test('the window is closed', async t => {
  const { once } = beside(t.testdir(), { window: '17:00-18:00' }, {})
  t.match(await once(), { error: undefined, shippedFiles: 0, plannedFiles: 0, backlogFiles: 3 })
})

t.test('one syncer per dataDir', async t => {
  const { config } = beside(t.testdir(), { everyMinutes: 60 })
  const stop = new AbortController()
  const first = runSyncer({ config, log, once: false, signal: stop.signal })
  for (let tries = 0; tries < 200 && readStatus(config.dataDir, 'syncer')?.['state'] !== 'idle'; tries++)
    await sleep(20)
  await t.rejects(runSyncer({ config, log, once: true, signal: stop.signal }), { code: 'LOCK_HELD' })
  stop.abort()
  t.match(await first, { shippedFiles: 3 })
  t.match(readStatus(config.dataDir, 'syncer'), { state: 'stopped', shipped_files: 3 })
  t.match(await runSyncer({ config, log, once: true, signal: new AbortController().signal }), { shippedFiles: 0 })
})

t.test('no target', async t => {
  const { config } = beside(t.testdir())
  const bare = { ...config, sync: { ...config.sync, target: undefined } }
  await t.rejects(runSyncer({ config: bare, log, once: true, signal: new AbortController().signal }), {
    code: 'SYNC_NO_TARGET',
  })
})

t.test('what cannot be recorded durably does not count as verified', t => {
  const folder = t.testdir({ ledger: {} })
  const ledger = new DateLedger(join(folder, 'ledger'), '2026-11-20')
  rmSync(join(folder, 'ledger'), { recursive: true })
  writeFileSync(join(folder, 'ledger'), '')
  const facts = { path: 'x', bytes: 1, mtimeMs: 2, sha256: 'a', md5: 'b', atMs: 3 }
  t.throws(() => ledger.append([{ ...facts, state: 'verified' }]), { code: /ENOTDIR|EEXIST/ })
  t.equal(ledger.get('x'), undefined)
  t.end()
})

t.test('a wrong copy is kept aside for whoever wants to know why', async t => {
  const { segment, nas, clock, once } = beside(t.testdir(), { graceMinutes: 15 })
  await once()
  flipByte(join(nas, segment))
  clock.advance(HOUR_MS)
  t.match(await once(), { wrongFiles: 1, shippedFiles: 1 })
  const aside = [...filesBelow(nas)].filter(([name]) => name.includes('.bad-'))
  t.equal(aside.length, 1)
  t.match(aside[0]?.[0], /\/\.20261120T140000Z_1h-h-abc-1\.jsonl\.zst\.bad-\d{8}T/)
  t.not(aside[0]?.[1], 'segment 1\n')
})

t.test('a full target', async t => {
  const folder = t.testdir({ nas: {} })
  const nas = join(folder, 'nas')
  if (!needsThat(t, mountSmall(nas), 'needs the right to mount a tmpfs: run as root')) return
  try {
    await fillAndFree(t, folder, nas)
  } finally {
    execFileSync('umount', [nas])
  }
})

async function fillAndFree(t: Test, folder: string, nas: string): Promise<void> {
  const { tree, once } = beside(folder)
  const big = tree.segment(2, 'x'.repeat(3 * 1024 * 1024))
  const report = await once()
  t.match(report.error, { code: 'SYNC_TARGET_FULL', retry: true })
  t.ok(existsSync(join(tree.dataDir, big)))
  const there = [...filesBelow(nas).keys()]
  t.notOk(
    there.some(name => name.includes('abc-2.jsonl') || name.includes('edgetape-tmp')),
    'no litter that keeps it full',
  )
  execFileSync('mount', ['-o', 'remount,size=8m', nas])
  t.match(await once(), { error: undefined, backlogFiles: 0 })
  t.equal(filesBelow(nas).get(big)?.length, 3 * 1024 * 1024)
}

function mountSmall(folder: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' })
    return true
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return false
  }
}

t.test('a reader of the target sees whole files only', async t => {
  const { tree, nas, once } = beside(t.testdir(), { graceMinutes: 15 })
  for (let n = 10; n < 20; n++) tree.segment(n, String(n).repeat(700_000))
  const shipping = { ended: false }
  const syncing = once().finally(() => (shipping.ended = true))
  let looks = 0
  while (!shipping.ended) {
    await setImmediate()
    if (!existsSync(nas)) continue
    for (const [path, content] of visibleBelow(nas)) {
      if (content !== tree.read(path).toString()) t.fail(`${path} was seen half-written`)
    }
    looks++
  }
  t.match(await syncing, { shippedFiles: 23 })
  t.ok(looks > 5, `looked ${looks} times`)
})

t.test('stopped in the middle, it leaves nothing half and goes on later', async t => {
  const { tree, nas, once } = beside(t.testdir())
  for (let n = 10; n < 20; n++) tree.segment(n, String(n).repeat(700_000))
  const stop = new AbortController()
  const report = await once(stop.signal, ({ handledFiles }) => {
    if (handledFiles === 5) stop.abort()
  })
  t.equal(report.error, undefined)
  t.equal(report.retiredFiles, 0)
  for (const [path, content] of filesBelow(nas)) {
    if (path.startsWith('.edgetape-target-')) continue
    t.notMatch(path, /edgetape-tmp/)
    t.equal(content.length, tree.read(path).length, path)
  }
  t.match(await once(), { backlogFiles: 0, verifiedFiles: 23, retiredFiles: 3 })
})

t.test('a target that hangs costs one thread, not the syncer', async t => {
  const watchdog = new Watchdog(200)
  let free: (() => void) | undefined
  const hanging = watchdog.guard('reading', () => new Promise<void>(resolve => (free = resolve)))
  await t.rejects(hanging, { code: 'SYNC_TARGET_HANGS' })
  await t.rejects(
    watchdog.guard('again', () => Promise.resolve()),
    { code: 'SYNC_TARGET_HANGS' },
  )
  free?.()
  await setImmediate()
  t.equal(await watchdog.guard('now', () => Promise.resolve(1)), 1)
  const slow = watchdog.guard('slow but alive', async beat => {
    for (let n = 0; n < 5; n++) {
      await new Promise(resolve => setTimeout(resolve, 50))
      beat()
    }
    return 2
  })
  t.equal(await slow, 2)
})

t.test('pressure on the disk deletes verified files early, and only those', async t => {
  const { tree, segment, clock, once } = beside(
    t.testdir(),
    { graceMinutes: 15 },
    { keepHours: 1000, maxDataGiB: 1e-9 },
  )
  t.match(await once(), { retiredFiles: 0 }, 'nothing is verified yet')
  const late = tree.segment(2)
  clock.advance(HOUR_MS)
  t.match(await once(), { verifiedFiles: 3, shippedFiles: 2, retiredFiles: 3 })
  t.notOk(existsSync(join(tree.dataDir, segment)))
  t.ok(existsSync(join(tree.dataDir, late)), 'what is only shipped stays')
})
