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
  const healed = days.flatMap(({ healedEvents }) => healedEvents).filter(({ toMs }) => toMs > sinceMs).length
  return { ...seen, families, today, recent: { losses: lossesSince(days, sinceMs), healed } }
}

/** What was missing since a moment, by its begin; what went on over midnight is one. */
function lossesSince(days: readonly CoverageDay[], sinceMs: number): EventOfDay[] {
  const losses: EventOfDay[] = []
  for (const event of days.flatMap(({ events }) => events).sort((a, b) => a.fromMs - b.fromMs)) {
    const isMidnight = event.fromMs % DAY_MS === 0
    const before = losses.find(({ toMs, cause }) => isMidnight && toMs === event.fromMs && cause === event.cause)
    if (!before) losses.push({ ...event })
    else Object.assign(before, { ...event, fromMs: before.fromMs, seconds: before.seconds + event.seconds })
  }
  return losses.filter(({ toMs }) => toMs > sinceMs)
}
