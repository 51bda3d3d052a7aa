import type { Credentials } from '../../../config/secrets.js'
import type { Logger } from '../../../platform/log.js'
import type { ExchangeSession, Filed, SessionLink } from '../../exchange.js'
import { newsOf, type Catalogue } from './catalogue.js'
import { familyOfChannel } from './channel-family.js'
import { channelOfFrame } from './frame-channel.js'
import type { KnownChannels } from './known-channels.js'
import { RefusedError, Rpc, type Answer, type CreditPools } from './rpc.js'
import { chunkChannels } from './subscribe-chunks.js'

/** Shortest interval that the exchange allows. */
export const HEARTBEAT_SECONDS = 10
/** Part of a token's life after which it is renewed. */
const REFRESH_AT = 0.8

/** What all sessions of an exchange share. */
export interface SessionDeps {
  credentials: Credentials | undefined
  log: Logger
  credits: CreditPools
  channels: KnownChannels
  catalogue: Catalogue
}

/** Deribit's protocol on one connection: login, heartbeats, subscriptions with their answers compared to what was asked. */
export class DeribitSession implements ExchangeSession {
  readonly #link: SessionLink
  readonly #wanted: () => ReadonlySet<string>
  readonly #credentials: Credentials | undefined
  readonly #log: Logger
  readonly #rpc: Rpc
  readonly #known: KnownChannels
  readonly #catalogue: Catalogue
  readonly #channels = new Set<string>()
  #refreshTimer: NodeJS.Timeout | undefined
  #updating: Promise<void> = Promise.resolve()

  constructor(link: SessionLink, wanted: () => ReadonlySet<string>, deps: SessionDeps) {
    this.#link = link
    this.#wanted = wanted
    this.#credentials = deps.credentials
    this.#log = deps.log
    this.#rpc = new Rpc(link, deps.credits)
    this.#known = deps.channels
    this.#catalogue = deps.catalogue
  }

  get channels(): ReadonlySet<string> {
    return this.#channels
  }

  async start(): Promise<void> {
    if (this.#credentials) await this.#logIn(this.#credentials)
    await this.#rpc.call('public/set_heartbeat', { interval: HEARTBEAT_SECONDS })
    await this.update()
  }

  /** One update after the other: each starts from what the one before achieved. */
  update(): Promise<void> {
    this.#updating = this.#updating.catch(() => undefined).then(() => this.#subscribeWanted())
    return this.#updating
  }

  closed(): void {
    clearTimeout(this.#refreshTimer)
    this.#rpc.close()
  }

  data(frame: Buffer): string | undefined {
    const channel = channelOfFrame(frame)
    if (channel === undefined) return undefined
    const facts = this.#known.factsOf(channel)
    if (facts.isNews) this.#catalogue.hear(newsOf(frame))
    return facts.family
  }

  control(frame: Buffer): Filed {
    const message = parseObject(frame)
    if (!message) return { family: 'other' }
    if (message['method'] === 'heartbeat') this.#answerHeartbeat(message)
    else if (message['method'] === 'subscription') return { family: this.#familyOfNotification(message) }
    else if (typeof message['id'] === 'number') return this.#answer(message as unknown as Answer, frame)
    else if (isError(message['error'])) this.#reportError(message['error'])
    return { family: 'rpc' }
  }

  #answer(answer: Answer, frame: Buffer): Filed {
    const method = this.#rpc.settle(answer)
    return method === 'public/auth' ? { family: 'rpc', recorded: withoutTokens(frame) } : { family: 'rpc' }
  }

  #answerHeartbeat(message: Record<string, unknown>): void {
    const params = message['params']
    if (typeof params !== 'object' || params === null || !('type' in params) || params.type !== 'test_request') return
    this.#rpc
      .call('public/test', {})
      .catch((error: unknown) => this.#log.debug({ conn: this.#link.conn, err: error }, 'heartbeat answer failed'))
  }

  #familyOfNotification(message: Record<string, unknown>): string {
    const params = message['params']
    const channel = typeof params === 'object' && params !== null && 'channel' in params ? params.channel : undefined
    return typeof channel === 'string' ? familyOfChannel(channel) : 'other'
  }

  #reportError(error: { code: number; message: string }): void {
    const { code, message } = error
    this.#link.journal('error', { code, message })
    this.#log.warn({ conn: this.#link.conn, code }, `exchange says: ${message}`)
  }

  async #logIn(credentials: Credentials): Promise<void> {
    const { clientId, clientSecret } = credentials
    const params = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret }
    this.#scheduleRefresh(await this.#rpc.call('public/auth', params, ['client_secret']))
  }

  #scheduleRefresh(token: unknown): void {
    const { refresh_token, expires_in } = token as { refresh_token: string; expires_in: number }
    const waitMs = Math.min(expires_in * 1000 * REFRESH_AT, 2 ** 31 - 1)
    this.#refreshTimer = setTimeout(() => {
      this.#rpc.call('public/auth', { grant_type: 'refresh_token', refresh_token }, ['refresh_token']).then(
        next => this.#scheduleRefresh(next),
        () => this.#link.fail('login could not be renewed'),
      )
    }, waitMs)
  }

  async #subscribeWanted(): Promise<void> {
    const wanted = this.#wanted()
    const missing = [...wanted].filter(channel => !this.#channels.has(channel))
    const surplus = [...this.#channels].filter(channel => !wanted.has(channel))
    for (const channels of chunkChannels(missing)) await this.#subscribe(channels)
    for (const channels of chunkChannels(surplus)) await this.#unsubscribe(channels)
  }

  async #subscribe(channels: string[]): Promise<void> {
    let accepted: string[]
    try {
      accepted = channelList(await this.#rpc.call('public/subscribe', { channels }))
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error
      this.#link.journal('rejected', { channels, code: error.refusal, message: error.message })
      this.#log.error({ conn: this.#link.conn, channels: channels.length, hint: error.hint }, error.message)
      return
    }
    for (const channel of accepted) this.#channels.add(channel)
    // The exchange leaves out what it does not know, without an error.
    const refused = channels.filter(channel => !this.#channels.has(channel))
    this.#link.journal('subscribed', { channels: accepted })
    if (refused.length === 0) return
    this.#link.journal('rejected', { channels: refused, message: 'not in the answer' })
    this.#log.warn(
      { conn: this.#link.conn, channels: refused.slice(0, 10), count: refused.length },
      'channels not accepted',
    )
  }

  async #unsubscribe(channels: string[]): Promise<void> {
    await this.#rpc.call('public/unsubscribe', { channels })
    for (const channel of channels) this.#channels.delete(channel)
    this.#link.journal('unsubscribed', { channels })
  }
}

function parseObject(frame: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(frame.toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    // Not JSON: it is kept as it came, under another family.
    return undefined
  }
}

function isError(value: unknown): value is { code: number; message: string } {
  return typeof value === 'object' && value !== null && 'code' in value && 'message' in value
}

const channelList = (result: unknown): string[] =>
  Array.isArray(result) ? result.filter(item => typeof item === 'string') : []

/** The answer to a login, with its tokens taken out: they open the account while the connection lives. */
function withoutTokens(frame: Buffer): Buffer {
  return Buffer.from(
    frame.toString('utf8').replace(/("(?:access|refresh)_token"\s*:\s*)"(?:[^"\\]|\\.)*"/g, '$1"[secret]"'),
  )
}
