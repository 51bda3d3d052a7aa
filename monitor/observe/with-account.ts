import type { CoverageDay } from '../../coverage/account/day.js'
import type { Observation } from './observation.js'

/** An observation that says of today's gaps what the account says: every place gives the same figures. Pure. */
export function withAccount(seen: Observation, day: CoverageDay | undefined): Observation {
  if (!day || day.isEmpty) return seen
  const families = seen.families.map(one => {
    const { gaps = 0, seconds = 0 } = day.families[`${one.exchange} ${one.family}`] ?? {}
    return { ...one, gapsToday: gaps, gapSecondsToday: seconds }
  })
  return { ...seen, families, today: day }
}
