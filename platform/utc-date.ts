import { EdgeError } from './edge-error.js'

/** The date of a moment, UTC: `YYYY-MM-DD`. */
export const dateOf = (ms: number) => new Date(ms).toISOString().slice(0, 10)

/** Whether a text is the date of a day. Of 30 February `Date` makes 2 March. */
export function isDate(text: string): boolean {
  const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : NaN
  return !Number.isNaN(ms) && dateOf(ms) === text
}

/** @throws EdgeError DATE_INVALID */
export function requireDate(date: string): void {
  if (!isDate(date)) throw new EdgeError('DATE_INVALID', `found --date ${date}, wanted a day such as 2026-11-22`)
}
