import { EdgeError } from './edge-error.js'
import { isDate } from './utc-date.js'

/** A moment: a Date, µs since the epoch, or text such as `2026-11-22T14:00`, UTC where no zone is given. */
export type Moment = Date | number | string

/**
 * µs since the epoch of a time as people write it: `2026-11-22`, `2026-11-22T14:00`, `2026-11-22 14:00:05.123456`; UTC
 * where no zone is given.
 * @throws EdgeError TIME_INVALID
 */
export function parseTimeUs(text: string): number {
  const zoned = /[Zz]$|[+-]\d\d:?\d\d$/.test(text)
  const [date, dateOnly] = [text.slice(0, 10), text.length === 10]
  // A Date holds whole ms: what stands behind them is added.
  const [, belowMs = ''] = /\.\d{3}(\d{1,3})/.exec(text) ?? []
  const ms = isDate(date) ? Date.parse(zoned || dateOnly ? text : `${text.replace(' ', 'T')}Z`) : NaN
  if (Number.isNaN(ms)) {
    throw new EdgeError('TIME_INVALID', `found ${JSON.stringify(text)}, wanted a time such as 2026-11-22T14:00`)
  }
  return ms * 1000 + Number(belowMs.padEnd(3, '0'))
}

/** @throws EdgeError TIME_INVALID */
export function momentUs(moment: Moment): number {
  if (typeof moment === 'string') return parseTimeUs(moment)
  const us = typeof moment === 'number' ? moment : moment.getTime() * 1000
  if (Number.isNaN(us)) throw new EdgeError('TIME_INVALID', `found ${String(moment)}, wanted a time`)
  return us
}

/** `2026-11-22T14:00:05.250000Z` */
export function timeText(us: number): string {
  const ms = Math.floor(us / 1000)
  const belowMs = String(Math.round(us - ms * 1000)).padStart(3, '0')
  return `${new Date(ms).toISOString().slice(0, -1)}${belowMs}Z`
}
