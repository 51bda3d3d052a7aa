/** Days, and the Fridays on which contracts end. Times are ms since the epoch, days those of UTC. */

export const DAY_MS = 86_400_000
export const HOUR_MS = 3_600_000
/** Expiry of what never expires. */
export const NEVER_MS = Infinity

/** The first moment after `ms` at a time of day, given as ms after midnight. */
export function nextTimeOfDay(ms: number, timeOfDayMs: number): number {
  const today = Math.floor(ms / DAY_MS) * DAY_MS + timeOfDayMs
  return ms < today ? today : today + DAY_MS
}

/** Last Friday of the month that is `monthsAhead` after the one of `ms`, at a time of day. */
export function lastFriday(ms: number, monthsAhead: number, timeOfDayMs: number): number {
  const date = new Date(ms)
  const last = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + monthsAhead + 1, 0)
  const backToFriday = (new Date(last).getUTCDay() + 2) % 7
  return last - backToFriday * DAY_MS + timeOfDayMs
}

/** Daily for two days, weekly for three Fridays, monthly and quarterly after that; rising, without doubles. */
export function expiriesAfter(ms: number, count: number, timeOfDayMs: number): number[] {
  const first = nextTimeOfDay(ms, timeOfDayMs)
  const days = [first, first + DAY_MS]
  const toFriday = (5 - new Date(first).getUTCDay() + 7) % 7
  const fridays = [0, 7, 14].map(later => first + (toFriday + later) * DAY_MS)
  const months = [0, 1, 2, 3, 6, 9, 12].map(ahead => lastFriday(first, ahead, timeOfDayMs))
  const all = [...new Set([...days, ...fridays, ...months])].filter(expiry => expiry > ms)
  return all.sort((a, b) => a - b).slice(0, count)
}

export function yearsUntil(expiryMs: number, ms: number): number {
  return Math.max(expiryMs - ms, 0) / (365 * DAY_MS)
}
