import type { ChannelPlan, Spread } from '../exchanges/adapter.js'

/** The channels of each connection, by its position. */
export type Assignment = ReadonlySet<string>[]

/**
 * Spreads a plan over connections: each channel stays where it is, a new one goes where least traffic is expected and
 * there is room. Pure. With `redundancy` 2 every channel
 * stands in two connections.
 * @param current the assignment so far; empty at the start
 */
export function assignChannels(
  plan: ChannelPlan,
  current: Assignment,
  { channelsPerConnection, connectionsMax, redundancy }: Omit<Spread, 'rediscoverMs'>,
): Assignment {
  const most = Math.max(1, Math.floor(connectionsMax / redundancy))
  const copies = Array.from({ length: redundancy }, (_, copy) =>
    current.filter((_set, index) => index % redundancy === copy),
  )
  const assigned = copies.map(sets => assignOnce(plan, sets, channelsPerConnection, most))
  const connections = Math.max(...assigned.map(sets => sets.length))
  // The copies take turns, so that a connection keeps its position when more are added.
  return Array.from(
    { length: connections * redundancy },
    (_, index) => assigned[index % redundancy]?.[Math.floor(index / redundancy)] ?? new Set(),
  )
}

function assignOnce(
  plan: ChannelPlan,
  current: readonly ReadonlySet<string>[],
  channelsPerConnection: number,
  most: number,
): Set<string>[] {
  const wanted = Math.min(most, Math.ceil(plan.size / channelsPerConnection))
  const needed = Math.max(1, current.length, wanted)
  const perConnection = Math.max(channelsPerConnection, Math.ceil(plan.size / needed))
  const sets = Array.from(
    { length: needed },
    (_, index) => new Set([...(current[index] ?? [])].filter(channel => plan.has(channel))),
  )
  const loads = sets.map(set => [...set].reduce((sum, channel) => sum + (plan.get(channel) ?? 0), 0))
  const placed = new Set(sets.flatMap(set => [...set]))
  const missing = [...plan].filter(([channel]) => !placed.has(channel)).sort(([, one], [, other]) => other - one)
  for (const [channel, weight] of missing) {
    const index = lightestWithRoom(sets, loads, perConnection)
    sets[index]?.add(channel)
    loads[index] = (loads[index] ?? 0) + weight
  }
  return sets
}

function lightestWithRoom(sets: readonly Set<string>[], loads: readonly number[], perConnection: number): number {
  let best = 0
  let bestLoad = Infinity
  sets.forEach((set, index) => {
    const load = loads[index] ?? 0
    if (set.size < perConnection && load < bestLoad) {
      best = index
      bestLoad = load
    }
  })
  return best
}
