import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import {
  checkAccount,
  journalOf,
  NOISE,
  peakMiB,
  recordNumbered,
  RESIDENT_MIB_MAX,
  stopAndRead,
} from '../fixtures/frame-account.js'
import { journalText } from '../fixtures/kill-rounds.js'
import { needs, needsThat } from '../fixtures/needs.js'
import { numberedExchange, PLAIN_CHANNELS } from '../fixtures/numbered-exchange.js'
import { framesTaken, statusOf, until } from '../fixtures/recorder-process.js'
import { canMount, smallDisk } from '../fixtures/small-disk.js'

// They mostly wait.
t.jobs = 3

t.setTimeout(240_000)

t.test('a disk that is full: lost in the declared order, exactly journalled, and back by itself', async t => {
  if (!needsThat(t, canMount(), 'needs the right to mount: run as root, with util-linux')) return
  const exchange = await numberedExchange({
    ...{ perSecond: 2000, noise: NOISE },
    channels: ['trades.BTC-PERPETUAL.100ms', ...PLAIN_CHANNELS],
  })
  t.teardown(() => exchange.close())
  const disk = await smallDisk(t, t.testdir({}), 'size=4m')
  const recorder = await recordNumbered(t, disk.path, exchange)
  await until('families are dropped', () => journalText(recorder.dataDir).includes('"lost"'), 60_000)
  t.match(journalText(recorder.dataDir), 'ENOSPC', 'the journal is written while nothing else is')
  disk.remount('size=200m')
  const before = framesTaken(recorder)
  await until(
    'it goes on',
    () => framesTaken(recorder) > before + 2000 && journalText(recorder.dataDir).includes('room_again'),
  )
  t.ok(peakMiB(recorder) < RESIDENT_MIB_MAX, `${Math.round(peakMiB(recorder))} MiB resident at most`)
  exchange.channels = []
  const { lost, lostFrames } = checkAccount(t, await stopAndRead(t, recorder))
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
  const recorder = await recordNumbered(t, disk.path, exchange)
  await until('no inodes are left', () => !takeInode(disk.path))
  exchange.channels = PLAIN_CHANNELS
  await until('it is noticed', () => journalText(recorder.dataDir).includes('ENOSPC'))
  const taken = framesTaken(recorder, 'ticker')
  rmSync(join(disk.path, 'litter'), { recursive: true })
  await until(
    'it goes on',
    () => framesTaken(recorder, 'ticker') > taken + 100 && Number(statusOf(recorder)['waiting_bytes']) < 1e6,
  )
  const { lostFrames } = checkAccount(t, await stopAndRead(t, recorder))
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
  const recorder = await recordNumbered(t, t.testdir({}), exchange)
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
  rmSync(join(recorder.dataDir, 'raw'), { recursive: true, maxRetries: 20 })
  await until('it is noticed', () => journalText(recorder.dataDir).includes('removed by another program'))
  const { lostFrames } = checkAccount(t, await stopAndRead(t, recorder))
  t.equal(lostFrames, 0)
})

t.test('a disk that hangs: memory stays bounded, what is lost is journalled', async t => {
  if (!needs(t, 'strace')) return
  const exchange = await numberedExchange({ perSecond: 2000, noise: NOISE })
  t.teardown(() => exchange.close())
  const recorder = await recordNumbered(t, t.testdir({}), exchange)
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
  t.ok(peakMiB(recorder) < RESIDENT_MIB_MAX, `${Math.round(peakMiB(recorder))} MiB resident at most`)
  exchange.channels = []
  checkAccount(t, await stopAndRead(t, recorder))
})

t.test('a disk that is slow: the socket is paused, memory stays bounded, nothing is lost', async t => {
  if (!needs(t, 'strace')) return
  const exchange = await numberedExchange({ perSecond: 4000, noise: NOISE })
  t.teardown(() => exchange.close())
  const recorder = await recordNumbered(t, t.testdir({}), exchange)
  const inject = ['-e', 'trace=fdatasync', '-e', 'inject=fdatasync:delay_enter=4000000']
  const tracer = spawn('strace', ['-f', '-qq', '-o', '/dev/null', ...inject, '-p', String(recorder.process.pid)], {
    stdio: 'ignore',
  })
  t.teardown(() => tracer.kill('SIGKILL'))
  await until('its memory is full', () => journalText(recorder.dataDir).includes('"paused"'), 60_000)
  await delay(3000)
  tracer.kill('SIGTERM')
  await once(tracer, 'exit')
  await until('the disk has caught up', () => journalText(recorder.dataDir).includes('"resumed"'), 60_000)
  t.ok(peakMiB(recorder) < RESIDENT_MIB_MAX, `${Math.round(peakMiB(recorder))} MiB resident at most`)
  exchange.channels = []
  // Stopping has a time limit, which is not the matter here.
  await until('all is written', () => Number(statusOf(recorder)['waiting_bytes']) < 2e5, 60_000)
  const lines = await stopAndRead(t, recorder)
  t.equal(checkAccount(t, lines).lostFrames, 0)
  const events = journalOf(lines).map(({ event }) => event)
  t.ok(events.indexOf('paused') !== -1 && events.indexOf('paused') < events.indexOf('resumed'))
})
