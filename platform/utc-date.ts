import { EdgeError } from './edge-error.js'

const DAY_MS = 86_400_000
/** The end of the year 9999: dates behind it are not in the order of their texts. */
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

/** The date of a moment, UTC: `YYYY-MM-DD`. */
export const dateOf = (ms: number) => new Date(ms).toISOString().slice(0, 10)

/** The same of µs; of a time without begin or end, the first or the last date that there is. */
export const dateOfUs = (us: number) => dateOf(Math.max(0, Math.min(us / 1000, LAST_MS)))

const DATE = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/
/** Of these every month has one. */
const EACH_MONTH_HAS = '28'

/** Whether a text is the date of a day: `2026-02-30` is none, though `Date` takes it for another day. Asked of the names of years of days. */
export const isDate = (text: string): boolean =>
  DATE.test(text) && (text.slice(8) <= EACH_MONTH_HAS || dateOf(Date.parse(text)) === text)

/** Each date from the first to the last, both included; undefined where they are more than so many, or one of the two is none. */
export function datesBetween(first: string, last: string, most = Infinity): string[] | undefined {
  if (!isDate(first) || !isDate(last)) return undefined
  const fromMs = Date.parse(first)
  const count = (Date.parse(last) - fromMs) / DAY_MS + 1
  if (count > most) return undefined
  return Array.from({ length: Math.max(0, count) }, (_, day) => dateOf(fromMs + day * DAY_MS))
}

/** @throws EdgeError DATE_INVALID */
export function requireDate(date: string): void {
  if (!isDate(date)) throw new EdgeError('DATE_INVALID', `found --date ${date}, wanted a day such as 2026-11-22`)
}
