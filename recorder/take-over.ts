import { setTimeout as delay } from 'node:timers/promises'
import { EdgeError } from '../platform/edge-error.js'
import type { Logger } from '../platform/log.js'
import { acquireProcessLock, lockHolder, type ProcessLock } from '../platform/process-lock.js'
import type { Fleet } from './fleet.js'

/** As long as this the one at work goes on while its successor tries to be as good. */
const LIVE_WITHIN_MS = 180_000
/** SIGTERM promises an end within seconds; on a disk that hangs it takes longer. */
const ENDED_WITHIN_MS = 60_000
const LOOK_EVERY_MS = 50

export interface Succession {
  /** Path of the lock that the one at work holds. */
  lockPath: string
  fleet: Pick<Fleet, 'isWhole'>
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
 * @throws EdgeError TAKE_OVER_FAILED
 */
export async function takeOver({ lockPath, fleet, log, signal, aboutToEnd }: Succession): Promise<TakenOver> {
  await until(() => fleet.isWhole, LIVE_WITHIN_MS, signal, 'not all connections came to life')
  const sinceMs = performance.now()
  const holder = lockHolder(lockPath)
  if (holder !== undefined) {
    await aboutToEnd()
    log.info({ pid: holder }, 'all connections are live: the recorder at work is asked to end')
    process.kill(holder, 'SIGTERM')
  }
  let lock: ProcessLock | undefined
  const free = () => (lock = freeLock(lockPath)) !== undefined
  await until(free, ENDED_WITHIN_MS, signal, 'the recorder at work did not end')
  if (!lock) throw failed('the lock was lost')
  return { lock, sinceMs }
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

async function until(holds: () => boolean, withinMs: number, signal: AbortSignal, why: string): Promise<void> {
  const deadlineMs = performance.now() + withinMs
  while (!holds()) {
    if (signal.aborted) throw failed('told to stop')
    if (performance.now() > deadlineMs) throw failed(`${why} within ${withinMs / 1000} s`)
    await delay(LOOK_EVERY_MS)
  }
}

function failed(why: string): EdgeError {
  return new EdgeError('TAKE_OVER_FAILED', `could not take over: ${why}`, {
    hint: 'see the log above; unless it was asked to end, the recorder at work goes on',
  })
}
