/** The exchange's calendar: everything expires at 08:00 UTC. */

export const DAY_MS = 86_400_000
export const EXPIRY_HOUR_MS = 8 * 3_600_000
/** What perpetuals carry as expiry: the year 3000. */
export const NEVER_MS = 32_503_708_800_000

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'] as const

export type SettlementPeriod = 'day' | 'week' | 'month' | 'perpetual'

/** `20MAY26`, `5JUN26`: the day without a leading zero. */
export function dateCode(ms: number): string {
  const date = new Date(ms)
  const year = String(date.getUTCFullYear() % 100).padStart(2, '0')
  return `${date.getUTCDate()}${MONTHS[date.getUTCMonth()] ?? ''}${year}`
}

/** 08:00 UTC of a date code, or undefined where it is none. */
export function parseDateCode(code: string): number | undefined {
  const match = /^(\d{1,2})([A-Z]{3})(\d\d)$/.exec(code)
  if (!match) return undefined
  const month = MONTHS.findIndex(name => name === match[2])
  if (month < 0) return undefined
  return Date.UTC(2000 + Number(match[3]), month, Number(match[1])) + EXPIRY_HOUR_MS
}

/** The first 08:00 UTC after `ms`. */
export function nextExpiryHour(ms: number): number {
  const today = Math.floor(ms / DAY_MS) * DAY_MS + EXPIRY_HOUR_MS
  return ms < today ? today : today + DAY_MS
}

/** Last Friday of the month that is `monthsAhead` after the one of `ms`, 08:00 UTC. */
function lastFriday(ms: number, monthsAhead: number): number {
  const date = new Date(ms)
  const last = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + monthsAhead + 1, 0)
  const backToFriday = (new Date(last).getUTCDay() + 2) % 7
  return last - backToFriday * DAY_MS + EXPIRY_HOUR_MS
}

/** Daily for two days, weekly for three Fridays, monthly and quarterly after that; rising, without doubles. */
export function expiriesAfter(ms: number, count: number): number[] {
  const first = nextExpiryHour(ms)
  const days = [first, first + DAY_MS]
  const toFriday = (5 - new Date(first).getUTCDay() + 7) % 7
  const fridays = [0, 7, 14].map(later => first + (toFriday + later) * DAY_MS)
  const months = [0, 1, 2, 3, 6, 9, 12].map(ahead => lastFriday(first, ahead))
  const all = [...new Set([...days, ...fridays, ...months])].filter(expiry => expiry > ms)
  return all.sort((a, b) => a - b).slice(0, count)
}

/** Last Friday of a month: month; another Friday: week; any other day: day. */
export function settlementPeriodOf(expiryMs: number): SettlementPeriod {
  if (expiryMs === NEVER_MS) return 'perpetual'
  if (expiryMs === lastFriday(expiryMs, 0)) return 'month'
  return new Date(expiryMs).getUTCDay() === 5 ? 'week' : 'day'
}

export function yearsUntil(expiryMs: number, ms: number): number {
  return Math.max(expiryMs - ms, 0) / (365 * DAY_MS)
}
