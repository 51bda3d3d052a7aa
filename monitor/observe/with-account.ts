import { isDeepStrictEqual } from 'node:util'
import type { CoverageDay, EventOfDay } from '../../coverage/account/day.js'
import type { Observation } from './observation.js'

const DAY_MS = 86_400_000

/** An observation that says what is missing as the account says it: every place gives the same figures. Pure. */
export function withAccount(seen: Observation, today?: CoverageDay, yesterday?: CoverageDay): Observation {
  if (!today) return seen
  const families = seen.families.map(one => {
    const { gaps = 0, seconds = 0 } = today.families[`${one.exchange} ${one.family}`] ?? {}
    return { ...one, gapsToday: gaps, gapSecondsToday: seconds }
  })
  const days = yesterday ? [yesterday, today] : [today]
  const sinceMs = seen.atMs - DAY_MS
  const losses = eventsSince(
    days.flatMap(({ events }) => events),
    sinceMs,
  )
  const healed = eventsSince(
    days.flatMap(({ healedEvents }) => healedEvents),
    sinceMs,
  )
  return { ...seen, families, today, recent: { losses, healed: healed.length } }
}

/** What was missing since a moment, by its begin; what went on over midnight is one. */
function eventsSince(ofDays: readonly EventOfDay[], sinceMs: number): EventOfDay[] {
  const events: EventOfDay[] = []
  for (const event of [...ofDays].sort((a, b) => a.fromMs - b.fromMs)) {
    const before = event.fromMs % DAY_MS === 0 ? beforeMidnight(events, event) : undefined
    if (!before) events.push({ ...event })
    else Object.assign(before, { ...event, fromMs: before.fromMs, seconds: before.seconds + event.seconds })
  }
  return events.filter(({ toMs }) => toMs > sinceMs)
}

/** Which of those that ended at midnight goes on as this one: several may have one cause, each with families of its own. */
function beforeMidnight(
  events: readonly EventOfDay[],
  { fromMs, cause, families }: EventOfDay,
): EventOfDay | undefined {
  const own = new Set(families)
  const ended = events.filter(one => one.toMs === fromMs && one.cause === cause)
  return (
    ended.find(one => isDeepStrictEqual(new Set(one.families), own)) ??
    ended.find(one => one.families.some(family => own.has(family)))
  )
}
