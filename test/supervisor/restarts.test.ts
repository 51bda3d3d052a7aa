/** How often a part is started, which signals end one, and what becomes of processes that are run beside each other. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { SHUTDOWN_SIGNALS } from '../../platform/shutdown.js'
import { LoggedProcesses } from '../../supervisor/logged-processes.js'
import { afterDeath, LONGEST_DELAY_MS, STABLE_MS } from '../../supervisor/restart.js'
import { endingSignals } from '../../supervisor/succession.js'
import { until } from '../fixtures/recorder-process.js'
import { holds } from '../fixtures/holds.js'

t.test('however a part dies, it is started again soon, and never more often than a machine bears', t => {
  const HOUR_MS = 3_600_000
  const runs = fc.array(fc.oneof(fc.constant(0), fc.nat({ max: STABLE_MS - 1 }), fc.nat({ max: HOUR_MS })), {
    minLength: 200,
    maxLength: 200,
  })
  holds(
    t,
    fc.property(runs, runs => {
      let [deaths, nowMs] = [0, 0]
      const startsMs: number[] = []
      for (const ranMs of runs) {
        startsMs.push(nowMs)
        const after = afterDeath(deaths, ranMs)
        assert.ok(after.delayMs > 0 && after.delayMs <= LONGEST_DELAY_MS, 'nothing is given up')
        assert.equal(after.deaths, ranMs >= STABLE_MS ? 1 : deaths + 1)
        assert.ok(ranMs >= STABLE_MS || after.delayMs >= afterDeath(deaths - 1, ranMs).delayMs, 'pauses grow')
        deaths = after.deaths
        nowMs += ranMs + after.delayMs
      }
      for (const [n, startMs] of startsMs.entries()) {
        const inMinute = startsMs.slice(n).filter(ms => ms - startMs < 60_000).length
        assert.ok(inMinute <= 10, `${inMinute} starts within a minute`)
      }
    }),
    { numRuns: 100 },
  )
  t.equal(afterDeath(10_000, 0).delayMs, LONGEST_DELAY_MS, 'after months of it')
  t.end()
})

t.test('under systemd a hang-up means reload; elsewhere it says that the terminal is gone', t => {
  for (const [environment, ends] of [
    [{}, true],
    [{ NOTIFY_SOCKET: '' }, true],
    [{ NOTIFY_SOCKET: '/run/systemd/notify' }, false],
    [{ WATCHDOG_USEC: '30000000' }, true],
  ] as const) {
    const signals = endingSignals(environment)
    t.equal(signals.includes('SIGHUP'), ends, JSON.stringify(environment))
    t.same([...signals, ...(ends ? [] : ['SIGHUP'])].sort(), [...SHUTDOWN_SIGNALS].sort(), 'the others always do')
  }
  t.end()
})

/** Answers to its first argument, the name of a command, with what the others say. */
const PROGRAM = `
const [name, ...said] = process.argv.slice(2)
for (const text of said) console.log(text)
console.error('log of ' + name)
if (name === 'fails') process.exit(3)
if (name === 'passes') process.exit(0)
setInterval(() => undefined, 1000)
process.on('SIGTERM', () => {
  console.error(name + ' was asked to end')
  process.exit(name === 'ends badly' ? 4 : 0)
})
process.on('disconnect', () => process.exit(0))
console.log('ready')
`

function processes(t: Test) {
  const folder = t.testdir({})
  const main = join(folder, 'program.cjs')
  writeFileSync(main, PROGRAM)
  const all = new LoggedProcesses(main, folder)
  t.teardown(() => all.stopAll())
  const logOf = (name: string) => {
    const path = join(folder, `${name}.log`)
    return existsSync(path) ? readFileSync(path, 'utf8') : ''
  }
  return { all, logOf }
}

t.test('a command that runs to its end is what it printed, and its log is its own', async t => {
  const { all, logOf } = processes(t)
  t.equal(await all.run('passes', ['one', 'two']), 'one\ntwo')
  t.equal(await all.run('passes', []), '')
  t.equal(logOf('passes'), 'log of passes\n'.repeat(2), 'one behind the other')
  await t.rejects(all.run('fails', ['unheard']), {
    code: 'DEMO_PART_FAILED',
    message: 'fails ended with 3: log of fails',
    hint: /its log: .*fails\.log$/,
  })
  t.notOk(all.failed.aborted, 'whoever waited for it was told')
})

t.test('one that goes on says its first line, and ends when it is asked to', async t => {
  const { all, logOf } = processes(t)
  const started = all.start('serves', ['http://127.0.0.1:1/'])
  t.equal(await started.firstLine(), 'http://127.0.0.1:1/')
  await until('it listens for signals', () => logOf('serves') !== '')
  const bad = all.start('ends badly', [])
  t.equal(await bad.firstLine(), 'ready')
  await started.stop()
  t.match(logOf('serves'), /serves was asked to end/)
  await t.rejects(bad.stop(), { message: 'ends badly ended with 4: ends badly was asked to end' })
  t.notOk(all.failed.aborted, 'what is asked to end is no failure of all')
})

t.test('one that ends by itself fails all, by name, and the others can be ended', async t => {
  const { all, logOf } = processes(t)
  const staying = all.start('stays', [])
  t.equal(await staying.firstLine(), 'ready')
  const failing = all.start('fails', [])
  await t.rejects(failing.firstLine(), { message: 'ended before it printed a line' })
  await until('the failure is told', () => all.failed.aborted)
  t.match(all.failed.reason, { code: 'DEMO_PART_FAILED', message: 'fails ended with 3: log of fails' })
  await all.stopAll()
  t.match(logOf('stays'), /stays was asked to end/)
  await all.stopAll()
  t.pass('and again, where nothing runs')
})
