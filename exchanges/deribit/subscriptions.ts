import type { Logger } from '../../platform/log.js'
import type { SessionLink } from '../adapter.js'
import { Refusals } from '../refusals.js'
import { refusalsThat, TOO_MANY_REQUESTS } from './refusal-codes.js'
import { RefusedError, type Rpc } from './rpc.js'
import { chunkChannels } from './subscribe-chunks.js'

/** After a call that was not answered the rest is asked for again this much later. */
const AFTER_FAILURE_MS = 5000
/** Codes of refusals that pass by themselves. */
export const PASSING = refusalsThat('passes').map(({ code }) => code)
const TIMER_MAX_MS = 2 ** 31 - 1
const RAW = /\.raw$/

export interface SubscriptionsDeps {
  link: SessionLink
  rpc: Rpc
  log: Logger
  /** What is to be subscribed on this connection, asked anew each time. */
  wanted: () => ReadonlySet<string>
  /** The interval that is taken where raw is refused. */
  rawFallback: '100ms' | 'agg2' | undefined
}

/** The subscriptions of one connection: what is wanted against what the exchange said yes to. */
export class Subscriptions {
  readonly #deps: SubscriptionsDeps
  readonly #channels = new Set<string>()
  readonly #refusals = new Refusals(PASSING)
  #rawRefused = false
  /** As long as not all was asked for once: calls that were refused. */
  #beginning: { asked: readonly string[]; error: RefusedError }[] | undefined = []
  #working: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(deps: SubscriptionsDeps) {
    this.#deps = deps
  }

  /** Channels that the exchange said it would send. */
  get channels(): ReadonlySet<string> {
    return this.#channels
  }

  /**
   * Subscribes what is missing, and ends what is wanted no more. Resolves when all of it was answered.
   * @throws RefusedError a connection that only begins met a limit, or was given nothing at all for a reason that passes
   *   or that a new login may cure: it is a try that came to nothing
   */
  update(): Promise<void> {
    return this.#inTurn(() => this.#subscribeWanted())
  }

  /**
   * Ends these channels and takes them again: each book then starts with a fresh snapshot. All others flow on.
   * @param reason stands in the journal
   * @param ended called for channels when nothing of them comes any more, before they are taken again
   */
  resubscribe(
    channels: readonly string[],
    reason: string,
    ended: (channels: readonly string[]) => void = () => undefined,
  ): Promise<void> {
    return this.#inTurn(async () => {
      const wanted = this.#offered()
      for (const chunk of chunkChannels(channels.filter(channel => wanted.has(channel)))) {
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
    this.#timer = setTimeout(
      () => {
        this.update().catch((error: unknown) =>
          this.#deps.log.debug({ conn: this.#deps.link.conn, err: error }, 'subscriptions not updated'),
        )
      },
      Math.min(waitMs, TIMER_MAX_MS),
    )
  }

  async #subscribeWanted(): Promise<void> {
    const wanted = this.#offered()
    this.#refusals.keepOnly(channel => wanted.has(channel) && !this.#channels.has(channel))
    const missing = [...wanted].filter(channel => !this.#channels.has(channel) && this.#refusals.allows(channel))
    for (const channels of chunkChannels(missing)) await this.#subscribe(channels)
    const offered = this.#offered()
    const surplus = [...this.#channels].filter(channel => !offered.has(channel))
    for (const channels of chunkChannels(surplus)) await this.#unsubscribe(channels)
    this.#hasBegun()
  }

  /** Live is who carries something: one outage would be told as over, and as another one, otherwise. */
  #hasBegun(): void {
    const refused = this.#beginning ?? []
    const came = refused.find(({ error }) => error.means === 'passes' || error.means === 'login')
    if (came && this.#channels.size === 0) throw came.error
    this.#beginning = undefined
    for (const { asked, error } of refused) this.#refused(asked, error)
  }

  #refused(asked: readonly string[], error: RefusedError): void {
    const { link, log } = this.#deps
    this.#reject(asked, error.message, error.refusal)
    log.error({ conn: link.conn, channels: asked.length, hint: error.hint }, error.message)
  }

  /** What is wanted, in the intervals that this connection is given. */
  #offered(): ReadonlySet<string> {
    const wanted = this.#deps.wanted()
    if (!this.#rawRefused) return wanted
    const { rawFallback } = this.#deps
    if (rawFallback === undefined) return new Set([...wanted].filter(channel => !RAW.test(channel)))
    return new Set([...wanted].map(channel => channel.replace(RAW, `.${rawFallback}`)))
  }

  async #subscribe(channels: string[], reason?: string): Promise<void> {
    const { link, rpc, log } = this.#deps
    // Raw may have been refused since this list was made.
    const asked = this.#rawRefused ? channels.map(channel => this.#afterRefusal(channel)).filter(isText) : channels
    if (asked.length === 0) return
    let accepted: ReadonlySet<string>
    try {
      accepted = new Set(channelList(await rpc.call('public/subscribe', { channels: asked })))
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error
      if (error.means === 'raw' && !this.#rawRefused) return this.#withoutRaw(asked, error)
      if (!this.#beginning) this.#refused(asked, error)
      else if (error.refusal === TOO_MANY_REQUESTS) {
        link.limited()
        throw error
      } else this.#beginning.push({ asked, error })
      return
    }
    const taken = asked.filter(channel => accepted.has(channel))
    for (const channel of taken) this.#channels.add(channel)
    if (taken.length > 0) link.subscribed(taken, reason === undefined ? {} : { reason })
    // The exchange leaves out what it does not know, without an error.
    const refused = asked.filter(channel => !accepted.has(channel))
    if (refused.length === 0) return
    this.#reject(refused, 'not in the answer: unknown to the exchange, expired, or not offered')
    log.warn({ conn: link.conn, channels: refused.slice(0, 10), count: refused.length }, 'channels not accepted')
  }

  #reject(channels: readonly string[], message: string, code?: number): void {
    const waitMs = this.#refusals.note(channels, code)
    this.#deps.link.journal('rejected', {
      channels,
      ...(code !== undefined && { code }),
      message,
      again_in_s: waitMs === Infinity ? null : Math.round(waitMs / 1000),
    })
  }

  /** The exchange gives this connection no raw channels: the others of the call are taken, and what stands for raw. */
  async #withoutRaw(channels: string[], error: RefusedError): Promise<void> {
    const { link, log, rawFallback, wanted } = this.#deps
    this.#rawRefused = true
    const raw = [...wanted()].filter(channel => RAW.test(channel))
    for (const part of chunkChannels(raw)) {
      link.journal('rejected', {
        channels: part,
        code: error.refusal,
        message: error.message,
        again_in_s: null,
        ...(rawFallback !== undefined && { instead: rawFallback }),
      })
    }
    const facts = { conn: link.conn, channels: raw.length, hint: error.hint }
    if (rawFallback === undefined) log.error(facts, `${error.message}; raw channels are not recorded`)
    else log.warn(facts, `${error.message}; ${rawFallback} is recorded in place of raw`)
    await this.#subscribe(channels)
  }

  #afterRefusal(channel: string): string | undefined {
    if (!RAW.test(channel)) return channel
    const { rawFallback } = this.#deps
    return rawFallback === undefined ? undefined : channel.replace(RAW, `.${rawFallback}`)
  }

  async #unsubscribe(channels: string[], reason?: string): Promise<void> {
    await this.#deps.rpc.call('public/unsubscribe', { channels })
    for (const channel of channels) this.#channels.delete(channel)
    this.#deps.link.journal('unsubscribed', { channels, ...(reason !== undefined && { reason }) })
  }
}

const isText = (value: string | undefined): value is string => value !== undefined

const channelList = (result: unknown): string[] =>
  Array.isArray(result) ? result.filter(item => typeof item === 'string') : []
