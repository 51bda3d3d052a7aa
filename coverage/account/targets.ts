import { familyOf, type Exchange, type Subject } from '../../exchanges/exchange.js'
import type { CoveredKind } from '../../exchanges/settings.js'
import type { Partition } from '../../formats/partition.js'
import type { Channel, Grade } from './account.js'

/** What the name of a channel on the wire says. */
export interface ChannelTarget {
  family: string
  kinds: readonly string[]
  /** Instrument or index; undefined for a channel of all of a kind. */
  name: string | undefined
  /** Kinds with whose they are, of a channel of all of a kind. */
  partitions: readonly string[]
  /** By what its frames are stored, where they are grouped. */
  stored: Partition | undefined
  /** How its recording can be proven. */
  grade: Grade
  /** Its name. */
  wire: string
  /** Its events have numbers without holes. */
  isNumbered: boolean
  /** The exchange lists its events again: lists are compared with what came. */
  isListed: boolean
  channel: Channel
  subject: Subject | undefined
}

type Known = Pick<Exchange, 'name' | 'families' | 'names'>

/** Asks an exchange about the names of its channels, each once. */
export class Targets {
  readonly #exchange: Known
  readonly #known = new Map<string, ChannelTarget>()

  constructor(exchange: Known) {
    this.#exchange = exchange
  }

  of(channel: string): ChannelTarget {
    const known = this.#known.get(channel)
    if (known) return known
    const target = targetOf(this.#exchange, channel)
    this.#known.set(channel, target)
    return target
  }
}

function targetOf(exchange: Known, channel: string): ChannelTarget {
  const subject = exchange.names.subjectOf(channel)
  const family = subject?.family ?? exchange.names.familyOfChannel(channel)
  const counted = familyOf(exchange, family).coverage?.counted?.what
  const kinds = subject?.kinds ?? []
  const name = subject ? subject.name : channel
  const { whose } = subject ?? {}
  return {
    family,
    kinds,
    name,
    partitions: kinds.map(kind => `${kind} ${whose ?? ''}`.trim()),
    stored: exchange.names.partitionOfChannel(channel),
    grade: counted === 'trades' || counted === 'book changes' ? 'exact' : 'watched',
    wire: channel,
    isNumbered: counted === 'trades',
    isListed: counted === 'trades' || familyOf(exchange, family).coverage?.listed === true,
    channel: {
      exchange: exchange.name,
      family,
      kind: kindShown(kinds[0] ?? 'none'),
      about: name ?? `all ${[whose, ...kindsShown(kinds)].filter(text => text !== undefined).join(' ')}s`,
      isWhole: name === undefined,
      ...(name === undefined && { subject }),
    },
    subject,
  }
}

/** Both sorts of combo are one to people. */
export function kindShown(kind: string): CoveredKind | 'none' {
  if (kind === 'future_combo' || kind === 'option_combo') return 'combo'
  return KINDS.find(known => known === kind) ?? 'none'
}

/** The same of several; of one sort of combo alone it is said which, so that each has an account of its own. */
export function kindsShown(kinds: readonly string[]): string[] {
  const shown = [...new Set<string>(kinds.map(kindShown))]
  const [only, ...others] = kinds
  return only?.endsWith('_combo') && others.length === 0 ? [only.replace('_', ' ')] : shown
}

export const KINDS = [
  'option',
  'perpetual',
  'future',
  'spot',
  'combo',
  'index',
] as const satisfies readonly CoveredKind[]
