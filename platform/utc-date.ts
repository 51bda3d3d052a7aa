import { EdgeError } from './edge-error.js'

/** The date of a moment, UTC: `YYYY-MM-DD`. */
export const dateOf = (ms: number) => new Date(ms).toISOString().slice(0, 10)

/** @throws EdgeError DATE_INVALID */
export function requireDate(date: string): void {
  if (!/^\d{4}-\d\d-\d\d$/.test(date) || Number.isNaN(Date.parse(date)))
    throw new EdgeError('DATE_INVALID', `found --date ${date}, wanted a day such as 2026-11-22`)
}
