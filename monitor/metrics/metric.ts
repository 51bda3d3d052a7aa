import type { Health } from '../observe/health.js'
import type { Observation } from '../observe/observation.js'
import { titleOf } from '../observe/parts.js'

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

/** Samples told apart by labels; a metric without has one value. */
interface Labelled {
  labels: readonly string[]
  read: Read
}

const metric =
  (type: Metric['type']) =>
  (name: string, help: string, from: Read | Labelled): Metric => {
    const { labels, read } = 'labels' in from ? from : { labels: [], read: from }
    return { name, help, type, labels, read }
  }

export const counter = metric('counter')
export const gauge = metric('gauge')

/** A sample for each pair of what the label says and its value. */
export function by(
  label: string,
  pairs: (seen: Observation) => Iterable<readonly [string, number | undefined]> | undefined,
): Labelled {
  return {
    labels: [label],
    read: seen => [...(pairs(seen) ?? [])].map(([of, value]) => [{ [label]: of }, value] as const),
  }
}

const byAll = (labels: readonly string[], read: (seen: Observation) => readonly Sample[]): Labelled => ({
  labels,
  read,
})

export const byFamily = (value: (family: Observation['families'][number]) => number | undefined) =>
  byAll(['exchange', 'family'], ({ families }) =>
    families.map(seen => [{ exchange: seen.exchange, family: seen.family }, value(seen)]),
  )

export const byConnection = (value: (connection: Observation['connections'][number]) => number | undefined) =>
  byAll(['exchange', 'connection'], ({ connections }) =>
    connections.map(seen => [{ exchange: seen.exchange, connection: seen.name }, value(seen)]),
  )

export const byPart = (value: (report: Observation['parts'][number]) => number | undefined) =>
  by('part', ({ parts }) => parts.map(report => [titleOf(report), value(report)]))
