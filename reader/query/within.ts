import { SLACK_US } from '../../formats/segment-span.js'
import type { Span } from '../../platform/spans.js'
import { dateOfUs } from '../../platform/utc-date.js'
import { ALL_DAYS, type Days } from './dates-asked.js'

/** What alone a session is asked about, whatever its statements say. */
export interface Within {
  days: Days
  /** When rows were received, where that is not whole days. */
  span?: Span
}

export const EVERYTHING: Within = { days: ALL_DAYS }

/** One UTC day, as `date` in each table says. */
export const withinDay = (date: string): Within => ({ days: { first: date, last: date } })

/** What was received in a span of time; a row on its way at midnight lies in the day before. */
export function withinSpan(span: Span): Within {
  const { fromUs, toUs } = span
  const first = Number.isFinite(fromUs) ? dateOfUs(fromUs - SLACK_US) : ALL_DAYS.first
  const last = Number.isFinite(toUs) ? dateOfUs(toUs - 1) : ALL_DAYS.last
  return { days: { first, last, ...(Number.isFinite(fromUs) && { fromUs }) }, span }
}

/** SQL for those rows of a query that were received in a span; each row has `recv_ts`. */
export function receivedWithin(sql: string, { fromUs, toUs }: Span): string {
  const bounds = [
    ...(Number.isFinite(fromUs) ? [`recv_ts >= make_timestamptz(${fromUs})`] : []),
    ...(Number.isFinite(toUs) ? [`recv_ts < make_timestamptz(${toUs})`] : []),
  ]
  return bounds.length === 0 ? sql : `SELECT * FROM (${sql}) WHERE ${bounds.join(' AND ')}`
}
