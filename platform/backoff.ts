/** Longest wait between two tries. */
export const MAX_DELAY_MS = 60_000
/** A connection that lived this long starts counting anew. */
export const STABLE_AFTER_MS = 60_000

/** How long to keep away: `limited` where the exchange said that we ask for too much, or asks for patience. */
export type Patience = 'usual' | 'limited'

const LIMITED_MS = 10_000
const LIMITED_MAX_DELAY_MS = 300_000

/**
 * How long to wait before the next try, with jitter, so that many clients do not come back together. Where the exchange
 * limits us at least half of the time is waited in any case.
 * @param failures tries in a row that failed, 0 after a connection that was stable
 * @param random between 0 and 1
 */
export function reconnectDelayMs(failures: number, random: number, patience: Patience = 'usual'): number {
  const growth = 2 ** Math.min(failures, 16)
  if (patience === 'usual') return Math.round(random * Math.min(MAX_DELAY_MS, 1000 * growth))
  return Math.round((0.5 + random / 2) * Math.min(LIMITED_MAX_DELAY_MS, LIMITED_MS * growth))
}
