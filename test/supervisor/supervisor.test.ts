import { EventEmitter } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import t from 'tap'
import { afterDeath, LONGEST_DELAY_MS, STABLE_MS } from '../../supervisor/restart.js'
import { leanMemory, recorderMemory } from '../../supervisor/node-flags.js'
import { supervise } from '../../supervisor/supervisor.js'
import { createLogger } from '../../platform/log.js'
import { packageRoot } from '../../platform/package-info.js'
import { withEnvironment } from '../fixtures/environment.js'
import { matchAll } from '../fixtures/match-all.js'
import { commandLineOf } from '../fixtures/orderly-ends.js'

// They mostly wait.
t.jobs = 3

withEnvironment(t, { EDGETAPE_LOG: 'silent' })
const log = createLogger('test')
const fixtures = join(packageRoot, 'dist', 'test', 'fixtures', 'parts')
const part = (file: string, behaviour: string) => ({
  name: behaviour,
  args: [join(fixtures, 'part.js'), file, behaviour],
})

const linesOf = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [])

async function until(what: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!what()) {
    if (Date.now() > deadline) throw new Error('waited 20 s in vain')
    await sleep(20)
  }
}

t.test('parts are told once and waited for', async t => {
  const [a, b] = [join(t.testdir(), 'a'), join(t.testdirName, 'b')]
  const stop = new AbortController()
  const ended = supervise([part(a, 'stay'), part(b, 'stay')], log, stop.signal)
  await until(() => linesOf(a).length === 1 && linesOf(b).length === 1)
  stop.abort('SIGTERM')
  t.equal(await ended, true)
  for (const file of [a, b]) matchAll(t, linesOf(file), [/^started \d+$/, 'stopped SIGTERM'])
})

t.test('memory that the recorder gave back stayed with it: a part keeps memory as it is told', async t => {
  const [recorder, other] = [join(t.testdir(), 'recorder'), join(t.testdirName, 'other')]
  const stop = new AbortController()
  const parts = [{ ...part(recorder, 'stay'), memory: recorderMemory }, part(other, 'stay')]
  const ended = supervise(parts, log, stop.signal)
  await until(() => linesOf(recorder).length === 1 && linesOf(other).length === 1)
  const settings = [recorder, other].map(file => {
    const environment = readFileSync(`/proc/${linesOf(file)[0]?.split(' ')[1] ?? ''}/environ`, 'utf8').split('\0')
    return environment.filter(each => each.startsWith('MALLOC_')).sort()
  })
  const told = (memory: object) =>
    Object.entries(memory)
      .map(([name, value]) => `${name}=${String(value)}`)
      .sort()
  t.same(settings, [told(recorderMemory), told(leanMemory)])
  stop.abort('SIGTERM')
  await ended
})

t.test('one that dies is started again, and the other does not notice', async t => {
  const [dying, staying] = [join(t.testdir(), 'dying'), join(t.testdirName, 'staying')]
  const stop = new AbortController()
  const ended = supervise([part(dying, 'die'), part(staying, 'stay')], log, stop.signal)
  await until(() => linesOf(dying).length === 3)
  t.equal(linesOf(staying).length, 1)
  const last = Number(linesOf(dying)[2]?.split(' ')[1])
  await until(() => !isAlive(last))
  stop.abort('SIGTERM')
  t.equal(await ended, true, 'a part that waits for its restart needs no end')
  t.equal(linesOf(dying).length, 3, 'and is not started any more')
})

t.test('renewed, a part that can take over is started beside the one at work; the others end first', async t => {
  const [record, sync] = [join(t.testdir(), 'record'), join(t.testdirName, 'sync')]
  const stop = new AbortController()
  const orders = new EventEmitter()
  const pidIn = (file: string) => Number(linesOf(file)[0]?.split(' ')[1])
  const takeOverArgs = [...part(record, 'stay').args]
  const parts = [{ ...part(record, 'stay'), takeOverArgs }, part(sync, 'stay')]
  const ended = supervise(parts, log, stop.signal, orders)
  await until(() => linesOf(record).length === 1 && linesOf(sync).length === 1)
  orders.emit('renew')
  orders.emit('renew')
  await until(() => linesOf(record).length === 2 && linesOf(sync).length === 3)
  matchAll(t, linesOf(record), [/^started/, /^started/], 'nobody but the successor asks it to end')
  matchAll(t, linesOf(sync), [/^started/, 'stopped SIGTERM', /^started/])
  process.kill(pidIn(record), 'SIGTERM')
  await until(() => linesOf(record).length === 3)
  await sleep(300)
  t.equal(linesOf(record).length, 3, 'it is not started again: its successor is at work')
  stop.abort('SIGTERM')
  t.equal(await ended, true)
  t.equal(linesOf(record).filter(line => line === 'stopped SIGTERM').length, 2)
})

