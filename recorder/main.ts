import { randomBytes } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { recorderTag } from '../config/one-exchange.js'
import type { Config } from '../config/schema.js'
import { targetLabel } from '../config/target-address.js'
import { recorderName } from '../formats/recorder-name.js'
import { dataIdentity, ownDataIdentity } from '../platform/data-identity.js'
import { EdgeError, messageOf } from '../platform/edge-error.js'
import type { Logger } from '../platform/log.js'
import { version } from '../platform/package-info.js'
import { acquireProcessLock } from '../platform/process-lock.js'
import { startPulse } from '../formats/pulse.js'
import { StatusWriter } from '../formats/status.js'
import { clockFacts } from './clock-facts.js'
import { Complaints } from './complaints.js'
import type { ConnectionDeps } from './connection/connection.js'
import { OutageLedger } from './connection/outage-ledger.js'
import type { Adapter, Credentials, Recording } from '../exchanges/adapter.js'
import type { ExchangeConfig } from '../exchanges/settings.js'
import { droppedFirst, droppedLast } from '../exchanges/exchange.js'
import { exchangeOf } from '../exchanges/registry.js'
import { Glances } from './glances.js'
import { ConnectionPool } from './connection-pool.js'
import { Pulse } from './pulse.js'
import { PollProgress } from './poll-progress.js'
import { ReceiveClock } from './receive-clock.js'
import { reportStorage } from './report-storage.js'
import { recorderState } from '../formats/recorder-state.js'
import { ReceiveLag } from './receive-lag.js'
import { recorderStatus } from './status.js'
import { HAND_OVER_MS } from './line-batch.js'
import { readEarlier } from './storage/earlier-reader.js'
import type { EarlierQuery } from './storage/earlier-segments.js'
import { Storage } from './storage/storage.js'
import { requireStorable } from './storable.js'
import { freeLock, takeOver } from './take-over.js'
import { FrameCounter, FrameRouter, type PartitionOf } from './frame-router.js'

const MIB = 1024 * 1024
/** A disk that has not taken the first line by then keeps nobody from recording into memory. */
const BEGIN_WITHIN_MS = 5000
/** SIGTERM promises an end within 5 s; what closing the sockets leaves of it is for sealing. */
const SETTLE_WITHIN_MS = 1000
const SEAL_UNTIL_MS = 4000
const SEAL_AT_LEAST_MS = 1000
const CLOSE_WITHIN_MS = 500
const LAST_STATUS_WITHIN_MS = 500
const STATUS_EVERY_MS = 1000
const CLOCK_EVERY_MS = 60_000

export interface RecorderOptions {
  config: Config
  /** Which of the config's exchanges it records. */
  exchange: ExchangeConfig
  credentials: Credentials | undefined
  log: Logger
  /** Aborted when the recorder is to end: it seals what is open and resolves. */
  signal: AbortSignal
  /**
   * Where a recorder is at work here, take its place instead of giving way, so that nothing is missed; called right before
   * that one is asked to end.
   */
  takeOver?: () => Promise<void>
}

/**
 * Records until stopped: connects, subscribes, writes every frame to open segments, seals them on time and size.
 * @throws EdgeError LOCK_HELD, TAKE_OVER_FAILED, CREDENTIALS_MISSING, STORAGE_DIED, JOURNAL_NOT_WRITTEN
 */
