import { NOTHING_LATER } from '../../formats/journal/causes.js'
import type { Span } from '../../platform/spans.js'
import {
  isWanted,
  keyOf,
  type Account,
  type Channel,
  type NotOffered,
  type StateSpan,
  type TradeCount,
} from './account.js'
import { filled, Grouping, onceEach } from './merge.js'

/** What is known of a channel up to the end of a part: what that part says, and what those before it said. */
interface Known {
  before: Known | undefined
  spans: readonly StateSpan[]
}

/**
 * Accounts of parts of a time, one after the other, as one account. Channels of which the same was known in each part share
 * it, so that what is kept grows with what happened, not with the days.
 */
export class AccountOverTime {
  readonly #channels = new Map<string, { channel: Channel; known: Known }>()
  readonly #trades = new Map<string, TradeCount>()
  #notOffered: NotOffered[] = []

  /** The account of what follows upon all that were added. */
  add({ groups, notOffered, trades }: Account): void {
    for (const { spans, channels } of groups) {
      const followers = new Map<Known | undefined, Known>()
      for (const channel of channels) {
        const key = keyOf(channel)
        const before = this.#channels.get(key)?.known
        const known = followers.get(before) ?? { before, spans }
        followers.set(before, known)
        this.#channels.set(key, { channel, known })
      }
    }
    this.#notOffered = onceEach([...this.#notOffered, ...notOffered])
    for (const { exchange, recorded, missing } of trades) {
      const sum = this.#trades.get(exchange) ?? { exchange, recorded: 0, missing: 0 }
      this.#trades.set(exchange, { exchange, recorded: sum.recorded + recorded, missing: sum.missing + missing })
    }
  }

  /** All of it, as far as it lies in a window. */
  within(window: Span): Account {
    const grouping = new Grouping()
    const shared = new Map<Known, readonly StateSpan[]>()
    for (const { channel, known } of this.#channels.values()) {
      const spans = shared.get(known) ?? filled(spansWithin(known, window), window)
      shared.set(known, spans)
      if (spans.some(isWanted)) grouping.add(channel, spans)
    }
    return { window, groups: grouping.groups(), notOffered: this.#notOffered, trades: [...this.#trades.values()] }
  }
}

function spansWithin(last: Known, { fromUs, toUs }: Span): StateSpan[] {
  const parts: (readonly StateSpan[])[] = []
  for (let known: Known | undefined = last; known; known = known.before) parts.push(known.spans)
  return withLaterWords(parts.reverse().flat())
    .map(span => ({ ...span, fromUs: Math.max(span.fromUs, fromUs), toUs: Math.min(span.toUs, toUs) }))
    .filter(span => span.fromUs < span.toUs)
}

/** A part of which nobody knew what came later takes its cause from the next one. */
function withLaterWords(spans: readonly StateSpan[]): StateSpan[] {
  const backwards: StateSpan[] = []
  for (const span of [...spans].reverse()) {
    const later = backwards.at(-1)
    const cause = later?.fromUs === span.toUs && later.state === span.state ? later.cause : undefined
    backwards.push(span.cause === NOTHING_LATER && cause !== undefined ? { ...span, cause } : span)
  }
  return backwards.reverse()
}
