/** What a command ends with that is asked to end, whatever it is at; `docs/exit-codes.md` promises it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { cliMain, edgetape } from '../../fixtures/cli.js'
import { writeRecording } from '../../fixtures/made-recording.js'
import { needs } from '../../fixtures/needs.js'
import { silentServer } from '../../fixtures/silent-server.js'
import { numberedExchange } from '../../fixtures/numbered-exchange.js'
import { rawFiles, startRecorder, until, type RecorderProcess } from '../../fixtures/recorder-process.js'

t.setTimeout(240_000)

// They mostly wait.
t.jobs = 3

type Asked = readonly ['SIGTERM' | 'SIGINT' | 'SIGHUP', number]

const start = (command: readonly string[]) =>
  execa(process.execPath, [cliMain, ...command], { stdin: 'ignore', reject: false, forceKillAfterDelay: false })

type Child = ReturnType<typeof start>

const saysSomething = (child: Child) => new Promise<unknown>(resolve => child.stdout.once('data', resolve))

/** Starts it, asks it to end when it is at work, and expects its documented end soon. */
async function expectEnd(
  t: Test,
  command: readonly string[],
  [signal, code]: Asked,
  atWork: (child: Child) => unknown,
) {
  const child = start(command)
  t.teardown(() => child.kill('SIGKILL'))
  await atWork(child)
  const askedMs = performance.now()
  child.kill(signal)
  const { exitCode, signal: killedBy, stderr } = await child
  const name = `${command[0] ?? ''}, ${signal}`
  t.equal(killedBy ?? exitCode, code, `${name}: ${stderr.slice(-500)}`)
  // Workers run at the lowest priority: beside a suite at work a tenth of a second of theirs takes half a minute.
  t.ok(performance.now() - askedMs < 120_000, `${name}: not by a limit of its own`)
  t.notMatch(stderr, /something does not answer|^\s+at /m, `${name}: in order`)
}

/** A recording to ask. */
const recorded = t.testdir({})
writeRecording(recorded, [{ family: 'announcements', conn: 'd1', recvUs: Date.UTC(2026, 10, 22) * 1000, frame: '{}' }])
/** What a question that is answered at once takes of the processor, on this machine; more of it is an answer under way. */
const SMALL_TICKS = await (async () => {
  const before = ticksOf('self', 13)
  await edgetape(['query', 'SELECT 1', '--path', recorded])
  return ticksOf('self', 13) - before
})()
const BUSY_TICKS = SMALL_TICKS + 20

/** @param first place of the two counts: 11 for a process itself, 13 for those that it waited for */
function ticksOf(pid: number | 'self', first: number): number {
  const [, facts = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')
  const [user, system] = facts.split(' ').slice(first, first + 2)
  return Number(user) + Number(system)
}

/** It is at work on its answer. */
const isBusy = ({ pid = 0 }: Child) => until('it is at work', () => ticksOf(pid, 11) > BUSY_TICKS)

const SERVERS: readonly Asked[] = [
  ['SIGTERM', 0],
  ['SIGINT', 0],
  ['SIGHUP', 0],
]
const WORKERS: readonly Asked[] = [
  ['SIGTERM', 143],
  ['SIGINT', 130],
  ['SIGHUP', 129],
]

t.test('what serves until it is told to end ends with success', async t => {
  for (const asked of SERVERS) await expectEnd(t, ['simulate', '--port', '0'], asked, saysSomething)
})

t.test('a question that is given up ends with the code of the signal', async t => {
  const sql = 'SELECT count(*) FROM range(100000000000) one WHERE hash(one.range) = 3'
  for (const asked of WORKERS) {
    await expectEnd(t, ['query', sql, '--path', recorded], asked, isBusy)
  }
})

/** Writes a config for what is recorded in `data` beside it. */
function configIn(folder: string, target: string): string {
  const path = join(folder, 'edgetape.yaml')
  const config = { host: 'vps1', dataDir: join(folder, 'data'), exchange: { name: 'deribit' }, sync: { target } }
  writeFileSync(path, JSON.stringify(config))
  return path
}

const HOUR_US = 3_600_000_000

/** Many small segments, one an hour. */
function recordHours(dataDir: string, hours: number): void {
  const fromUs = Date.UTC(2026, 9, 1) * 1000
  const frames = Array.from({ length: hours }, (_, hour) => fromUs + hour * HOUR_US).map(recvUs => {
    return { family: 'announcements', conn: 'd1', recvUs, frame: '{}' }
  })
  writeRecording(dataDir, frames)
}

t.test('compact --once that is given up ends with the code of the signal', async t => {
  const folder = t.testdir({ data: {} })
  const dataDir = join(folder, 'data')
  recordHours(dataDir, 500)
  const command = ['compact', '--once', '--config', configIn(folder, join(folder, 'nas'))]
  await expectEnd(t, command, ['SIGINT', 130], () =>
    until('the first is converted', () => existsSync(join(dataDir, 'parquet'))),
  )
})

t.test('sync --once that is given up ends with the code of the signal', async t => {
  if (!needs(t, 'rsync')) return
  const { port, callers } = await silentServer(t)
  const folder = t.testdir({ data: {} })
  recordHours(join(folder, 'data'), 1)
  const command = ['sync', '--once', '--config', configIn(folder, `rsync://recorder@127.0.0.1:${port}/lake`)]
  await expectEnd(t, command, ['SIGHUP', 129], () => until('the target is asked', () => callers.length > 0))
})

t.test('a signal before the first connection ends a recorder in order', async t => {
  const exchange = await numberedExchange({ perSecond: 10 })
  t.teardown(() => exchange.close())
  const isOpen = ({ dataDir }: RecorderProcess) => rawFiles(dataDir).length > 0
  const moments: Record<string, (recorder: RecorderProcess) => Promise<unknown>> = {
    'before it has begun anything': () => delay(100),
    'once the folder is its own': recorder => until('its folder', () => existsSync(recorder.dataDir)),
    'once it journals': recorder => until('a segment', () => isOpen(recorder)),
  }
  for (const [moment, comes] of Object.entries(moments)) {
    const folder = t.testdir({})
    const recorder = startRecorder(t, folder, { url: exchange.url })
    await comes(recorder)
    process.kill(recorder.process.pid ?? 0, 'SIGTERM')
    const { exitCode, signal } = await recorder.process
    // Before anything was begun the signal itself ends it.
    t.ok(exitCode === 0 || signal === 'SIGTERM', `${moment}: ${String(exitCode ?? signal)}`)
    t.same(
      rawFiles(recorder.dataDir).filter(path => path.endsWith('.open')),
      [],
      'nothing is left open',
    )
  }
})