export async function runRecorder(options: RecorderOptions): Promise<void> {
  const { config, exchange: wanted, credentials, log, signal } = options
  const { dataDir, host, segments, sync } = config
  const facts = exchangeOf(wanted)
  const exchange = await facts.openAdapter(wanted, credentials, log)
  requireStorable(dataDir, exchange.name)
  const lockPath = recorderState(dataDir, exchange.name, host, 'lock')
  let lock = options.takeOver ? freeLock(lockPath) : acquireProcessLock(lockPath, 'recorder')
  // Behind the lock, since a folder that was copied gets an identity of its own; a successor finds the one of before.
  const name = recorderName(host, lock ? ownDataIdentity(dataDir) : dataIdentity(dataDir))
  const run = newRunId()
  const clock = new ReceiveClock()
  const storage = new Storage({
    dataDir,
    exchange: exchange.name,
    siblings: config.exchanges.map(({ name }) => name).filter(name => name !== exchange.name),
    host: name,
    run,
    rotateBytes: segments.rotateMiB * MIB,
    long: segments.longestHours > 1 ? { hours: segments.longestHours, bytes: segments.littleMiB * MIB } : undefined,
    fsyncMs: segments.fsyncMs,
    frameMs: segments.flushMs,
    queueBytes: segments.queueMiB * MIB,
    reserveBytes: segments.reserveMiB * MIB,
    openFilesMax: segments.openFilesMax,
    dropFirst: segments.dropOrder ?? droppedFirst([facts]),
    dropLast: droppedLast(facts),
    syncTarget: sync.target === undefined ? undefined : targetLabel(sync.target),
  })
  // Lines wait so long before they are written, at most.
  const handOverMs = Math.min(HAND_OVER_MS, segments.flushMs)
  const grouping = groupingOf(segments.groupBy, exchange)
  const router = new FrameRouter(storage, clock, segments.rotateMinutes, grouping, handOverMs)
  const answers = new FrameCounter('http')
  const complaints = new Complaints(router, log, () => clock.nowUs())
  const ledger = new OutageLedger(router, channel => exchange.familyOfChannel(channel))
  const pulse = new Pulse({
    nowUs: () => clock.nowUs(),
    stoodStill: ({ fromUs, toUs }) => {
      router.journal('stood_still', { from_us: fromUs, to_us: toUs })
      log.warn(
        { seconds: (toUs - fromUs) / 1e6 },
        'the recorder itself stood still: what came meanwhile is stamped late',
      )
    },
  })
  const deps = { exchange, router, clock, log, complaints, ledger, random: Math.random, pulse }
  const pool = new ConnectionPool(deps, exchange.spread, facts.settings.hints.plansNothing, answers)
  const reported = { log, complaints, exchange }
  const died = reportStorage(
    storage,
    router,
    { ...reported, foundBroken: frame => pool.foundBroken(frame) },
    paused => {
      for (const connection of pool.connections) connection.setPaused(paused)
    },
  )
  // Without storage nothing can be recorded: the sockets are closed, too, so that the process ends and is started anew.
  const broken = new AbortController()
  died.catch(() => broken.abort('storage died'))
  const started = {
    ...{ version, host, run, exchange: exchange.name },
    ...{ flush_ms: handOverMs, fsync_ms: segments.fsyncMs, rotate_minutes: segments.rotateMinutes },
  }
  if (lock) {
    storage.start()
    router.journal('started', started)
    router.flush()
  } else router.holdJournal()

  const tag = recorderTag(config, exchange.name)
  const status = new StatusWriter(dataDir, 'recorder', tag)
  const lag = new ReceiveLag(frame => exchange.madeMs?.(frame))
  const glances = new Glances(exchange, router)
  const sources = { run, host, exchange, lag, glances, pool, router, storage }
  let isDiskSilent = false
  let stoppedMs = signal.aborted ? performance.now() : 0
  signal.addEventListener('abort', () => (stoppedMs = performance.now()), { once: true })
  const stopPulse = startPulse({ dataDir, part: 'recorder', of: tag, log }, () => lock && didBy(router, pool))
  const timers = [
    pulse.start(),
    setInterval(() => storage.tick(clock.nowUs()), Math.min(1000, segments.fsyncMs)),
    setInterval(() => {
      const stepUs = clock.checkForStep()
      if (stepUs !== 0) noteClockStep(stepUs, deps, pool)
      pool.look()
      lag.look(router.counts)
      glances.look()
      if (lock) void untilWritten(log, status.write(recorderStatus(sources)))
    }, STATUS_EVERY_MS),
    setInterval(() => router.journal('clock', clockFacts(clock, pool.takeMeasured())), CLOCK_EVERY_MS),
  ]
  try {
    // However soon it is killed, it is known to have begun: on a busy machine the storage thread may need seconds to begin.
    if (lock) await Promise.race([storage.written(BEGIN_WITHIN_MS), died])
    const ending = AbortSignal.any([signal, broken.signal])
    // Each connection and each question under way hears it: a warning of many was printed among the lines of the log.
    setMaxListeners(0, ending)
    const running = pool.run(ending)
    if (!lock) {
      const aboutToEnd = options.takeOver ?? (() => Promise.resolve())
      const taken = await takeOver({ lockPath, pool, log, signal, aboutToEnd }).catch(async (error: unknown) => {
        broken.abort('not taken over')
        await running
        throw error
      })
      if (!taken) {
        await running
        log.info('asked to stop before it took over; the running recorder continues')
        return
      }
      lock = taken.lock
      // From here on all is as at any start; what came meanwhile waits in memory, and is written now.
      storage.start()
      const sinceUs = clock.nowUs() - Math.round(1000 * (performance.now() - taken.sinceMs))
      router.speak('started', { ...started, took_over: true, since_us: sinceUs })
      log.info({ run }, 'took over')
    }
    const earlier = { dataDir, exchange: exchange.name, host: name, exceptRun: run }
    const polled = new PollProgress(dataDir, exchange.name, host)
    const attending = exchange.attend?.(recordingOn({ router, clock, answers, earlier, polled }), ending)
    await Promise.race([Promise.all([running, attending]), died])
    isDiskSilent = !(await endRecording(
      { storage, router, complaints, died, log, reason: String(signal.reason) },
      stoppedMs,
    ))
    const last = { ...recorderStatus(sources), stopped: true }
    if (!(await untilWritten(log, status.writeLast(last, LAST_STATUS_WITHIN_MS)))) isDiskSilent = true
    if (storage.isUnderWay('journal')) throw journalNotWritten(storage.lostFrames, dataDir)
    log.info({ segments: storage.sealedSegments }, 'stopped')
  } finally {
    for (const timer of timers) clearInterval(timer)
    void stopPulse()
    // Where the disk does not answer, the end of the process releases it.
    if (!isDiskSilent) lock?.release()
  }
}

