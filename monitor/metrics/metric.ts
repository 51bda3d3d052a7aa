import type { Health } from '../observe/health.js'
import type { FamilySeen } from '../observe/families-seen.js'
import type { Observation } from '../observe/observation.js'
import { isRecorder, type PartReport } from '../observe/parts.js'

/** One value of a metric; undefined: no file has it, and it is left out. Of a histogram the sum, and counts by upper bound. */
export type Sample = readonly [labels: Labels, value: number | FamilySeen['lag']]
export type Labels = Readonly<Record<string, string>>

type Read = (seen: Observation, health: Health) => readonly Sample[] | number | undefined

export interface Metric {
  name: string
  help: string
  type: 'counter' | 'gauge' | 'histogram'
  labels: readonly string[]
  read: Read
}

/** Samples with different labels; a metric without labels has one value. */
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
export const histogram = metric('histogram')

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

export const byFamily = (value: (family: FamilySeen) => Sample[1]) =>
  byAll(['exchange', 'family'], ({ families }) =>
    families.map(seen => [{ exchange: seen.exchange, family: seen.family }, value(seen)]),
  )

export const byConnection = (value: (connection: Observation['connections'][number]) => number | undefined) =>
  byAll(['exchange', 'connection'], ({ connections }) =>
    connections.map(seen => [{ exchange: seen.exchange, connection: seen.name }, value(seen)]),
  )

type RecorderSeen = Observation['recorders'][number]

/** Of each recorder, by what it records; one that never ran here says nothing. */
export const byExchange = (value: (recorder: RecorderSeen) => number | undefined) =>
  byAll(['exchange'], ({ recorders }) => recorders.map(seen => [exchangeOf(seen), value(seen)]))

const exchangeOf = ({ report, status }: Pick<RecorderSeen, 'report' | 'status'>): Labels => {
  const exchange = report.of ?? status.exchange
  return exchange === undefined ? {} : { exchange }
}

/** What they record distinguishes recorders. */
export const byPart = (value: (report: PartReport) => number | undefined) =>
  byAll(['part', 'exchange'], ({ parts, recorders }) =>
    parts.map(report => {
      const recorder = isRecorder(report) && recorders.find(seen => seen.report === report)
      return [{ part: report.part, ...(recorder && exchangeOf(recorder)) }, value(report)]
    }),
  )

export const byKind = (value: (kind: { share: number }) => number) =>
  byAll(['exchange', 'kind'], ({ today }) =>
    (today?.kinds ?? []).map(seen => [{ exchange: seen.exchange, kind: seen.kind }, value(seen)]),
  )
