import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { journalText } from '../fixtures/kill-rounds.js'
import { sealLeft } from '../fixtures/segments.js'
import type { Manifest } from '../../formats/manifest.js'
import { startSimulator } from '../../exchanges/deribit/simulator/main.js'
import {
  framesTaken,
  rawFiles,
  recordedLines,
  startRecorder,
  statusOf,
  until,
  type RecorderProcess,
} from '../fixtures/recorder-process.js'

// They mostly wait.
t.jobs = 3

interface JournalEntry {
  event: string
  conn?: string
  cause?: string
  code?: number
  from_us?: number
  to_us?: number
  families?: string[]
  channels?: string[]
}

const journalOf = (dataDir: string) =>
  recordedLines(dataDir)
    .filter(({ family }) => family === 'journal')
    .map(({ frame }) => JSON.parse(frame.toString('utf8')) as JournalEntry)

interface ConnectionStatus {
  state: string
  sessions: number
  channels: number
}

const connectionsOf = (recorder: RecorderProcess) => (statusOf(recorder)['connections'] ?? []) as ConnectionStatus[]

t.test('a lost connection is opened again, and the journal and the manifests have the gap', async t => {
  const exchange = await startSimulator({ rate: 300, instruments: 20 })
  t.teardown(() => exchange.close())
  const recorder = startRecorder(t, t.testdir({}), { url: exchange.url })
  await until(
    'the first session',
    () => framesTaken(recorder, 'quote') > 0 && connectionsOf(recorder)[0]?.state === 'live',
  )
  const channels = connectionsOf(recorder)[0]?.channels
  exchange.faults.inject({ type: 'close' })
  await until(
    'the second session',
    () => connectionsOf(recorder)[0]?.sessions === 2 && connectionsOf(recorder)[0]?.state === 'live',
    30_000,
  )
  exchange.faults.inject({ type: 'maintenance', forMs: 500 })
  await until(
    'a session after maintenance',
    () => (connectionsOf(recorder)[0]?.sessions ?? 0) > 2 && connectionsOf(recorder)[0]?.state === 'live',
    60_000,
  )
  t.equal(connectionsOf(recorder)[0]?.channels, channels, 'all channels are taken again')
  recorder.process.kill()
  t.equal((await recorder.process).exitCode, 0)
  sealLeft(recorder.dataDir)

  const journal = journalOf(recorder.dataDir)
  const gaps = journal.filter(({ event }) => event === 'gap')
  t.equal(gaps.length, 2, 'one gap for each outage')
  for (const { from_us = 0, to_us = 0, families, conn } of gaps) {
    t.ok(to_us > from_us)
    t.equal(conn, 'd1')
    t.ok(families?.includes('book') && families.includes('trades'), 'the gap names what is missing')
  }
  t.ok(
    journal.some(({ event, code }) => event === 'error' && code === 11051),
    'the exchange’s word is kept',
  )
  t.ok(journal.filter(({ event }) => event === 'disconnected').length >= 3)
  const manifests = rawFiles(recorder.dataDir)
    .filter(path => path.includes('channel=book/') && path.endsWith('.json'))
    .map(path => JSON.parse(readFileSync(join(recorder.dataDir, path), 'utf8')) as Manifest)
  t.equal(manifests.flatMap(({ gaps }) => gaps).length, 2, 'the manifests of the books have them, too')

  const received = recordedLines(recorder.dataDir)
    .filter(({ conn }) => conn === 'd1')
    .map(({ seq }) => seq)
    .sort((one, other) => one - other)
  t.same(
    received,
    received.map((_, index) => index + 1),
    'the count of frames goes on over sessions, without a hole',
  )
})

t.test('an exchange that is not there is waited for', async t => {
  const first = await startSimulator({ rate: 50, instruments: 8 })
  const port = Number(new URL(first.url).port)
  await first.close()
  const recorder = startRecorder(t, t.testdir({}), { url: first.url })
  await until('it finds no exchange', () => journalText(recorder.dataDir).includes('discovery_failed'))
  const exchange = await startSimulator({ rate: 50, instruments: 8, port })
  t.teardown(() => exchange.close())
  await until('it records once there is one', () => framesTaken(recorder, 'quote') > 0, 30_000)
  recorder.process.kill()
  t.equal((await recorder.process).exitCode, 0)
})

t.test('redundancy 2 takes every channel on two connections', async t => {
  const exchange = await startSimulator({ rate: 100, instruments: 12 })
  t.teardown(() => exchange.close())
  const recorder = startRecorder(t, t.testdir({}), { url: exchange.url, redundancy: 2 })
  await until(
    'both are live',
    () => connectionsOf(recorder).filter(({ state, channels }) => state === 'live' && channels > 0).length === 2,
  )
  recorder.process.kill()
  t.equal((await recorder.process).exitCode, 0)
  const subscribed = (conn: string) =>
    journalOf(recorder.dataDir)
      .filter(entry => entry.event === 'subscribed' && entry.conn === conn)
      .flatMap(({ channels = [] }) => channels)
      .sort()
  t.ok(subscribed('d1').length > 20)
  t.same(subscribed('d1'), subscribed('d2'))
})

t.test('a call for channels that fails at the begin is a try that failed, and the next one is given them', async t => {
  const exchange = await startSimulator({ rate: 100, instruments: 12 })
  t.teardown(() => exchange.close())
  exchange.faults.inject({ type: 'reject_subscribe', code: 11052, message: 'subscribe_error_unsubscribed' })
  const recorder = startRecorder(t, t.testdir({}), { url: exchange.url, rediscoverMinutes: 0.1 })
  await until('the refused channels are asked for again', () => framesTaken(recorder, 'quote') > 0, 30_000)
  recorder.process.kill()
  const { exitCode, stderr } = await recorder.process
  t.equal(exitCode, 0)
  t.match(stderr, '11052 subscribe_error_unsubscribed')
  t.ok(journalOf(recorder.dataDir).some(({ event, cause }) => event === 'disconnected' && /11052/.test(String(cause))))
})
