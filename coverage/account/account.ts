import type { Span } from '../../platform/spans.js'
import type { Subject } from '../../exchanges/exchange.js'
import type { CoveredKind } from '../../exchanges/settings.js'

/**
 * What is known of a channel in a span:
 * - `recorded`: it came, as far as its grade can tell;
 * - `healed`: it was missed live, was fetched, and is proven whole;
 * - `missing`: it is not there, with a cause;
 * - `not yet known`: the last seconds of a recorder that lives, or what is being asked for;
 * - `not recording`: with a cause, it was wanted and no recorder ran; without one, nobody wanted it.
 */
export type State = 'recorded' | 'healed' | 'missing' | 'not yet known' | 'not recording'

/** `exact`: a sequence says so. `watched`: subscribed on a connection that lived. `claimed`: nothing can say more. */
export type Grade = 'exact' | 'watched' | 'claimed'

/** The cause of what is not yet known because a recorder that lives has yet to write it. */
export const LAST_SECONDS = 'the last seconds'

export interface StateSpan extends Span {
  state: State
  grade: Grade
  /** Of what is not simply there; of what is, why its stamps are late. */
  cause?: string
  /** By what a span is proven, where that is not its own subscription. */
  proof?: string
}

/** What an account is kept of. */
export interface Channel {
  exchange: string
  family: string
  kind: CoveredKind | 'none'
  /** An instrument or an index; `all BTC options` for one of a whole kind; the channel's own name where it is about neither. */
  about: string
  /** It is about all instruments of its kind. */
  isWhole: boolean
  /** Of such a one: what its name says. */
  subject?: Subject | undefined
  /** For what only files are known of: kind and currency that they are stored by, where their folders say. */
  stored?: { kind: string | undefined; currency: string | undefined }
}

/** Channels of which the same is known. */
export interface ChannelGroup {
  /** They follow one upon the other, without a hole, over the whole window. */
  spans: readonly StateSpan[]
  channels: readonly Channel[]
}

/** What the exchange lists, the config asks for, and nobody records. */
export interface NotOffered {
  exchange: string
  name: string
  reason: string
}

/** How many trades came, and how many are known not to have come. */
export interface TradeCount {
  exchange: string
  recorded: number
  missing: number
}

/** The one account: all that is known of what was recorded in a window. */
export interface Account {
  window: Span
  groups: readonly ChannelGroup[]
  notOffered: readonly NotOffered[]
  trades: readonly TradeCount[]
  /** The window ends with the last word of all recorders: that they were stopped; µs. */
  stoppedUs?: number
}

/** Something that was to be there and is not. */
export const isLost = ({ state, cause }: StateSpan) =>
  state === 'missing' || (state === 'not recording' && cause !== undefined)

/** Something that was to be there, whatever became of it. */
export const isWanted = ({ state, cause }: StateSpan) => state !== 'not recording' || cause !== undefined

export const keyOf = ({ exchange, family, kind, about }: Channel) => `${exchange} ${family} ${kind} ${about}`
