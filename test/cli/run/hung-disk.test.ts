/** A disk that answers no more holds nobody who asks twice. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { reportsOf } from '../../../monitor/observe/parts.js'
import { readStatus } from '../../../formats/status.js'
import { ONE_WISH_MS } from '../../../platform/shutdown.js'
import { cliMain } from '../../fixtures/cli.js'
import { needs, needsThat } from '../../fixtures/needs.js'
import { numberedExchange } from '../../fixtures/numbered-exchange.js'
import { marked } from '../../fixtures/orderly-ends.js'
import { until } from '../../fixtures/recorder-process.js'
import { canMount, hangingDisk } from '../../fixtures/small-disk.js'

// Mostly waits.

t.setTimeout(240_000)

// They mostly wait.
t.jobs = 2

const PER_SECOND = 1000
/** Of `run`. */
const PARTS = 4
/** What it is asked for a second time ends at once; the rest is for a machine that is busy. */
const GONE_WITHIN_MS = 5000

/** Records on a disk that then hangs, and asks it to end twice. */
async function endOnHungDisk(t: Test, command: 'record' | 'run', processes: number) {
  const folder = t.testdir({})
  const disk = await hangingDisk(t, folder)
  const exchange = await numberedExchange({ perSecond: PER_SECOND })
  t.teardown(() => exchange.close())
  const dataDir = join(disk.mountPoint, 'data')
  const configFile = join(folder, 'edgetape.yaml')
  const config = {
    ...{ host: 'vps1', dataDir, exchange: { name: 'deribit', url: exchange.url } },
    segments: { rotateMinutes: 60, flushMs: 200, fsyncMs: 200 },
    ...{ sync: { target: join(folder, 'nas') }, http: { port: 0 } },
  }
  writeFileSync(configFile, JSON.stringify(config))
  const log = join(folder, 'log')
  const mark = `hung disk ${command} ${Math.random()}`
  const words = [process.execPath, cliMain, command, '--config', configFile]
  const [file = '', ...args] = disk.there(['sh', '-c', 'exec "$@" 2>"$0"', log, ...words])
  const child = execa(file, args, {
    env: { EDGETAPE_LOG: 'info', EDGETAPE_TEST_MARK: mark },
    // No stream of this process between it and its log: its end is that of the process.
    ...{ stdio: 'ignore', reject: false, cleanup: false },
  })
  const all = () => marked(mark)
  t.teardown(() => {
    for (const pid of all()) process.kill(pid, 'SIGKILL')
  })

  await until('it records, with all its parts', () => {
    if (child.exitCode !== null) throw new Error(readFileSync(log, 'utf8'))
    return (
      Number(readStatus(join(disk.path, 'data'), 'recorder')?.['frames'] ?? 0) > 2 * PER_SECOND &&
      all().length >= processes &&
      // The others are slower to say anything: they let the recorder go first.
      (command === 'record' || reportsOf(join(disk.path, 'data'), [undefined]).length === PARTS)
    )
  })
  disk.hang()
  const { sent } = exchange
  await until('frames that it cannot write', () => exchange.sent > sent + 2 * PER_SECOND)

  if (command === 'run') {
    await until('each part is told to stand still', () => {
      const reports = reportsOf(join(disk.behind, 'data'), [undefined])
      return reports.length === PARTS && reports.every(({ state }) => state === 'stands still')
    })
  }
  child.kill('SIGTERM')
  // A process that is kept from its work hears the first late.
  await delay(2 * ONE_WISH_MS)
  t.equal(child.exitCode ?? child.signalCode, null, 'it waits for the disk, to seal what is open')
  t.ok(all().length >= processes, 'so do its parts')
  const secondMs = performance.now()
  child.kill('SIGTERM')
  await until('nothing is left', () => all().length === 0)
  const ms = Math.round(performance.now() - secondMs)
  t.ok(ms < GONE_WITHIN_MS, `gone after ${ms} ms`)
  const { signal } = await child
  t.equal(signal, 'SIGTERM', readFileSync(log, 'utf8').slice(-1000))
}

for (const [command, processes] of [
  ['record', 1],
  ['run', 5],
] as const) {
  t.test(`${command} on a disk that hangs ends at once when it is asked a second time`, async t => {
    if (!needsThat(t, canMount(), 'needs the right to mount: run as root, with util-linux')) return
    if (!needs(t, 'bindfs')) return
    await endOnHungDisk(t, command, processes)
  })
}
