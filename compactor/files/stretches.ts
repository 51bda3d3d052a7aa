/** Rows that stand together, by their numbers from 0: from one up to another. */
export interface Stretch {
  from: number
  to: number
}

/** Of a group: what it holds by name, with the names' places in their order. */
interface Named {
  names: readonly { rank: number; rows: number }[]
  rows: number
}

/** Where the rows of each group stand, where all rows stand in the order of their names. */
export function stretchesOf<Group extends Named>(groups: readonly Group[]): ReadonlyMap<Group, Stretch[]> {
  const stretches = new Map<Group, Stretch[]>(groups.map(group => [group, []]))
  const [only, ...more] = groups
  if (only && more.length === 0) return stretches.set(only, [{ from: 0, to: only.rows }])
  const names = groups.flatMap(group => group.names.map(counted => ({ ...counted, group })))
  let from = 0
  for (const { group, rows } of names.sort((a, b) => a.rank - b.rank)) {
    const to = from + rows
    const own = stretches.get(group)
    const last = own?.at(-1)
    if (last?.to === from) last.to = to
    else own?.push({ from, to })
    from = to
  }
  return stretches
}
