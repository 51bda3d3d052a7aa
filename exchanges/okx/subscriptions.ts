import type { Logger } from '../../platform/log.js'
import type { SessionLink } from '../adapter.js'
import { chunked } from '../chunks.js'
import { KeptSubscriptions } from '../kept-subscriptions.js'
import { Ops, type Refusal } from './ops.js'

/** A request may have 64 KB, and so may all that a connection has: a hundred channels have about 7. */
const LIMITS = { countMax: 100, bytesMax: 16_000 }
const ARG_BYTES = 60
/** Stands for the code of a channel of which nothing was said. */
const NO_ANSWER = -1
/** Too fast, internal errors, service not available: they pass. */
const PASSING = [NO_ANSWER, 50001, 50011, 50013, 50026, 60014, 63999, 64000, 64007]
export const TOO_FAST = 60014

const HINTS: Readonly<Record<number, string>> = {
  60011: 'the channel is given only to those who log in',
  60018: 'the channel or instrument is not known there: check exchange.channels and exchange.instruments',
  64003: 'the channel is given only to those who trade much',
}

export interface SubscriptionsDeps {
  link: SessionLink
  ops: Ops
  log: Logger
  /** What is to be subscribed on this connection, asked anew each time. */
  wanted: () => ReadonlySet<string>
  /** Channels that are about to be asked for: frames may come before the answer. */
  asking: (channels: readonly string[]) => void
  /** Channels that were subscribed just now. */
  begun: (channels: readonly string[]) => void
}

/** The subscriptions of one connection: what is wanted against what the exchange gives. One bad channel costs no other. */
export class Subscriptions extends KeptSubscriptions {
  readonly #deps: SubscriptionsDeps

  constructor(deps: SubscriptionsDeps) {
    super(deps.link, deps.log, PASSING)
    this.#deps = deps
  }

  protected offered(): ReadonlySet<string> {
    return this.#deps.wanted()
  }

  protected chunks(channels: readonly string[]): string[][] {
    return chunked(channels, LIMITS, channel => channel.length + ARG_BYTES)
  }

  protected async subscribe(channels: readonly string[], reason?: string): Promise<void> {
    const { link, ops, asking, begun } = this.#deps
    asking(channels)
    const { accepted, refused, doubtful, unanswered } = await ops.run('subscribe', channels)
    this.take(accepted, reason)
    if (accepted.length > 0) begun(accepted)
    for (const [channel, refusal] of refused) this.#refused([channel], refusal)
    if (unanswered.length > 0) this.#refused(unanswered, { code: undefined, message: 'no answer' })
    if (!doubtful) return
    const { channels: open, error } = doubtful
    // Which of them the error is about is found by halves, unless it is about asking at all.
    if (open.length === 1 || error.code === TOO_FAST) {
      if (error.code === TOO_FAST) link.limited()
      this.#refused(open, error)
      return
    }
    const half = open.length >> 1
    await this.subscribe(open.slice(0, half), reason)
    await this.subscribe(open.slice(half), reason)
  }

  /** It was promised since then, and never came: it is asked for again later. */
  give(channel: string, promisedUs: number): void {
    if (!this.held.delete(channel)) return
    this.reject([channel], 'the exchange said yes, and no frame came', undefined, undefined, promisedUs)
  }

  /** A frame of such a channel came after all. */
  flows(channel: string): void {
    if (this.held.has(channel) || !this.#deps.wanted().has(channel)) return
    this.take([channel], 'a frame came after all')
    this.#deps.begun([channel])
  }

  #refused(channels: readonly string[], { code, message }: Refusal): void {
    const { link, log } = this.#deps
    this.reject(channels, message, code, code ?? NO_ANSWER)
    const hint = code === undefined ? undefined : HINTS[code]
    log.warn(
      { conn: link.conn, channels: channels.slice(0, 10), count: channels.length, ...(hint && { hint }) },
      `channels not given: ${message}`,
    )
  }

  protected askToEnd(channels: readonly string[]): Promise<unknown> {
    return this.#deps.ops.run('unsubscribe', channels)
  }
}
