import type { EdgeError } from '../platform/edge-error.js'

const SECOND_MS = 1000
const MINUTE_MS = 60_000

/**
 * How long the target is left alone after a pass, ms. Pure. After an outage: 5 s, 10 s, … up to a minute, so that a target that is away is tried at most
 * once a minute; a full one or a refusal needs a person and is tried every 15 minutes; a changed host key
 * stops it until a restart.
 * @param failures passes in a row that failed for the target as a whole, this one included
 */
export function pauseAfter(error: EdgeError | undefined, failures: number, everyMinutes: number): number {
  if (!error) return Math.max(SECOND_MS, everyMinutes * MINUTE_MS)
  if (error.code === 'SYNC_TARGET_SUSPECT') return Infinity
  if (['SYNC_TARGET_FULL', 'SYNC_TARGET_REFUSED', 'SYNC_TARGET_TOO_OLD'].includes(error.code)) {
    return 15 * MINUTE_MS
  }
  return Math.min(MINUTE_MS, 5 * SECOND_MS * 2 ** (Math.min(failures, 10) - 1))
}
