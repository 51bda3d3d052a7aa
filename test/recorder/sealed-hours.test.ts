import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { segmentPath } from '../../formats/raw-path.js'
import { localDisk } from '../../platform/disk.js'
import { SealedHours } from '../../recorder/storage/sealed-hours.js'
import { until } from '../fixtures/recorder-process.js'
import { matchAll } from '../fixtures/match-all.js'
import { batchOf, SLOT_FROM_US, StoreRun, storeOptions } from '../fixtures/store-run.js'

const IDENTITY = 'abcdefgh'
const HOUR_MS = 3_600_000
const NOW_MS = SLOT_FROM_US / 1000 + 30 * 60_000

function leaveOpen(dataDir: string, startedMs: number): string {
  const name = { exchange: 'deribit', channel: 'quote', startedMs, host: `vps1_${IDENTITY}`, run: 'r1', number: 1 }
  const path = segmentPath(name, 'open')
  mkdirSync(dirname(join(dataDir, path)), { recursive: true })
  writeFileSync(join(dataDir, path), '')
  return path
}

const foundBy = (dataDir: string, identity = IDENTITY) =>
  new SealedHours(localDisk, dataDir, identity).open().flatMap(({ open }) => open)

/** A start that found what there was, a moment later. */
function startAt(dataDir: string, nowMs: number): SealedHours {
  const hours = new SealedHours(localDisk, dataDir, IDENTITY)
  hours.open()
  hours.look(nowMs)
  return hours
}

t.test('a start of the recorder looked through the hours of all days for what was left open', t => {
  const dataDir = t.testdir({})
  startAt(dataDir, NOW_MS)
  // Nobody leaves anything there; were it looked at, it would be found.
  const old = leaveOpen(dataDir, NOW_MS - 48 * HOUR_MS)
  t.same(foundBy(dataDir), [], 'not looked for where nothing was open')
  const late = leaveOpen(dataDir, NOW_MS - 40 * 60_000)
  t.same(foundBy(dataDir), [late])
  t.same(foundBy(dataDir, 'otherone'), [old, late], 'of a copy nobody knows')
  rmSync(join(dataDir, 'state/recorder-sealed.json'))
  t.same(foundBy(dataDir), [old, late], 'state can be lost')
  t.end()
})

t.test('what is left open is looked for until it is sealed', t => {
  const dataDir = t.testdir({})
  const old = leaveOpen(dataDir, NOW_MS - 48 * HOUR_MS)
  const hours = startAt(dataDir, NOW_MS)
  t.same(foundBy(dataDir), [old])
  rmSync(join(dataDir, old))
  hours.look(NOW_MS)
  const stateFile = join(dataDir, 'state/recorder-sealed.json')
  const before = readFileSync(stateFile, 'utf8')
  hours.look(NOW_MS + HOUR_MS)
  t.not(readFileSync(stateFile, 'utf8'), before, 'once an hour it is seen that it is gone')
  leaveOpen(dataDir, NOW_MS - 24 * HOUR_MS)
  t.same(foundBy(dataDir), [])
  t.end()
})

t.test('two recorders that started at one moment shared a temporary file: one of them ended', t => {
  const dataDir = t.testdir({})
  const path = join(dataDir, 'state/recorder-sealed.json')
  // The other one gives its own file the name right before this one does.
  const rename = (from: string, to: string) => {
    rmSync(`${path}.tmp`, { force: true })
    localDisk.rename(from, to)
  }
  new SealedHours({ ...localDisk, rename }, dataDir, IDENTITY).look(NOW_MS)
  t.match(JSON.parse(readFileSync(path, 'utf8')), { identity: IDENTITY })
  t.end()
})

t.test('a segment begun by a clock that was set back is found by the next start', async t => {
  const dataDir = t.testdir({ state: {} })
  const run = new StoreRun(storeOptions(dataDir, { host: `vps1_${IDENTITY}` }))
  run.store.handle({ type: 'tick', nowUs: SLOT_FROM_US + 72 * HOUR_MS * 1000 })
  t.same(foundBy(dataDir), [])
  // What is over by that clock ends behind what came before it.
  await setImmediate()
  await setImmediate()
  run.store.handle(batchOf('trades', 1, 3))
  await until('written', () => run.storedFrames() === 3)
  matchAll(t, foundBy(dataDir), [/channel=trades\/date=2026-11-22\/20261122T140000Z_1h-.*\.open$/])
  run.store.handle({ type: 'close', withinMs: 5000 })
  await until('closed', () => run.of('closed').length === 1)
})
