/** Two recorders that bear one host name, and one target. */
import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import t from 'tap'
import { runCompactor } from '../../compactor/main.js'
import { loadConfig } from '../../config/load.js'
import { startSimulator } from '../../exchanges/deribit/simulator/main.js'
import { ownDataIdentity } from '../../platform/data-identity.js'
import { runSyncer } from '../../syncer/main.js'
import { ConfiguredWorld, namesBelow } from '../fixtures/configured-world.js'
import { framesTaken, rawFiles, startRecorder, until } from '../fixtures/recorder-process.js'
import { filesBelow, handClock, sha256 } from '../fixtures/shipped-tree.js'

const DAY_MS = 86_400_000
const log = pino({ level: 'silent' })
const dataIn = (dataDir: string) =>
  namesBelow(dataDir).filter(name => /^(?:raw|parquet)\/.*\.(?:zst|json|parquet)$/.test(name))

const FEW = ['trades', 'quote']
const channels = { perpetual: FEW, future: [], option: [], spot: [], combo: [], index: [], exchange: [] }

/** Path below `root` → content's checksum, of the files that are shipped. */
const shippedFiles = (root: string) =>
  new Map([...filesBelow(root, name => SHIPPED.test(name))].map(([path, content]) => [path, sha256(content)]))

const SHIPPED = /^(?:raw|parquet|quarantine|superseded)\/(?:.*\/)?[^./][^/]*$/

t.test("a day of one recorder takes the place of another's of the same host name at the target", async t => {
  const folder = t.testdir({})
  const exchange = await startSimulator({ rate: 200, instruments: 2 })
  t.teardown(() => exchange.close())
  const nas = join(folder, 'nas')
  mkdirSync(nas)
  const recorders = ['one', 'two'].map(name => {
    mkdirSync(join(folder, name))
    const of = { url: exchange.url, currencies: ['BTC'], channels }
    const segments = { rotateMinutes: 0.1, flushMs: 100, fsyncMs: 100 }
    return startRecorder(t, join(folder, name), of, segments, {}, 'debian')
  })
  for (const recorder of recorders) {
    // Several segments a family, so that a day is made of them.
    const sealed = () => rawFiles(recorder.dataDir).filter(path => /=trades\/.*\.zst$/.test(path)).length
    await until('segments', () => framesTaken(recorder, 'trades') > 20 && sealed() > 1)
    recorder.process.kill('SIGTERM')
    await recorder.process
  }
  const there = new Map<string, string>()
  for (const { configFile, dataDir } of recorders) {
    const config = loadConfig(configFile)
    const clock = handClock(Date.now() + 2 * DAY_MS)
    await runCompactor({ config, log, once: true, nowMs: () => clock.nowMs() })
    const days = [...shippedFiles(dataDir)].filter(([path]) => path.includes('/day-'))
    t.ok(days.length > 0, 'a day was rolled up')
    for (const [path, sum] of shippedFiles(dataDir)) there.set(`${dataDir} ${path}`, sum)
    const sync = { ...config.sync, target: nas, graceMinutes: 0 }
    const shipping = { ...config, sync, retention: { ...config.retention, keepHours: 0 } }
    const signal = new AbortController().signal
    const report = await runSyncer({ config: shipping, log, once: true, signal, clock })
    t.match(report, { error: undefined, problemFiles: 0 })
    t.ok(report.retiredFiles > 0, 'deletion is on')
  }
  const brought = new Set(shippedFiles(nas).values())
  t.same(
    [...there].filter(([, sum]) => !brought.has(sum)),
    [],
    'what either had is there',
  )
})

t.test('kept: two recorders of 0.1.0 of one host name, whose files bear the same names', async t => {
  const world = new ConfiguredWorld(t)
  const [one, two] = [world.place('one'), world.place('two')]
  const target = world.place('nas')
  for (const dataDir of [one, two]) world.record(dataDir)
  const configs = [one, two].map((dataDir, n) => world.config({ dataDir, sync: { target } }, `${n}.yaml`))
  const [first = '', second = ''] = configs
  t.match(await world.passes(first), { error: undefined, problemFiles: 0 })
  t.same(dataIn(one), [], 'shipped, and freed')
  for (let round = 0; round < 2; round++) {
    const report = await world.passes(second)
    t.match(report, { retiredFiles: 0, problemFiles: 6 }, 'it is told')
    t.equal(dataIn(two).length, 6, 'and stays here')
  }
  world.record(one)
  await world.passes(first)
  t.same(dataIn(one), [], 'the other one goes on')
})

t.test('kept: a copy of a dataDir, both shipped to one target', async t => {
  const world = new ConfiguredWorld(t)
  const [dataDir, copy] = [world.place('data'), world.place('copy')]
  const target = world.place('nas')
  world.record(dataDir)
  const first = world.config({ dataDir, sync: { target } }, '1.yaml')
  const second = world.config({ dataDir: copy, sync: { target } }, '2.yaml')
  const identity = ownDataIdentity(dataDir)
  await world.passes(first, 1)
  world.record(dataDir, 1)
  world.goesOnIn(dataDir, copy)
  cpSync(dataDir, copy, { recursive: true, preserveTimestamps: true })
  t.not(ownDataIdentity(copy), identity)
  for (const config of [second, first, second, first]) await world.passes(config, 1)
})
