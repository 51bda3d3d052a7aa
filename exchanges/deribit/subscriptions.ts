import type { Logger } from '../../platform/log.js'
import type { SessionLink } from '../adapter.js'
import { KeptSubscriptions } from '../kept-subscriptions.js'
import { refusalsThat, TOO_MANY_REQUESTS } from './refusal-codes.js'
import { RefusedError, type Rpc } from './rpc.js'
import { chunkChannels } from './subscribe-chunks.js'

/** Codes of refusals that pass by themselves. */
export const PASSING = refusalsThat('passes').map(({ code }) => code)
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

/**
 * The subscriptions of one connection: what is wanted against what the exchange said yes to. `update` throws RefusedError
 * where a connection that only begins met a limit, or was given nothing at all for a reason that passes or that a new login
 * may cure: it is a try that came to nothing.
 */
export class Subscriptions extends KeptSubscriptions {
  readonly #deps: SubscriptionsDeps
  #rawRefused = false
  /** As long as not all was asked for once: calls that were refused. */
  #beginning: { asked: readonly string[]; error: RefusedError }[] | undefined = []

  constructor(deps: SubscriptionsDeps) {
    super(deps.link, deps.log, PASSING)
    this.#deps = deps
  }

  protected chunks(channels: readonly string[]): string[][] {
    return chunkChannels(channels)
  }

  /** Live is who carries something: otherwise one outage would be reported as over, and as another one. */
  protected override updated(): void {
    const refused = this.#beginning ?? []
    const came = refused.find(({ error }) => error.means === 'passes' || error.means === 'login')
    if (came && this.held.size === 0) throw came.error
    this.#beginning = undefined
    for (const { asked, error } of refused) this.#refused(asked, error)
  }

  #refused(asked: readonly string[], error: RefusedError): void {
    const { link, log } = this.#deps
    this.reject(asked, error.message, error.refusal)
    log.error({ conn: link.conn, channels: asked.length, hint: error.hint }, error.message)
  }

  /** What is wanted, in the intervals that this connection is given. */
  protected offered(): ReadonlySet<string> {
    const wanted = this.#deps.wanted()
    if (!this.#rawRefused) return wanted
    const { rawFallback } = this.#deps
    if (rawFallback === undefined) return new Set([...wanted].filter(channel => !RAW.test(channel)))
    return new Set([...wanted].map(channel => channel.replace(RAW, `.${rawFallback}`)))
  }

  protected async subscribe(channels: readonly string[], reason?: string): Promise<void> {
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
    this.take(
      asked.filter(channel => accepted.has(channel)),
      reason,
    )
    // The exchange leaves out what it does not know, without an error.
    const refused = asked.filter(channel => !accepted.has(channel))
    if (refused.length === 0) return
    this.reject(refused, 'not in the answer: unknown to the exchange, expired, or not offered')
    log.warn({ conn: link.conn, channels: refused.slice(0, 10), count: refused.length }, 'channels not accepted')
  }

  /** The exchange gives this connection no raw channels: the others of the call are taken, and what stands for raw. */
  async #withoutRaw(channels: readonly string[], error: RefusedError): Promise<void> {
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
    await this.subscribe(channels)
  }

  #afterRefusal(channel: string): string | undefined {
    if (!RAW.test(channel)) return channel
    const { rawFallback } = this.#deps
    return rawFallback === undefined ? undefined : channel.replace(RAW, `.${rawFallback}`)
  }

  protected askToEnd(channels: readonly string[]): Promise<unknown> {
    return this.#deps.rpc.call('public/unsubscribe', { channels })
  }
}

const isText = (value: string | undefined): value is string => value !== undefined

const channelList = (result: unknown): string[] =>
  Array.isArray(result) ? result.filter(item => typeof item === 'string') : []
