import { familyOf, type Exchange, type Subject } from '../../exchanges/exchange.js'
import type { CoveredKind } from '../../exchanges/settings.js'
import type { Channel, Grade } from './account.js'

/** What the name of a channel on the wire says. */
export interface ChannelTarget {
  family: string
  kinds: readonly string[]
  /** Instrument or index; undefined for a channel of all of a kind. */
  name: string | undefined
  /** Kinds with their currency, of a channel of all of a kind. */
  partitions: readonly string[]
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
  const { currency } = subject ?? {}
  const shown = [...new Set(kinds.map(kindShown))]
  return {
    family,
    kinds,
    name,
    partitions: kinds.map(kind => `${kind} ${currency ?? ''}`.trim()),
    grade: counted === 'trades' || counted === 'book changes' ? 'exact' : 'watched',
    wire: channel,
    isNumbered: counted === 'trades',
    isListed: counted === 'trades' || familyOf(exchange, family).coverage?.listed === true,
    channel: {
      exchange: exchange.name,
      family,
      kind: shown[0] ?? 'none',
      about: name ?? `all ${[currency, ...shown].filter(text => text !== undefined).join(' ')}s`,
      isWhole: name === undefined,
    },
    subject,
  }
}

/** Both sorts of combo are one to people. */
export function kindShown(kind: string): CoveredKind | 'none' {
  if (kind === 'future_combo' || kind === 'option_combo') return 'combo'
  return KINDS.find(known => known === kind) ?? 'none'
}

export const KINDS = [
  'option',
  'perpetual',
  'future',
  'spot',
  'combo',
  'index',
] as const satisfies readonly CoveredKind[]
