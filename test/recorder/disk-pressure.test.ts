import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { localDisk } from '../../platform/disk.js'
import { findOpenSegments } from '../../recorder/storage/open-segments.js'
import { journalText } from '../fixtures/kill-rounds.js'
import { needs, needsThat } from '../fixtures/needs.js'
import { numberedExchange, numberOf, PLAIN_CHANNELS, type NumberedExchange } from '../fixtures/numbered-exchange.js'
import {
  framesTaken,
  recordedLines,
  startRecorder,
  statusOf,
  until,
  type RecordedLine,
  type RecorderProcess,
} from '../fixtures/recorder-process.js'
import { seal } from '../fixtures/segments.js'
import { canMount, smallDisk } from '../fixtures/small-disk.js'

t.setTimeout(240_000)

/** Characters of a frame that do not compress: 2,000 frames/s are 1.6 MB/s on disk. */
const NOISE = 800
const QUEUE_MIB = 8
/** What a recorder takes beside its queue: Node, its heaps, batches being filled and those kept for reuse. */
const RESIDENT_MIB_MAX = 240 + QUEUE_MIB

const segments = { rotateMinutes: 60, flushMs: 200, fsyncMs: 200, queueMiB: QUEUE_MIB, reserveMiB: 1 }

interface LostEvent {
  event: 'lost'
  channel: string
  from_us: number
  to_us: number
  frames: number
}

const journalOf = (lines: RecordedLine[]) =>
  lines
    .filter(({ family }) => family === 'journal')
    .map(({ frame }) => JSON.parse(frame.toString('utf8')) as { event: string })

const isLost = (event: { event: string }): event is LostEvent => event.event === 'lost'

async function stop(t: Test, recorder: RecorderProcess): Promise<RecordedLine[]> {
  recorder.process.kill('SIGTERM')
  const { exitCode, stderr } = await recorder.process
  t.equal(exitCode, 0, exitCode === 0 ? 'ends well' : stderr)
  // A busy machine leaves some to be sealed by the next start.
  for (const path of findOpenSegments(localDisk, recorder.dataDir, 'deribit', 'vps1')) seal(recorder.dataDir, path)
  return recordedLines(recorder.dataDir)
}

/** Every frame of the connection is in a file, once and unchanged, or was journalled as lost, of its family and in its span. */
function checkAccount(t: Test, lines: RecordedLine[]): { lost: LostEvent[]; lostFrames: number } {
  const received = lines.filter(({ conn }) => conn === 'd1')
  const last = received.at(-1)?.seq ?? 0
  const seqs = new Set(received.map(({ seq }) => seq))
  t.equal(seqs.size, received.length, 'no frame is doubled')
  for (const { frame } of received) numberOf(frame, NOISE)
  const lost = journalOf(lines).filter(isLost)
  const lostFrames = lost.reduce((sum, { frames }) => sum + frames, 0)
  t.equal(
    received.length + lostFrames,
    last,
    `of ${last} frames ${received.length} are there and ${lostFrames} are journalled as lost`,
  )
  return { lost, lostFrames }
}

