import type { Logger } from '../../platform/log.js'
import type { SessionLink } from '../adapter.js'
import { KeptSubscriptions } from '../kept-subscriptions.js'
import { familyNamed } from './families.js'
import { familyOfChannel, topicOf } from './names.js'
import { refusalOf } from './refusal.js'
import { UnansweredError, type Ack, type Requests } from './requests.js'

/** Spot takes no more in one request; elsewhere one unknown topic refuses all of a request. */
const TOPICS_PER_REQUEST = 10
/** Requests under way at once. */
const REQUESTS_AT_ONCE = 5
/** A topic that answers with a first frame has sent it by then; else the yes was a lie, or nothing is there. */
const FIRST_FRAME_MS = 20_000
const LOOK_EVERY_MS = 2000
/** Not a code of the exchange's: no answer came, which passes. */
const NO_ANSWER = -1

export interface SubscriptionsDeps {
  link: Pick<SessionLink, 'conn' | 'journal' | 'subscribed' | 'nowUs'>
  requests: Requests
  log: Logger
  /** What is to be subscribed on this connection, asked anew each time. */
  wanted: () => ReadonlySet<string>
  /** Learns of channels that flow from now on, and of those that do not any more. */
  began: (channels: readonly string[]) => void
  ended: (channels: readonly string[]) => void
  nowMs?: () => number
}

/**
 * The subscriptions of one connection: what is wanted against what the exchange said yes to. Its word proves little: one
 * bad topic refuses all of a request, some answers never come, and some say yes to what is never sent. So each channel is
 * accounted for by itself: what was refused is asked for again later, the others at once, and of what must answer with a
 * first frame that frame is the proof.
 */
export class Subscriptions extends KeptSubscriptions {
  readonly #deps: SubscriptionsDeps
  readonly #nowMs: () => number
  /** Of channels that the exchange said yes to, and that must send a first frame: since when it is awaited, when it was promised first, and how often it was asked. */
  readonly #unproven = new Map<string, { sinceMs: number; promisedUs: number; asked: number }>()
  /** Channels that frames came of. */
  readonly #heard = new Set<string>()
  #looks: NodeJS.Timeout | undefined
  #perRequest = TOPICS_PER_REQUEST

  constructor(deps: SubscriptionsDeps) {
    super(deps.link, deps.log, [NO_ANSWER])
    this.#deps = deps
    this.#nowMs = deps.nowMs ?? (() => performance.now())
  }

  /** A frame of a channel came: the first one proves that it flows, whatever was answered. */
  heard(channel: string): void {
    this.#heard.add(channel)
    this.#unproven.delete(channel)
    if (!this.held.has(channel) && !this.refusals.allows(channel) && this.#deps.wanted().has(channel))
      this.#began([channel], 'a frame came after all')
  }

  /** Whether frames of a channel are known to come: asked for each frame, so that `heard` is not called in vain. */
  isProven(channel: string): boolean {
    return this.#heard.has(channel) && this.held.has(channel)
  }

  override close(): void {
    super.close()
    clearInterval(this.#looks)
  }

  protected offered(): ReadonlySet<string> {
    return this.#deps.wanted()
  }

  protected override async subscribeAll(chunks: readonly string[][]): Promise<void> {
    for (let at = 0; at < chunks.length; at += REQUESTS_AT_ONCE)
      await Promise.all(chunks.slice(at, at + REQUESTS_AT_ONCE).map(chunk => this.subscribe(chunk)))
  }

  #inBackground(work: Promise<void>, what: string): void {
    work.catch((error: unknown) => this.#deps.log.debug({ conn: this.#deps.link.conn, err: error }, what))
  }

  protected chunks(channels: readonly string[]): string[][] {
    const size = this.#perRequest
    return Array.from({ length: Math.ceil(channels.length / size) }, (_, at) =>
      channels.slice(at * size, (at + 1) * size),
    )
  }

  protected async subscribe(channels: readonly string[], reason?: string): Promise<void> {
    if (channels.length === 0) return
    let ack: Ack
    try {
      ack = await this.#deps.requests.ask('subscribe', channels.map(topicOf))
    } catch (error) {
      if (!(error instanceof UnansweredError) || this.isClosed) throw error
      this.#unanswered(channels, error.message, reason)
      return
    }
    if (!ack.success && ack.failed.length === 0) return this.#afterRefusal(channels, ack.message, reason)
    const failed = new Set(ack.failed)
    const refused = channels.filter(channel => failed.has(topicOf(channel)))
    if (refused.length > 0) this.#refused(refused, ack.message === '' ? 'named among those that failed' : ack.message)
    this.#began(
      channels.filter(channel => !failed.has(topicOf(channel))),
      reason,
    )
  }

  /** One topic refuses all of a request: it is left out, and the others are asked for again. */
  async #afterRefusal(channels: readonly string[], message: string, reason: string | undefined): Promise<void> {
    const refusal = refusalOf(message)
    if (refusal === 'too many' && channels.length > 1) {
      this.#perRequest = Math.max(1, Math.ceil(channels.length / 2))
      for (const chunk of this.chunks(channels)) await this.subscribe(chunk, reason)
      return
    }
    const named = typeof refusal === 'object' ? channels.filter(channel => topicOf(channel) === refusal.of) : []
    if (named.length > 0 && typeof refusal === 'object') {
      if (refusal.known) this.#began(named, reason)
      else this.#refused(named, message)
      return this.subscribe(
        channels.filter(channel => !named.includes(channel)),
        reason,
      )
    }
    if (channels.length === 1) {
      this.#refused(channels, message)
      return
    }
    // Nobody says which of them it was: each by itself.
    for (const channel of channels) await this.subscribe([channel], reason)
  }