t.test('a killed part is started again', async t => {
  const file = join(t.testdir(), 'a')
  const stop = new AbortController()
  const ended = supervise([part(file, 'stay')], log, stop.signal)
  await until(() => linesOf(file).length === 1)
  process.kill(Number(linesOf(file)[0]?.split(' ')[1]), 'SIGKILL')
  await until(() => linesOf(file).length === 2)
  stop.abort('SIGTERM')
  t.equal(await ended, true)
  matchAll(t, linesOf(file), [/^started/, /^started/, 'stopped SIGTERM'])
})

t.test('a part that was killed left behind what it had started, and that saw nothing of it', async t => {
  const file = join(t.testdir(), 'a')
  const stop = new AbortController()
  const orders = new EventEmitter()
  const ended = supervise([part(file, 'with-children')], log, stop.signal, orders)
  await until(() => linesOf(file).length === 3)
  const children = linesOf(file)
    .slice(1)
    .map(line => Number(line.split(' ')[1]))
  const running = () => children.filter(pid => commandLineOf(pid)[0] === 'sleep')
  t.teardown(() => {
    for (const pid of running()) process.kill(pid, 'SIGKILL')
  })
  t.equal(running().length, 2)
  stop.abort('SIGTERM')
  orders.emit('kill')
  t.equal(await ended, false)
  await until(() => running().length === 0)
})

t.test('an unclean end is told', async t => {
  const file = join(t.testdir(), 'a')
  const stop = new AbortController()
  const ended = supervise([part(file, 'fail-at-end')], log, stop.signal)
  await until(() => linesOf(file).length === 1)
  stop.abort('SIGTERM')
  t.equal(await ended, false)
})

t.test('when the supervisor is killed, its parts end', async t => {
  const file = join(t.testdir(), 'a')
  const supervisor = execa(process.execPath, [join(fixtures, 'supervisor.js'), file], {
    reject: false,
    stdin: 'ignore',
  })
  await until(() => linesOf(file).length === 1)
  supervisor.kill('SIGKILL')
  await supervisor
  await until(() => linesOf(file).length === 2)
  t.equal(linesOf(file)[1], 'stopped supervisor gone')
  const pid = Number(linesOf(file)[0]?.split(' ')[1])
  await until(() => !isAlive(pid))
  t.notOk(isAlive(pid))
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

t.test('pauses grow to a bound, and start over after a good run', t => {
  const delays: number[] = []
  let deaths = 0
  for (let i = 0; i < 100; i++) {
    const next = afterDeath(deaths, 10)
    deaths = next.deaths
    delays.push(next.delayMs)
  }
  t.same(delays.slice(0, 4), [500, 1000, 2000, 4000])
  t.equal(delays.at(-1), LONGEST_DELAY_MS)
  t.same(afterDeath(deaths, STABLE_MS), { deaths: 1, delayMs: 500 })
  t.end()
})

for (const [how, behaviour, stop] of [
  ['was stopped', 'stay', (pid: number) => process.kill(pid, 'SIGSTOP')],
  ['loops without end', 'loop', () => undefined],
] as const) {
  t.test(`a part that ${how} stood still for ever: it is killed and started again`, async t => {
    const [still, staying] = [join(t.testdir(), 'still'), join(t.testdirName, 'staying')]
    const end = new AbortController()
    const ended = supervise([part(still, behaviour), part(staying, 'stay')], log, end.signal, undefined, 4)
    await until(() => linesOf(still).length === 1 && linesOf(staying).length === 1)
    stop(Number(linesOf(still)[0]?.split(' ')[1]))
    await until(() => linesOf(still).length === 2)
    t.equal(linesOf(staying).length, 1, 'the other goes on')
    end.abort('SIGTERM')
    await ended
  })
}