function residentMiB({ process }: RecorderProcess): number {
  const status = readFileSync(`/proc/${String(process.pid)}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024
}

async function record(t: Test, dataDir: string, exchange: NumberedExchange): Promise<RecorderProcess> {
  const recorder = startRecorder(t, dataDir, { url: exchange.url }, segments)
  await until(
    'frames are on disk',
    () => framesTaken(recorder, 'quote') > 0 && journalText(recorder.dataDir).includes('subscribed'),
  )
  return recorder
}

t.test('a disk that is full: lost in the declared order, exactly journalled, and back by itself', async t => {
  if (!needsThat(t, canMount(), 'needs the right to mount: run as root, with util-linux')) return
  const exchange = await numberedExchange({
    ...{ perSecond: 2000, noise: NOISE },
    channels: ['trades.BTC-PERPETUAL.100ms', ...PLAIN_CHANNELS],
  })
  t.teardown(() => exchange.close())
  const disk = await smallDisk(t, t.testdir({}), 'size=4m')
  const recorder = await record(t, disk.path, exchange)
  await until('families give way', () => journalText(recorder.dataDir).includes('"lost"'), 60_000)
  t.match(journalText(recorder.dataDir), 'ENOSPC', 'the journal is written while nothing else is')
  disk.remount('size=200m')
  const before = framesTaken(recorder)
  await until(
    'it goes on',
    () => framesTaken(recorder) > before + 2000 && journalText(recorder.dataDir).includes('room_again'),
  )
  t.ok(residentMiB(recorder) < RESIDENT_MIB_MAX, `${Math.round(residentMiB(recorder))} MiB resident at most`)
  exchange.channels = []
  const { lost, lostFrames } = checkAccount(t, await stop(t, recorder))
  t.ok(lostFrames > 0)
  t.notOk(
    lost.some(({ channel }) => channel === 'journal'),
    'the journal is whole',
  )
  const [ticker = 0, trades = 0] = ['ticker', 'trades'].map(family =>
    lost.filter(({ channel }) => channel === family).reduce((sum, { frames }) => sum + frames, 0),
  )
  t.ok(ticker > trades, `of ticker ${ticker} frames, of trades ${trades}`)
})

t.test('no inodes left: frames wait in memory, nothing is lost', async t => {
  if (!needsThat(t, canMount(), 'needs the right to mount: run as root, with util-linux')) return
  const exchange = await numberedExchange({ perSecond: 200, noise: NOISE, channels: PLAIN_CHANNELS.slice(0, 1) })
  t.teardown(() => exchange.close())
  const disk = await smallDisk(t, t.testdir({}), 'size=64m,nr_inodes=400')
  const recorder = await record(t, disk.path, exchange)
  await until('no inodes are left', () => !takeInode(disk.path))
  exchange.channels = PLAIN_CHANNELS
  await until('it is noticed', () => journalText(recorder.dataDir).includes('ENOSPC'))
  const taken = framesTaken(recorder, 'ticker')
  rmSync(join(disk.path, 'litter'), { recursive: true })
  await until(
    'it goes on',
    () => framesTaken(recorder, 'ticker') > taken + 100 && Number(statusOf(recorder)['waiting_bytes']) < 1e6,
  )
  const { lostFrames } = checkAccount(t, await stop(t, recorder))
  t.equal(lostFrames, 0)
})

let litter = 0
function takeInode(root: string): boolean {
  spawnSync('mkdir', ['-p', join(root, 'litter')])
  try {
    for (;;) writeFileSync(join(root, 'litter', String(++litter)), '')
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return false
  }
}

t.test('no file descriptors, then a folder that someone deletes: nothing is lost', async t => {
  if (!needsThat(t, spawnSync('prlimit', ['--version']).status === 0, 'needs prlimit: apt-get install util-linux'))
    return
  const exchange = await numberedExchange({ perSecond: 500, noise: NOISE, channels: PLAIN_CHANNELS.slice(0, 1) })
  t.teardown(() => exchange.close())
  const recorder = await record(t, t.testdir({}), exchange)
  const pid = String(recorder.process.pid)
  const used = readdirSync(`/proc/${pid}/fd`).length
  spawnSync('prlimit', ['--pid', pid, `--nofile=${used}:1000000`])
  exchange.channels = PLAIN_CHANNELS
  const taken = framesTaken(recorder)
  await until('it goes on', () => framesTaken(recorder) > taken + 500)
  spawnSync('prlimit', ['--pid', pid, '--nofile=1000:1000000'])
  await until(
    'all is written',
    () => framesTaken(recorder, 'ticker') > 0 && Number(statusOf(recorder)['waiting_bytes']) < 1e6,
  )
  rmSync(join(recorder.dataDir, 'raw'), { recursive: true })
  await until('it is noticed', () => journalText(recorder.dataDir).includes('removed by another program'))
  const { lostFrames } = checkAccount(t, await stop(t, recorder))
  t.equal(lostFrames, 0)
})

t.test('a disk that hangs: memory stays bounded, what is lost is journalled', async t => {
  if (!needs(t, 'strace')) return
  const exchange = await numberedExchange({ perSecond: 2000, noise: NOISE })
  t.teardown(() => exchange.close())
  const recorder = await record(t, t.testdir({}), exchange)
  const inject = ['-e', 'trace=fdatasync', '-e', 'inject=fdatasync:delay_enter=9000000:when=1']
  const tracer = spawn('strace', ['-f', '-qq', '-o', '/dev/null', ...inject, '-p', String(recorder.process.pid)], {
    stdio: 'ignore',
  })
  t.teardown(() => tracer.kill('SIGKILL'))
  await until('frames are given up', () => Number(statusOf(recorder)['lost_frames']) > 0)
  tracer.kill('SIGTERM')
  await once(tracer, 'exit')
  await delay(500)
  const before = framesTaken(recorder)
  await until(
    'it goes on',
    () => framesTaken(recorder) > before + 2000 && Number(statusOf(recorder)['waiting_bytes']) < 2e6,
  )
  t.ok(residentMiB(recorder) < RESIDENT_MIB_MAX, `${Math.round(residentMiB(recorder))} MiB resident at most`)
  exchange.channels = []
  checkAccount(t, await stop(t, recorder))
})

t.test('a disk that is slow: the socket is paused, memory stays bounded, nothing is lost', async t => {
  if (!needs(t, 'strace')) return
  const exchange = await numberedExchange({ perSecond: 4000, noise: NOISE })
  t.teardown(() => exchange.close())
  const recorder = await record(t, t.testdir({}), exchange)
  const inject = ['-e', 'trace=fdatasync', '-e', 'inject=fdatasync:delay_enter=1500000']
  const tracer = spawn('strace', ['-f', '-qq', '-o', '/dev/null', ...inject, '-p', String(recorder.process.pid)], {
    stdio: 'ignore',
  })
  t.teardown(() => tracer.kill('SIGKILL'))
  await until('its memory is full', () => Number(statusOf(recorder)['waiting_bytes']) > QUEUE_MIB * 2 ** 19, 60_000)
  await delay(3000)
  tracer.kill('SIGTERM')
  await once(tracer, 'exit')
  await until('the disk has caught up', () => journalText(recorder.dataDir).includes('"resumed"'), 60_000)
  t.ok(residentMiB(recorder) < RESIDENT_MIB_MAX, `${Math.round(residentMiB(recorder))} MiB resident at most`)
  exchange.channels = []
  const lines = await stop(t, recorder)
  t.equal(checkAccount(t, lines).lostFrames, 0)
  const events = journalOf(lines).map(({ event }) => event)
  t.ok(events.indexOf('paused') !== -1 && events.indexOf('paused') < events.indexOf('resumed'))
})
