import { setTimeout as delay } from 'node:timers/promises'
import { EdgeError, hasErrno } from '../platform/edge-error.js'
import type { Logger } from '../platform/log.js'
import { acquireProcessLock, lockHolder, type ProcessLock } from '../platform/process-lock.js'
import type { ConnectionPool } from './connection-pool.js'

/** As long as this the one at work goes on while its successor tries to be as good. */
const LIVE_WITHIN_MS = 180_000
/** SIGTERM promises an end within seconds; on a disk that hangs it takes longer. */
const ENDED_WITHIN_MS = 60_000
const LOOK_EVERY_MS = 50

export interface Succession {
  /** Path of the lock that the one at work holds. */
  lockPath: string
  pool: Pick<ConnectionPool, 'isWhole'>
  log: Logger
  signal: AbortSignal
  /** Called right before the one at work is asked to end. */
  aboutToEnd: () => Promise<void>
}

export interface TakenOver {
  lock: ProcessLock
  /** Since when all that is planned came to us. */
  sinceMs: number
}

/**
 * Takes the place of the recorder at work without a moment in which neither records: waits until all our connections are
 * live, asks it to end, and resolves with its lock when it has sealed. Whatever goes wrong before that leaves it at work.
 * Once it was asked, what came to us meanwhile may be nowhere else: then a wish to stop waits for the lock, too.
 * @returns undefined where it was told to stop before anybody was asked to end
 * @throws EdgeError TAKE_OVER_FAILED
 */
export async function takeOver({
  lockPath,
  pool,
  log,
  signal,
  aboutToEnd,
}: Succession): Promise<TakenOver | undefined> {
  const liveUntilMs = performance.now() + LIVE_WITHIN_MS
  while (!pool.isWhole) {
    if (signal.aborted) return undefined
    if (performance.now() > liveUntilMs) throw failed('not all connections came to life', LIVE_WITHIN_MS)
    await delay(LOOK_EVERY_MS)
  }
  const sinceMs = performance.now()
  const asked = new Set<number>()
  const endedUntilMs = sinceMs + ENDED_WITHIN_MS
  for (;;) {
    // Whoever was at work may be gone, or be replaced by its supervisor: each look begins with the lock itself.
    const lock = freeLock(lockPath)
    if (lock) return { lock, sinceMs }
    if (signal.aborted && asked.size === 0) return undefined
    if (performance.now() > endedUntilMs) throw failed('the running recorder did not end', ENDED_WITHIN_MS)
    const holder = lockHolder(lockPath)
    if (holder !== undefined && !asked.has(holder)) {
      if (asked.size === 0) await aboutToEnd()
      asked.add(holder)
      log.info({ pid: holder }, 'all connections are live: the running recorder is asked to end')
      askToEnd(holder)
    }
    await delay(LOOK_EVERY_MS)
  }
}

function askToEnd(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM')
  } catch (error) {
    // It has ended meanwhile: the next look finds the lock free.
    if (!hasErrno(error, 'ESRCH')) throw error
  }
}

/** The lock, or undefined while another process has it. */
export function freeLock(path: string): ProcessLock | undefined {
  try {
    return acquireProcessLock(path, 'recorder')
  } catch (error) {
    if (error instanceof EdgeError && error.code === 'LOCK_HELD') return undefined
    throw error
  }
}

function failed(why: string, withinMs: number): EdgeError {
  return new EdgeError('TAKE_OVER_FAILED', `could not take over: ${why} within ${withinMs / 1000} s`, {
    hint: 'see the log above; unless it was asked to end, the running recorder continues',
  })
}
