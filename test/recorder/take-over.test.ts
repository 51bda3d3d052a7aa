import { writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import pino from 'pino'
import t, { type Test } from 'tap'
import type { WebSocket } from 'ws'
import { gapsOf } from '../../formats/journal/gaps.js'
import { journalEntry } from '../fixtures/journal-entry.js'
import { reportOf } from '../../monitor/observe/parts.js'
import { acquireProcessLock, lockHolder } from '../../platform/process-lock.js'
import { takeOver } from '../../recorder/take-over.js'
import { numberedFrame, numberOf, PLAIN_CHANNELS } from '../fixtures/numbered-exchange.js'
import {
  framesTaken,
  rawFiles,
  recordedLines,
  startRecorder,
  startSuccessor,
  until,
} from '../fixtures/recorder-process.js'
import { PERPETUAL, scriptedExchange } from '../fixtures/scripted-exchange.js'

/** An exchange that sends each numbered frame to every connection there is, as a real one does. */
async function broadcast(t: Test, perSecond: number): Promise<{ url: string }> {
  const sockets = new Set<WebSocket>()
  const exchange = await scriptedExchange([PERPETUAL], socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  let n = 0
  const timer = setInterval(() => {
    if (sockets.size === 0) return
    n++
    for (const socket of sockets) socket.send(numberedFrame(n, PLAIN_CHANNELS[n % PLAIN_CHANNELS.length] ?? '', 0))
  }, 1000 / perSecond)
  t.teardown(() => {
    clearInterval(timer)
    return exchange.close()
  })
  return exchange
}

t.test('a new recorder takes over from the one at work, and no frame is missing', async t => {
  const { url } = await broadcast(t, 500)
  const old = startRecorder(t, t.testdir({}), { url })
  await until('frames', () => framesTaken(old, 'quote') > 20)
  const next = startSuccessor(t, old)
  const { exitCode, stderr } = await old.process
  t.equal(exitCode, 0, exitCode === 0 ? 'the one at work ends well' : stderr)
  await until('frames of the new one', () => framesTaken(next, 'quote') > 20)
  next.process.kill('SIGTERM')
  const end = await next.process
  t.equal(end.exitCode, 0, end.exitCode === 0 ? 'and so does the new one' : end.stderr)

  const lines = recordedLines(old.dataDir)
  const numbers = lines.flatMap(({ frame, run }) => {
    const n = numberOf(frame, 0)
    return n === undefined ? [] : [{ n, run }]
  })
  const runs = [...new Set(numbers.map(({ run }) => run))]
  t.equal(runs.length, 2)
  const found = new Set(numbers.map(({ n }) => n))
  const last = Math.max(...found)
  t.equal(found.size, last, `of ${last} frames ${last - found.size} are missing`)
  t.ok(last > 200)

  const journal = lines.filter(({ family }) => family === 'journal')
  const entries = journal.map(({ frame, recvUs, run }) => {
    const { event, ...detail } = JSON.parse(frame.toString('utf8')) as { event: string; [key: string]: unknown }
    return journalEntry({ host: 'vps1', run, recvUs }, event, detail)
  })
  const started = entries.filter(entry => entry.event === 'started')
  const stopped = entries.find(({ event }) => event === 'stopped')
  t.match(started[1]?.detail, { took_over: true })
  t.ok((started[1]?.detail.since_us ?? Infinity) < (stopped?.recvUs ?? 0), 'it had recorded before the other stopped')
  t.ok((started[1]?.recvUs ?? 0) > (stopped?.recvUs ?? Infinity), 'and spoke when the other had spoken its last')
  const between = gapsOf(entries.filter(({ recvUs }) => recvUs <= (started[1]?.recvUs ?? 0)))
  t.same(between, [], 'no gap is told')
  t.equal(reportOf('recorder', old.dataDir).state, 'stopped')
})

const silent = pino({ level: 'silent' })
const isLive = { isWhole: true }

/** What a take-over of this lock comes to, and how often somebody was about to be asked to end. */
async function taking(lockPath: string, { signal = new AbortController().signal, pool = isLive } = {}) {
  let asked = 0
  const aboutToEnd = () => {
    asked++
    return Promise.resolve()
  }
  const taken = await takeOver({ lockPath, pool, log: silent, signal, aboutToEnd })
  return { taken, asked }
}

t.test('one that is told to stop before it came to life has not asked anybody to end', async t => {
  const lockPath = join(t.testdir({}), 'lock')
  const lock = acquireProcessLock(lockPath, 'recorder')
  t.equal(lockHolder(lockPath), process.pid)
  t.same(await taking(lockPath, { signal: AbortSignal.abort(), pool: { isWhole: false } }), {
    taken: undefined,
    asked: 0,
  })
  lock.release()
  t.equal(lockHolder(lockPath), undefined, 'the number of one that let go is not left behind')
})

t.test('a recorder that is dead already is taken over from: its number is nobody, or somebody else', async t => {
  const dead = await execa(process.execPath, ['-e', 'console.log(process.pid)'])
  const other = execa('sleep', ['60'], { reject: false })
  t.teardown(() => other.kill('SIGKILL'))
  for (const pid of [Number(dead.stdout), other.pid ?? 0]) {
    const lockPath = join(t.testdir({ lock: `pid ${pid} on ${hostname()} since 2026-11-22T10:00:00.000Z\n` }), 'lock')
    t.equal(lockHolder(lockPath), undefined)
    const { taken, asked } = await taking(lockPath)
    t.ok(taken, 'the lock is free')
    t.equal(asked, 0, 'and nobody is asked to end')
    t.equal(lockHolder(lockPath), process.pid, 'who has it now is found, and not who had it before')
    taken?.lock.release()
  }
  t.equal(other.exitCode ?? other.signalCode, null, 'who has that number now got no signal')
})

t.test('one that ends of itself while it is waited for is not missed', async t => {
  const lockPath = join(t.testdir({}), 'lock')
  const lock = acquireProcessLock(lockPath, 'recorder')
  // Its holder is unknown, as with one that has not said its name yet.
  writeFileSync(lockPath, '')
  setTimeout(() => lock.release(), 300)
  const { taken, asked } = await taking(lockPath)
  t.ok(taken)
  t.equal(asked, 0)
  taken?.lock.release()
})

t.test('told to stop after the one at work was asked to end, it stores what came meanwhile, and stops', async t => {
  const { url } = await broadcast(t, 500)
  const old = startRecorder(t, t.testdir({}), { url })
  await until('frames', () => framesTaken(old, 'quote') > 20)
  const next = startSuccessor(t, old)
  let log = ''
  next.process.stderr.on('data', (chunk: Buffer) => (log += chunk.toString('utf8')))
  await until('the one at work is asked', () => log.includes('is asked to end'))
  next.process.kill('SIGTERM')
  const ends = await Promise.all([old.process, next.process])
  t.same(
    ends.map(({ exitCode }) => exitCode),
    [0, 0],
  )
  t.same(
    rawFiles(old.dataDir).filter(path => path.endsWith('.open')),
    [],
  )
  const numbers = new Set(recordedLines(old.dataDir).flatMap(({ frame }) => numberOf(frame, 0) ?? []))
  t.equal(numbers.size, Math.max(...numbers), 'no frame is missing between the two')
})
