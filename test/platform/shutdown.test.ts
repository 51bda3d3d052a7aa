import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { packageRoot } from '../../platform/package-info.js'
import { ONE_WISH_MS } from '../../platform/shutdown.js'

// They mostly wait.
t.jobs = 4

const parts = join(packageRoot, 'dist', 'test', 'fixtures', 'parts')

/** Starts a process with a thread that no end gets past. */
async function startStuck(t: Test, behaviour: 'stay' | 'end') {
  const fifo = join(t.testdir({}), 'fifo')
  execFileSync('mkfifo', [fifo])
  const child = execa(process.execPath, [join(parts, 'stuck.js'), fifo, behaviour], { stdin: 'ignore', reject: false })
  t.teardown(() => child.kill('SIGKILL'))
  await new Promise(resolve => child.stdout.once('data', resolve))
  return { child }
}

t.test(
  'signals shortly after the first are one wish; a later one ends it though a thread waits for the disk',
  async t => {
    const { child } = await startStuck(t, 'stay')
    const askedMs = performance.now()
    for (const signal of ['SIGTERM', 'SIGTERM', 'SIGINT', 'SIGHUP'] as const) child.kill(signal)
    await delay(ONE_WISH_MS / 4)
    child.kill('SIGTERM')
    await delay(ONE_WISH_MS + 500 - (performance.now() - askedMs))
    child.kill('SIGHUP')
    await delay(300)
    t.equal(child.exitCode ?? child.signalCode, null, 'a terminal that is closed hurries nobody')
    const secondMs = performance.now()
    child.kill('SIGINT')
    const { signal, stdout } = await child
    t.equal(signal, 'SIGINT')
    t.ok(performance.now() - secondMs < 5000, 'at once')
    t.match(stdout, /^up\nSIG\w+$/, 'it was asked once')
  },
)

t.test('what is done but for a thread that waits for the disk ends by the signal that asked', async t => {
  const { child } = await startStuck(t, 'end')
  child.kill('SIGTERM')
  const { signal, stderr } = await child
  t.equal(signal, 'SIGTERM')
  t.match(stderr, 'something does not answer')
})

t.test('a signal while it is cleaned up after an orderly end does not become its exit code', async t => {
  const file = join(t.testdir({}), 'x')
  for (let round = 0; round < 10; round++) {
    const child = execa(process.execPath, [join(parts, 'part.js'), file, 'stay'], { stdin: 'ignore', reject: false })
    await new Promise(resolve => child.stdout.once('data', resolve))
    const again = setInterval(() => child.kill('SIGTERM'), 1)
    const { exitCode, signal } = await child
    clearInterval(again)
    t.equal(exitCode ?? signal, 0)
  }
})

t.test('a log that nobody takes ends nothing', async t => {
  const log = join(packageRoot, 'dist', 'platform', 'log.js')
  const program = `const { createLogger } = await import('${log}'); const log = createLogger('x'); for (let i = 0; i < 5; i++) log.info('y'); console.log('goes on')`
  const args = ['-c', 'exec "$0" --input-type=module -e "$1" 2> /dev/full', process.execPath, program]
  const { stdout, exitCode } = await execa('sh', args, { stdin: 'ignore', reject: false })
  t.equal(stdout, 'goes on')
  t.equal(exitCode, 0)
})
