import { DAY_MS, HOUR_MS, lastFriday, nextTimeOfDay, NEVER_MS } from '../../../simulator/market/calendar.js'

/** The exchange's calendar: everything expires at 08:00 UTC. */

export const EXPIRY_HOUR_MS = 8 * HOUR_MS
/** What perpetuals carry as expiry on the wire: the year 3000. */
const YEAR_3000_MS = 32_503_708_800_000

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
  return nextTimeOfDay(ms, EXPIRY_HOUR_MS)
}

/** Last Friday of a month: month; another Friday: week; any other day: day. */
export function settlementPeriodOf(expiryMs: number): SettlementPeriod {
  if (expiryMs === NEVER_MS) return 'perpetual'
  if (expiryMs === lastFriday(expiryMs, 0, EXPIRY_HOUR_MS)) return 'month'
  return new Date(expiryMs).getUTCDay() === 5 ? 'week' : 'day'
}

/** The latest 08:00 UTC up to `ms`, as a count of days. */
export function lastExpiryDay(ms: number): number {
  return Math.floor((ms - EXPIRY_HOUR_MS) / DAY_MS)
}

/** `expiration_timestamp`. */
export function wireExpiry(expiryMs: number): number {
  return expiryMs === NEVER_MS ? YEAR_3000_MS : expiryMs
}
