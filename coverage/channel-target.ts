import { familyOf } from '../exchanges/exchange.js'
import type { CoverageFacts } from '../exchanges/family.js'
import { exchanges } from '../exchanges/registry.js'
import type { CoveredKind } from '../exchanges/settings.js'

/** Kinds as the table shows them: both sorts of combo are one. */
export const kinds = [
  'option',
  'perpetual',
  'future',
  'spot',
  'combo',
  'index',
] as const satisfies readonly CoveredKind[]
export type Kind = CoveredKind

/** Whose recording is accounted for: facts of an account do not say of which exchange they are. */
const [exchange] = exchanges
const { names } = exchange

export const { familyOfChannel, expiryMsOf } = names

/** The Parquet table of a family. */
export function tableOfFamily(family: string): string {
  return familyOf(exchange, family).table ?? family
}

/** A family of which something is expected: its tables have a row or more for each frame about one instrument or index. */
export interface CoveredFamily extends CoverageFacts {
  family: string
}

export const coveredFamilies: readonly CoveredFamily[] = exchange.families.flatMap(({ name, coverage }) =>
  coverage ? [{ ...coverage, family: name }] : [],
)
export const FAMILIES: readonly string[] = coveredFamilies.map(({ family }) => family)

/** What a subscribed channel promises data of. */
export interface ChannelTarget {
  family: string
  kinds: readonly Kind[]
  /** Instrument or index; undefined for a channel of a whole kind, such as `trades.option.BTC.100ms`. */
  name: string | undefined
  /** Of a channel of a whole kind: the one settlement currency that it is about; without it, any. */
  currency?: string
}

/** Undefined for channels that are about no instrument and no index. */
export function targetOf(channel: string): ChannelTarget | undefined {
  const subject = names.subjectOf(channel)
  if (!subject) return undefined
  const shown = subject.kinds.flatMap(kind => kindOfPartition(kind) ?? [])
  return { ...subject, kinds: [...new Set(shown)] }
}

/** Whether a channel brings what is about this instrument or index. */
export function isAbout({ kinds: ofChannel, name, currency }: ChannelTarget, kind: Kind, about: string): boolean {
  if (name !== undefined) return name === about
  if (!ofChannel.includes(kind)) return false
  return currency === undefined || names.partitionOfInstrument(about).currency === currency
}

/** The kind of a partition, `kind=…`. */
export function kindOfPartition(kind: string): Kind | undefined {
  if (kind === 'future_combo' || kind === 'option_combo') return 'combo'
  return kinds.find(known => known === kind)
}
