import type { Span } from '../../platform/spans.js'
import { dateOf } from '../../platform/utc-date.js'

const DAY_US = 86_400_000_000

/** A UTC day, or the part of it that was asked for. */
export interface DayPart extends Span {
  date: string
}

/** A span, cut at midnight. Pure. */
export function daysOf({ fromUs, toUs }: Span): DayPart[] {
  const days: DayPart[] = []
  for (let at = fromUs; at < toUs;) {
    const end = Math.min((Math.floor(at / DAY_US) + 1) * DAY_US, toUs)
    days.push({ date: dateOf(at / 1000), fromUs: at, toUs: end })
    at = end
  }
  return days
}
