import { EdgeError } from './edge-error.js'
import { isDate } from './utc-date.js'

/** A moment: a Date, µs since the epoch, or text such as `2026-11-22T14:00`, UTC where no zone is given. */
export type Moment = Date | number | string

/** Date, hour and minute, seconds, what is below them, zone. */
const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?(?:[Zz]|([+-]\d\d):?(\d\d))?$/

/**
 * µs since the epoch of a time as people write it: `2026-11-22`, `2026-11-22T14:00`, `2026-11-22 14:00:05.123456`; UTC
 * where no zone is given.
 * @throws EdgeError TIME_INVALID
 */
export function parseTimeUs(text: string): number {
  const [, date = '', minute = '00:00', second = '00', below = '', hours = '+00', minutes = '00'] =
    TIME.exec(text) ?? []
  const ms = isDate(date) ? Date.parse(`${date}T${minute}:${second}${hours}:${minutes}`) : NaN
  if (Number.isNaN(ms)) {
    throw new EdgeError('TIME_INVALID', `found ${JSON.stringify(text)}, wanted a time such as 2026-11-22T14:00`)
  }
  // A Date holds whole ms, and people write µs.
  return ms * 1000 + Number(below.padEnd(6, '0').slice(0, 6))
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
