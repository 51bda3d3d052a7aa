import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Config } from '../config/schema.js'
import { syncerState } from '../formats/ledger.js'
import { systemClock, type Clock } from '../platform/clock.js'
import { recorderName } from '../formats/recorder-name.js'
import { dataIdentity } from '../platform/data-identity.js'
import { createFolderDurable } from '../platform/durable-file.js'
import { EdgeError, isMachineError, messageOf } from '../platform/edge-error.js'
import type { Logger } from '../platform/log.js'
import { acquireProcessLock } from '../platform/process-lock.js'
import { startPulse } from '../formats/pulse.js'
import { writeStatus } from '../formats/status.js'
import { addSummaries } from './date-summary.js'
import { LedgerStore } from './ledger-store.js'
import { pauseAfter } from './pace.js'
import { runPass } from './pass.js'
import { emptyMemory, monotonicMs, PASS_LIMITS, type PassLimits, type Syncer } from './pass-work.js'
import { emptyReport, type PassReport } from './report.js'
import { emptyTotals, statusOf, withPass, type Totals } from './status.js'
import { createTarget } from './targets/open-target.js'
import type { Target } from './targets/target.js'
import { placeOf } from './place/place-of.js'
import { requireOutside } from './place/target-place.js'

export { requireTargetElsewhere } from './first-look.js'
export { isClean, type PassReport } from './report.js'
export { verifyTarget, type TargetProof } from './verify-target.js'
export { probeTarget, type ProbeStep } from './probe-target.js'
export { surveyRetention, type DateSurvey, type RetentionSurvey } from './retention-survey.js'

export interface SyncerOptions {
  config: Config
  log: Logger
  /** One pass, then return. */
  once: boolean
  signal: AbortSignal
  clock?: Clock
  limits?: PassLimits
  /** Instead of the target that the config names. */
  target?: Target
  /** Waits between passes; rejects when the signal aborts. */
  sleep?: (ms: number, signal: AbortSignal) => Promise<void>
  /** Called while a pass is at work; the report grows. */
  onProgress?: (report: PassReport) => void
}

/** The status is written at most so often while a pass is at work, ms. */
const STATUS_EVERY_MS = 1000
const LONGEST_PAUSE_AFTER_ERROR_MS = 60_000

/**
 * Brings sealed segments, manifests, Parquet and quarantine files to `sync.target`, verifies them there in a later step, and
 * deletes here what is verified, compacted and old enough or in the way. Goes on until `signal` aborts, or for one pass.
 * What fails for the target as a whole is in the report and in the status, and is tried again.
 * @returns the report of the last pass
 * @throws EdgeError SYNC_NO_TARGET, SYNC_TARGET_INVALID, SYNC_TARGET_NOT_ELSEWHERE it is dataDir, LOCK_HELD another syncer is at work on this dataDir
 */
export async function runSyncer(options: SyncerOptions): Promise<PassReport> {
  const { config, log, once, signal, clock = systemClock, sleep = realSleep, limits = PASS_LIMITS } = options
  const target = options.target ?? createTarget(config.sync)
  // Before anything is made here. The first proof looks at the folders in it, before anything is made there.
  requireOutside(config.dataDir, target)
  createFolderDurable(config.dataDir)
  const dataDir = realpathSync(config.dataDir)
  const stateDir = syncerState(dataDir)
  const lock = acquireProcessLock(join(stateDir, 'lock'), 'syncer')
  let did = 'started'
  const stopPulse = startPulse({ dataDir, part: 'syncer', log }, () => did)
  try {
    let totals: Totals = emptyTotals()
    const publish = (state: string, report: PassReport) => {
      did = didIn(state, report)
      try {
        writeStatus(dataDir, 'syncer', statusOf(state, report, totals, clock.nowMs()))
      } catch (error) {
        // Every part can do without its status.
        if (!isMachineError(error)) throw error
        log.debug({ err: messageOf(error) }, 'status not written')
      }
    }
    const ledgers = new LedgerStore(stateDir, target.label)
    const syncer: Syncer = {
      dataDir,
      config,
      recorder: recorderName(config.host, dataIdentity(dataDir)),
      target,
      place: placeOf({ sync: config.sync, dataDir, target, clock, signal }, ledgers),
      ledgers,
      clock,
      log,
      signal,
      limits: once ? { ...limits, passMs: Infinity } : limits,
      onProgress: progressTo(publish, options.onProgress),
      memory: emptyMemory(),
    }
    const logChange = changeLogger(log)
    let report = emptyReport(target.label)
    publish('starting', report)
    while (!signal.aborted) {
      report = await passOf(syncer)
      totals = withPass(totals, report, clock.nowMs())
      logChange(report)
      if (once) break
      publish(stateAfter(report), report)
      await sleep(pauseAfterPass(syncer, report, totals.failuresInARow), signal).catch((error: unknown) => {
        if (!signal.aborted) throw error
      })
    }
    publish('stopped', report)
    return report
  } finally {
    void stopPulse()
    lock.release()
  }
}

