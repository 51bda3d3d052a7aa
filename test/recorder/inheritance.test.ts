/** What a recorder leaves that never comes back under its name. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { leftOpenFindings } from '../../monitor/doctor/left-open.js'
import { diskUseOf } from '../../monitor/observe/disk-use.js'
import { Observer } from '../../monitor/observe/observer.js'
import { screenOf } from '../../cli/status/screen.js'
import { loadConfig } from '../../config/load.js'
import { parseSegmentPath, withState } from '../../formats/raw-path.js'
import { isLockHeld } from '../../platform/lock-state.js'
import { acquireProcessLock } from '../../platform/process-lock.js'
import { startSimulator } from '../../exchanges/deribit/simulator/main.js'
import { commandHere } from '../fixtures/command-here.js'
import { framesTaken, rawFiles, recordedLines, startRecorder, until } from '../fixtures/recorder-process.js'
import { writeOpenSegment } from '../fixtures/segments.js'
import { StoreRun, storeOptions } from '../fixtures/store-run.js'
import { matchAll } from '../fixtures/match-all.js'

const openOf = (dataDir: string) => rawFiles(dataDir).filter(path => path.endsWith('.open'))

t.test('killed under one host name and started under another, its segments stayed open for ever', async t => {
  const folder = t.testdir({})
  const exchange = await startSimulator({ rate: 200, instruments: 2 })
  t.teardown(() => exchange.close())
  const few = ['trades', 'quote']
  const channels = { perpetual: few, future: [], option: [], spot: [], combo: [], index: [], exchange: [] }
  const start = (host: string) =>
    startRecorder(t, folder, { url: exchange.url, currencies: ['BTC'], channels }, undefined, {}, host)
  const first = start('container-1')
  const { dataDir, configFile } = first
  await until('frames', () => framesTaken(first, 'trades') > 20 && openOf(dataDir).length > 2)
  first.process.kill('SIGKILL')
  await first.process
  const left = openOf(dataDir)
  t.ok(left.length > 2 && left.every(path => path.includes('-container-1_')), 'left open')
  t.ok(existsSync(join(dataDir, 'state/recorder-deribit-container-1.reserve/0')))

  const second = start('container-2')
  matchAll(t, leftOpenFindings(loadConfig(configFile), diskUseOf(dataDir, Date.now()).openBy), [
    { outcome: 'warning', message: /of container-1 \(deribit\), a recorder that is gone/, hint: /start the recorder/ },
  ])
  await until('sealed', () => left.every(path => existsSync(join(dataDir, withState(path, 'sealed')))))
  t.same(
    openOf(dataDir).filter(path => left.includes(path)),
    [],
  )
  for (const path of left) {
    const manifest = JSON.parse(readFileSync(join(dataDir, withState(path, 'manifest')), 'utf8')) as { host: string }
    t.equal(manifest.host, parseSegmentPath(path)?.name.host, 'under the name it has')
  }
  t.notOk(existsSync(join(dataDir, 'state/recorder-deribit-container-1.reserve/0')), 'its reserve is free again')
  await until('frames of the second', () => framesTaken(second, 'trades') > 5)
  matchAll(t, new Observer(dataDir).look().gaps, [
    { kind: 'not recording', cause: 'the recorder ended without a word' },
  ])
  second.process.kill('SIGTERM')
  const { stdout, stderr } = await second.process
  t.match(`${stdout}${stderr}`, /a recorder of another name left segments open and is gone/)
  const told = recordedLines(dataDir).filter(line => line.frame.includes('"event":"inherited"'))
  matchAll(
    t,
    told.map(({ frame }) => JSON.parse(frame.toString()) as object),
    [{ event: 'inherited', exchange: 'deribit', host: 'container-1', segments: left.length }],
  )

  const compacted = await commandHere(['compact', '--once', '--config', configFile])
  t.equal(compacted.exitCode, 0, compacted.stderr)
  const receipts = readFileSync(join(dataDir, `state/compactor/done-${dateIn(left[0])}.jsonl`), 'utf8')
  for (const path of left) t.ok(receipts.includes(withState(path, 'sealed')), 'and it is converted')
})

const dateIn = (path = '') => /date=(\d{4}-\d\d-\d\d)/.exec(path)?.[1] ?? ''

t.test('what a living recorder of another name has open is left to it, and told', async t => {
  const dataDir = t.testdir({})
  const path = writeOpenSegment(dataDir, 5, 5)
  const lockPath = join(dataDir, 'state/recorder-deribit-vps1.lock')
  const lock = acquireProcessLock(lockPath, 'recorder')
  mkdirSync(join(dataDir, 'state/recorder-deribit-vps1.reserve'))
  writeFileSync(join(dataDir, 'state/recorder-deribit-vps1.reserve/0'), 'x')
  const beside = new StoreRun(storeOptions(dataDir, { host: 'vps2_k3f9a2bx' }))
  matchAll(t, beside.of('openElsewhere'), [{ others: { host: 'vps1', segments: 1, isAlive: true } }])
  await beside.close()
  t.same(openOf(dataDir), [path])
  t.ok(existsSync(join(dataDir, 'state/recorder-deribit-vps1.reserve/0')))
  writeFileSync(join(dataDir, 'state/recorder.json'), JSON.stringify({ exchange: 'deribit', host: 'vps2' }))
  t.match(
    screenOf(new Observer(dataDir).look()),
    /1 open segment of vps1 \(deribit\), another recorder that is running/,
  )

  lock.release()
  t.match(screenOf(new Observer(dataDir).look()), /1 open segment of vps1 \(deribit\), a recorder that is gone/)
  const heir = new StoreRun(storeOptions(dataDir, { host: 'vps2_k3f9a2bx', run: 'run3' }))
  matchAll(t, heir.of('openElsewhere'), [{ others: { host: 'vps1', segments: 1, isAlive: false } }])
  t.ok(isLockHeld(lockPath), 'while it seals, the other cannot come back')
  await heir.until('sealed', () => heir.of('sealed').length > 0)
  await heir.until('given back', () => !isLockHeld(lockPath))
  await heir.close()
  t.same(openOf(dataDir), [])
  t.notOk(existsSync(join(dataDir, 'state/recorder-deribit-vps1.reserve/0')))
})

t.test('segments of another exchange are sealed, too', async t => {
  const dataDir = t.testdir({})
  const path = writeOpenSegment(dataDir, 5, 5)
  const run = new StoreRun(storeOptions(dataDir, { exchange: 'binance' }))
  await run.close()
  t.ok(existsSync(join(dataDir, withState(path, 'sealed'))))
  t.same(openOf(dataDir), [])
})
