import type { Coverage } from './assess.js'
import { tableOfFamily, type Kind } from './channel-target.js'
import { groupBy } from '../platform/group-by.js'
import { concerns, type Interval } from './intervals.js'

/** An interval, told for one table, and for one kind or instrument where it is about no more. */
export interface BadInterval {
  interval: Interval
  table: string
  /** Undefined: all. */
  kind: Kind | undefined
  /** Undefined: all of the kind. */
  name: string | undefined
}

/**
 * What of each table was concerned by each interval: all of a kind as one, else each instrument by its name. Intervals of
 * families that nothing was subscribed of are told for their tables as a whole. Pure.
 */
export function badIntervals({ intervals, promised }: Pick<Coverage, 'intervals' | 'promised'>): BadInterval[] {
  const keyed = promised.flatMap(one => one.target.kinds.map(kind => ({ family: one.target.family, kind, one })))
  const groups = [...groupBy(keyed, ({ family, kind }) => `${family} ${kind}`).values()]
  return intervals.flatMap(interval => {
    const told = groups.flatMap(group => ofGroup(interval, group))
    if (told.length > 0) return told
    return interval.families.map(family => {
      return { interval, table: tableOfFamily(family), kind: undefined, name: interval.instrument }
    })
  })
}

type Group = readonly { family: string; kind: Kind; one: Coverage['promised'][number] }[]

function ofGroup(interval: Interval, group: Group): BadInterval[] {
  const [first] = group
  if (!first) return []
  const concerned = group.filter(({ one: { target, subscriptions } }) =>
    subscriptions.some(subscription => concerns(interval, target, subscription)),
  )
  if (concerned.length === 0) return []
  const { family, kind } = first
  const table = tableOfFamily(family)
  if (concerned.length === group.length && interval.instrument === undefined)
    return [{ interval, table, kind, name: undefined }]
  const names = new Set(concerned.map(({ one }) => one.target.name ?? interval.instrument))
  return [...names].map(name => ({ interval, table, kind, name }))
}