/**
 * One pass. What this machine refused meanwhile (no room for the ledger, no file handles) is the report's error, and is
 * tried again like what the target refuses. @throws what is a fault of ours, and a target that is the dataDir
 */
async function passOf(syncer: Syncer): Promise<PassReport> {
  try {
    return await runPass(syncer)
  } catch (error) {
    if (!isMachineError(error)) throw error
    const report = emptyReport(syncer.target.label)
    addSummaries(report, [...syncer.memory.dates.values()])
    report.error = new EdgeError('SYNC_PASS_BROKEN_OFF', `the pass was broken off here: ${messageOf(error)}`, {
      cause: error,
      retry: true,
      hint: 'it is retried automatically; check the disk and the limits of this machine',
    })
    return report
  }
}

/** How long until the next pass, ms. Remembers how long the target is to be left alone, which may be longer. */
function pauseAfterPass({ memory, clock, config }: Syncer, report: PassReport, failures: number): number {
  const { error, tried, cutShort } = report
  if (!error && cutShort) return 0
  const pauseMs = pauseAfter(error, failures, config.sync.everyMinutes)
  // A long pause is one for the target only: counting and retention go on.
  if (error && tried) memory.barred = { error, untilMs: monotonicMs(clock) + pauseMs }
  return error ? Math.min(pauseMs, LONGEST_PAUSE_AFTER_ERROR_MS) : pauseMs
}

async function realSleep(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal })
}

function stateAfter({ error }: PassReport): string {
  if (!error) return 'idle'
  return error.code === 'SYNC_TARGET_SUSPECT' ? 'target not tried again until restart' : 'waiting for the target'
}

/** For people: what was done last. */
function didIn(state: string, { shippedFiles, verifiedFiles, backlogFiles }: PassReport): string {
  return `${state}: ${shippedFiles} files shipped and ${verifiedFiles} proven in this pass, ${backlogFiles} wait`
}

function progressTo(
  publish: (state: string, report: PassReport) => void,
  onProgress: (report: PassReport) => void = () => undefined,
): (report: PassReport) => void {
  let lastMs = -Infinity
  return report => {
    onProgress(report)
    if (performance.now() - lastMs < STATUS_EVERY_MS) return
    lastMs = performance.now()
    publish('working', report)
  }
}

/** Logs what a pass did, and of outages and bad files only the beginning and the end, not every try. */
function changeLogger(log: Logger): (report: PassReport) => void {
  let lastError: string | undefined
  let lastProblems = 0
  return report => {
    const { error, problemFiles } = report
    if (error && error.code !== lastError) log.error({ code: error.code, hint: error.hint }, error.message)
    if (!error && lastError !== undefined) log.info({ target: report.target }, 'the target is back')
    lastError = error?.code
    if (problemFiles !== lastProblems) {
      if (problemFiles === 0) log.info('no file is in trouble any more')
      else log.error({ files: problemFiles, first: report.problems.slice(0, 5) }, 'files that could not be dealt with')
    }
    lastProblems = problemFiles
    if (report.shippedFiles + report.verifiedFiles + report.retiredFiles === 0) return
    const { shippedFiles, shippedBytes, verifiedFiles, retiredFiles, backlogFiles, durationMs } = report
    log.info({ shippedFiles, shippedBytes, verifiedFiles, retiredFiles, backlogFiles, durationMs }, 'pass ended')
  }
}
