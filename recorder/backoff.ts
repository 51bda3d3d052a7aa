/** Longest wait between two tries. */
export const MAX_DELAY_MS = 60_000
/** A connection that lived this long starts counting anew. */
export const STABLE_AFTER_MS = 60_000

/**
 * How long to wait before the next try, with full jitter, so that many clients do not come back together.
 * @param failures tries in a row that failed, 0 after a connection that was stable
 * @param random between 0 and 1
 */
export function reconnectDelayMs(failures: number, random: number): number {
  return Math.round(random * Math.min(MAX_DELAY_MS, 1000 * 2 ** Math.min(failures, 16)))
}
