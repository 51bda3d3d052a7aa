import { EdgeError } from '../platform/edge-error.js'

/** @throws EdgeError DATE_INVALID */
export function requireDate(date: string): void {
  if (!/^\d{4}-\d\d-\d\d$/.test(date) || Number.isNaN(Date.parse(date)))
    throw new EdgeError('DATE_INVALID', `found --date ${date}, wanted a day such as 2026-11-22`)
}