  /** What frames came of flows; of the others nothing is known. */
  #unanswered(channels: readonly string[], message: string, reason: string | undefined): void {
    const heard = channels.filter(channel => this.#heard.has(channel))
    this.#began(heard, reason)
    const unknown = channels.filter(channel => !heard.includes(channel))
    if (unknown.length > 0) this.#refused(unknown, message, NO_ANSWER)
  }

  #began(channels: readonly string[], reason?: string): void {
    const fresh = channels.filter(channel => !this.held.has(channel))
    if (fresh.length === 0) return
    for (const channel of fresh) {
      const { asked, promisedUs } = this.#unproven.get(channel) ?? { asked: 0, promisedUs: this.#deps.link.nowUs() }
      if (!this.#heard.has(channel) && familyNamed(familyOfChannel(channel))?.answers === true)
        this.#unproven.set(channel, { sinceMs: this.#nowMs(), promisedUs, asked: asked + 1 })
    }
    this.take(fresh, reason)
    this.#deps.began(fresh)
    if (!this.isClosed && this.#unproven.size > 0)
      this.#looks ??= setInterval(() => this.#lookForFirstFrames(), LOOK_EVERY_MS)
  }

  /** The exchange said yes, and sends nothing: asked once more, then reported as refused. */
  #lookForFirstFrames(): void {
    const late = [...this.#unproven].filter(([, { sinceMs }]) => this.#nowMs() - sinceMs > FIRST_FRAME_MS)
    if (this.#unproven.size === 0) {
      clearInterval(this.#looks)
      this.#looks = undefined
    }
    if (late.length === 0) return
    const again = late.filter(([, { asked }]) => asked === 1).map(([channel]) => channel)
    const given = late.filter(([, { asked }]) => asked > 1)
    for (const [channel, state] of late) this.#unproven.set(channel, { ...state, sinceMs: this.#nowMs() })
    if (again.length > 0) this.#inBackground(this.resubscribe(again, 'no first frame came'), 'not resubscribed')
    if (given.length === 0) return
    // It stays asked for: should a frame come after all, the channel is taken for subscribed.
    for (const [channel, { promisedUs }] of given) {
      this.#unproven.delete(channel)
      this.held.delete(channel)
      this.#refused([channel], 'the exchange said yes, and no frame came', undefined, promisedUs)
    }
    this.#deps.ended(given.map(([channel]) => channel))
  }

  #refused(channels: readonly string[], message: string, code?: number, sinceUs?: number): void {
    const { link, log } = this.#deps
    this.reject(channels, message, code === NO_ANSWER ? undefined : code, code, sinceUs)
    log.warn({ conn: link.conn, channels: channels.slice(0, 10), count: channels.length }, `not accepted: ${message}`)
  }

  /** Whatever is said to it: what is not subscribed any more needs no end. */
  protected async askToEnd(channels: readonly string[]): Promise<void> {
    await this.#deps.requests.ask('unsubscribe', channels.map(topicOf)).catch((error: unknown) => {
      if (!(error instanceof UnansweredError) || this.isClosed) throw error
    })
  }

  /** Also of channels that are not held: one that was not promised may flow all the same. */
  protected override async unsubscribe(channels: readonly string[], reason?: string): Promise<void> {
    const held = channels.filter(channel => this.held.has(channel))
    await this.askToEnd(channels)
    for (const channel of channels) this.#heard.delete(channel)
    if (held.length === 0) return
    this.drop(held, reason)
    this.#deps.ended(held)
  }
}
