import type { Gap } from '../../formats/journal/gap.js'
import type { Health } from '../observe/health.js'
import type { Observation } from '../observe/observation.js'

/** One value of a metric; undefined: no file tells it, and it is left out. */
export type Sample = readonly [labels: Record<string, string>, value: number | undefined]

type Read = (seen: Observation, health: Health) => readonly Sample[] | number | undefined

export interface Metric {
  name: string
  help: string
  type: 'counter' | 'gauge'
  labels: readonly string[]
  read: Read
}

/** Samples told apart by one label; a metric without has one value. */
interface Labelled {
  label: string
  read: Read
}

const metric =
  (type: Metric['type']) =>
  (name: string, help: string, from: Read | Labelled): Metric => {
    const { labels, read } = 'label' in from ? { labels: [from.label], read: from.read } : { labels: [], read: from }
    return { name, help, type, labels, read }
  }

export const counter = metric('counter')
export const gauge = metric('gauge')

/** A sample for each pair of what the label says and its value. */
export function by(
  label: string,
  pairs: (seen: Observation) => Iterable<readonly [string, number | undefined]> | undefined,
): Labelled {
  return { label, read: seen => [...(pairs(seen) ?? [])].map(([of, value]) => [{ [label]: of }, value] as const) }
}

export const byFamily = (value: (family: Observation['families'][number]) => number | undefined) =>
  by('family', ({ families }) => families.map(seen => [seen.family, value(seen)]))

export const byConnection = (value: (connection: Observation['connections'][number]) => number | undefined) =>
  by('connection', ({ connections }) => connections.map(seen => [seen.name, value(seen)]))

export const byPart = (value: (report: Observation['parts'][number]) => number | undefined) =>
  by('part', ({ parts }) => parts.map(report => [report.part, value(report)]))

/** How many gaps of each kind are such. */
export const byKindOfGap = (isSuch: (gap: Gap) => boolean) =>
  by('kind', ({ gaps }) => {
    const counts = new Map<string, number>()
    for (const gap of gaps) counts.set(gap.kind, (counts.get(gap.kind) ?? 0) + Number(isSuch(gap)))
    return counts
  })
