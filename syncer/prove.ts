import { EdgeError, messageOf } from '../platform/edge-error.js'
import { monotonicMs, type PassWork } from './pass-work.js'

/**
 * Has the target prove that it is the place that the ledgers are about. Where it does not, the report says why, and the pass
 * only counts.
 * @throws EdgeError SYNC_TARGET_NOT_ELSEWHERE it is the dataDir
 */
export async function prove({ target, place, ledgers, memory, clock, signal, report }: PassWork): Promise<void> {
  if (memory.barred && monotonicMs(clock) < memory.barred.untilMs) {
    report.error = memory.barred.error
    report.tried = false
    return
  }
  try {
    await target.prepare()
    ledgers.meet(await place.prove(signal))
  } catch (error) {
    if (signal.aborted) return
    if (error instanceof EdgeError && error.code === 'SYNC_TARGET_NOT_ELSEWHERE') throw error
    report.error =
      error instanceof EdgeError
        ? error
        : new EdgeError('SYNC_TARGET_UNREACHABLE', messageOf(error), { retry: true, cause: error })
  }
}
