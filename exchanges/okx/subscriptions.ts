import type { Logger } from '../../platform/log.js'
import type { SessionLink } from '../adapter.js'
import { chunked } from '../chunks.js'
import { Refusals } from '../refusals.js'
import { Ops, type Refusal } from './ops.js'

/** A request may have 64 KB, and so may all that a connection has: a hundred channels have about 7. */
const LIMITS = { countMax: 100, bytesMax: 16_000 }
const ARG_BYTES = 60
/** Stands for the code of a channel of which nothing was said. */
const NO_ANSWER = -1
/** Too fast, internal errors, service not available: they pass. */
const PASSING = [NO_ANSWER, 50001, 50011, 50013, 50026, 60014, 63999, 64000, 64007]
export const TOO_FAST = 60014
/** After a request that failed as a whole the rest is asked for again this much later. */
const AFTER_FAILURE_MS = 5000
const TIMER_MAX_MS = 2 ** 31 - 1

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
  /** Channels that were subscribed just now. */
  begun: (channels: readonly string[]) => void
}

/** The subscriptions of one connection: what is wanted against what the exchange gives. One bad channel costs no other. */
export class Subscriptions {
  readonly #deps: SubscriptionsDeps
  readonly #channels = new Set<string>()
  readonly #refusals = new Refusals(PASSING)
  #working: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(deps: SubscriptionsDeps) {
    this.#deps = deps
  }

  /** Channels that the exchange said it would send, or sends. */
  get channels(): ReadonlySet<string> {
    return this.#channels
  }

  /** Subscribes what is missing, and ends what is wanted no more. Resolves when all of it was answered, or had its time. */
  update(): Promise<void> {
    return this.#inTurn(() => this.#subscribeWanted())
  }

  /**
   * Ends these channels and takes them again: each book then starts with a fresh snapshot. All others flow on.
   * @param ended called for channels when nothing of them comes any more, before they are taken again
   */
  resubscribe(
    channels: readonly string[],
    reason: string,
    ended: (channels: readonly string[]) => void = () => undefined,
  ): Promise<void> {
    return this.#inTurn(async () => {
      const wanted = this.#deps.wanted()
      for (const chunk of chunksOf(channels.filter(channel => wanted.has(channel)))) {
        const held = chunk.filter(channel => this.#channels.has(channel))
        if (held.length > 0) await this.#unsubscribe(held, reason)
        ended(chunk)
        await this.#subscribe(chunk, reason)
      }
    })
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  /** One piece of work after the other: each starts from what the one before achieved. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const run = this.#working.catch(() => undefined).then(work)
    this.#working = run
    run.then(
      () => this.#wakeIn(this.#refusals.nextWaitMs),
      () => this.#wakeIn(AFTER_FAILURE_MS),
    )
    return run
  }

  #wakeIn(waitMs: number): void {
    clearTimeout(this.#timer)
    if (this.#closed || waitMs === Infinity) return
    const { link, log } = this.#deps
    const again = () => {
      this.update().catch((error: unknown) => log.debug({ conn: link.conn, err: error }, 'subscriptions not updated'))
    }
    this.#timer = setTimeout(again, Math.min(waitMs, TIMER_MAX_MS))
  }

  async #subscribeWanted(): Promise<void> {
    const wanted = this.#deps.wanted()
    this.#refusals.keepOnly(channel => wanted.has(channel) && !this.#channels.has(channel))
    const missing = [...wanted].filter(channel => !this.#channels.has(channel) && this.#refusals.allows(channel))
    for (const chunk of chunksOf(missing)) await this.#subscribe(chunk)
    const still = this.#deps.wanted()
    const surplus = [...this.#channels].filter(channel => !still.has(channel))
    for (const chunk of chunksOf(surplus)) await this.#unsubscribe(chunk)
  }

  async #subscribe(channels: readonly string[], reason?: string): Promise<void> {
    const { link, ops, begun } = this.#deps
    const { accepted, refused, doubtful, unanswered } = await ops.run('subscribe', channels)
    for (const channel of accepted) this.#channels.add(channel)
    if (accepted.length > 0) {
      link.subscribed(accepted, reason === undefined ? {} : { reason })
      begun(accepted)
    }
    for (const [channel, refusal] of refused) this.#reject([channel], refusal)
    if (unanswered.length > 0) this.#reject(unanswered, { code: undefined, message: 'no answer' })
    if (!doubtful) return
    const { channels: open, error } = doubtful
    // Which of them the error is about is found by halves, unless it is about asking at all.
    if (open.length === 1 || error.code === TOO_FAST) {
      if (error.code === TOO_FAST) link.limited()
      this.#reject(open, error)
      return
    }
    const half = open.length >> 1
    await this.#subscribe(open.slice(0, half), reason)
    await this.#subscribe(open.slice(half), reason)
  }

  #reject(channels: readonly string[], { code, message }: Refusal): void {
    const { link, log } = this.#deps
    const waitMs = this.#refusals.note(channels, code ?? NO_ANSWER)
    link.journal('rejected', {
      channels,
      ...(code !== undefined && { code }),
      message,
      again_in_s: waitMs === Infinity ? null : Math.round(waitMs / 1000),
    })
    const hint = code === undefined ? undefined : HINTS[code]
    log.warn(
      { conn: link.conn, channels: channels.slice(0, 10), count: channels.length, ...(hint && { hint }) },
      `channels not given: ${message}`,
    )
  }

  async #unsubscribe(channels: string[], reason?: string): Promise<void> {
    const { link, ops } = this.#deps
    // Whatever is said of it: it is not counted on any more.
    await ops.run('unsubscribe', channels)
    for (const channel of channels) this.#channels.delete(channel)
    link.journal('unsubscribed', { channels, ...(reason !== undefined && { reason }) })
  }
}

const chunksOf = (channels: readonly string[]) => chunked(channels, LIMITS, channel => channel.length + ARG_BYTES)
