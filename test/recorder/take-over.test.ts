import { join } from 'node:path'
import pino from 'pino'
import t, { type Test } from 'tap'
import type { WebSocket } from 'ws'
import { gapsOf } from '../../cli/observe/gaps.js'
import { reportOf } from '../../cli/observe/parts.js'
import { acquireProcessLock, lockHolder } from '../../platform/process-lock.js'
import { takeOver } from '../../recorder/take-over.js'
import { numberedFrame, numberOf, PLAIN_CHANNELS } from '../fixtures/numbered-exchange.js'
import { framesTaken, recordedLines, startRecorder, startSuccessor, until } from '../fixtures/recorder-process.js'
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
    return { host: 'vps1', run, recvUs, event, detail }
  })
  const started = entries.filter(({ event }) => event === 'started')
  const stopped = entries.find(({ event }) => event === 'stopped')
  t.match(started[1]?.detail, { took_over: true })
  t.ok(Number(started[1]?.detail['since_us']) < (stopped?.recvUs ?? 0), 'it had recorded before the other stopped')
  t.ok((started[1]?.recvUs ?? 0) > (stopped?.recvUs ?? Infinity), 'and spoke when the other had spoken its last')
  const between = gapsOf(entries.filter(({ recvUs }) => recvUs <= (started[1]?.recvUs ?? 0)))
  t.same(between, [], 'no gap is told')
  t.equal(reportOf('recorder', old.dataDir).state, 'stopped')
})

t.test('one that does not come to life has not asked anybody to end', async t => {
  const lockPath = join(t.testdir({}), 'lock')
  const lock = acquireProcessLock(lockPath, 'recorder')
  t.equal(lockHolder(lockPath), process.pid)
  const stop = new AbortController()
  const log = pino({ level: 'silent' })
  const fleet = { isWhole: false }
  const asked: string[] = []
  const aboutToEnd = async () => void asked.push('to end')
  const taking = takeOver({ lockPath, fleet, log, signal: stop.signal, aboutToEnd })
  stop.abort()
  await t.rejects(taking, { code: 'TAKE_OVER_FAILED' })
  t.same(asked, [])
  lock.release()
})
