import { EdgeError } from './edge-error.js'

/** The date of a moment, UTC: `YYYY-MM-DD`. */
export const dateOf = (ms: number) => new Date(ms).toISOString().slice(0, 10)

/** Whether a text is the date of a day. */
export const isDate = (text: string) => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text))

/** @throws EdgeError DATE_INVALID */
export function requireDate(date: string): void {
  if (!isDate(date)) throw new EdgeError('DATE_INVALID', `found --date ${date}, wanted a day such as 2026-11-22`)
}