interface Ending {
  storage: Storage
  router: FrameRouter
  complaints: Complaints
  died: Promise<never>
  log: Logger
  reason: string
}

/**
 * Writes what waits, seals as much as the time allows, and says so in the journal.
 * @returns false where the disk does not answer
 */
async function endRecording(
  { storage, router, complaints, died, log, reason }: Ending,
  stoppedMs: number,
): Promise<boolean> {
  router.flush()
  await Promise.race([storage.settle(SETTLE_WITHIN_MS), died])
  const sealMs = Math.max(SEAL_AT_LEAST_MS, SEAL_UNTIL_MS - (performance.now() - stoppedMs))
  await Promise.race([storage.sealAll(sealMs), died])
  // The storage thread complains of the last frames, too.
  complaints.close()
  router.journal('stopped', { reason })
  router.flush()
  const leftOpen = await Promise.race([storage.close(CLOSE_WITHIN_MS), died])
  if (leftOpen === undefined) log.error('the disk does not answer; the next start recovers what is open')
  else if (leftOpen.length > 0) log.warn({ segments: leftOpen }, 'no time to seal; the next start does it')
  return leftOpen !== undefined
}

/** The disk took nothing to the very end: what is lost then stands in the log alone. */
function journalNotWritten(lostFrames: number, dataDir: string): EdgeError {
  return new EdgeError('JOURNAL_NOT_WRITTEN', `the journal could not be written; ${lostFrames} frames are lost`, {
    path: dataDir,
    hint: 'the log has their channels and what the disk says; repair it, then start the recorder again',
  })
}

/** What was done last, for people. */
function didBy({ counts }: FrameRouter, { connections }: ConnectionPool): string {
  const frames = [...counts.values()].reduce((sum, { frames }) => sum + frames, 0)
  const live = connections.filter(({ state }) => state === 'live').length
  return `received ${frames} frames since its start, ${live} of ${connections.length} connections are live`
}

/** How segments are grouped beyond their family. */
function groupingOf(groupBy: Config['segments']['groupBy'], exchange: Adapter): PartitionOf | undefined {
  switch (groupBy) {
    case 'family':
      return undefined
    case 'family+kind':
      return (frame, family) => {
        const partition = exchange.partitionOf?.(frame, family)
        return partition && { kind: partition.kind }
      }
    case 'family+kind+currency':
      return (frame, family) => exchange.partitionOf?.(frame, family)
  }
}

interface RecordingParts extends Pick<Recording, 'polled'> {
  router: FrameRouter
  clock: ReceiveClock
  /** Counts answers over HTTP. */
  answers: FrameCounter
  earlier: Omit<EarlierQuery, 'family'>
}

/** What the exchange may do for the recording beside its connections. */
function recordingOn({ router, clock, answers, earlier, polled }: RecordingParts): Recording {
  const counters = new Map([[answers.conn, answers]])
  return {
    take(conn, family, frame) {
      const counter = counters.get(conn) ?? new FrameCounter(conn)
      counters.set(conn, counter)
      router.take(family, counter, clock.nowUs(), frame)
    },
    journal: (event, facts) => router.journal(event, facts),
    nowUs: () => clock.nowUs(),
    earlier: (family, signal) => readEarlier({ ...earlier, family }, signal),
    polled,
  }
}

/** Connections keep their stamps when the wall clock is set back, and are renewed one after the other. */
function noteClockStep(stepUs: number, { router, log, ledger }: ConnectionDeps, pool: ConnectionPool): void {
  router.journal('clock_step', { step_us: stepUs })
  log.warn({ stepUs }, 'the wall clock was set')
  ledger.shift(stepUs)
  pool.shift()
  if (stepUs > 0) return
  void pool.renewAll('the wall clock was set back')
}

/** The status describes this moment; on a disk that takes nothing it says so no more, and the recording goes on. */
async function untilWritten<T>(log: Logger, written: Promise<T>): Promise<T | true> {
  return written.catch((error: unknown) => {
    log.debug({ err: messageOf(error) }, 'status not written')
    return true
  })
}

/** Names a run so that runs sort by their start and never share a name. */
function newRunId(): string {
  return Math.floor(Date.now() / 1000).toString(36) + randomBytes(2).toString('hex')
}
