import type { DeribitConfig } from './config.js'
import { isJsonObject, parsedObject, type JsonObject } from '../../platform/json-object.js'
import type { Logger } from '../../platform/log.js'
import type { Credentials, ExchangeSession, Filed, SessionLink } from '../adapter.js'
import { BookWatch } from '../book-watch.js'
import type { Catalogue } from './catalogue.js'
import { channelStart } from './frame-channel.js'
import { dataOf } from './notification.js'
import { hear, type KnownChannels } from '../known-channels.js'
import { PlannedSnapshots } from '../planned-snapshots.js'
import { familyOfChannel } from './names.js'
import { Login } from './login.js'
import { hintOf, TOO_MANY_REQUESTS } from './refusal-codes.js'
import { isRefusal, Rpc, type Answer, type CreditPools } from './rpc.js'
import { SequenceWatch } from './sequence-watch.js'
import { Subscriptions } from './subscriptions.js'
import type { TradeKeeper } from './trade-keeper.js'

/** Shortest interval that the exchange allows. */
export const HEARTBEAT_SECONDS = 10

/** What all sessions of an exchange share. */
export interface SessionDeps {
  config: Pick<DeribitConfig, 'login' | 'rawFallback' | 'snapshotHours'>
  credentials: Credentials | undefined
  log: Logger
  credits: CreditPools
  channels: KnownChannels
  catalogue: Catalogue
  trades: TradeKeeper
}

/** Deribit's protocol on one connection: login, heartbeats, subscriptions with their answers compared to what was asked. */
export class DeribitSession implements ExchangeSession {
  readonly #link: SessionLink
  readonly #log: Logger
  readonly #rpc: Rpc
  readonly #login: Login | undefined
  readonly #subscriptions: Subscriptions
  readonly #known: KnownChannels
  readonly #catalogue: Catalogue
  readonly #books: BookWatch
  readonly #sequences: SequenceWatch
  readonly #trades: TradeKeeper
  readonly #snapshots: PlannedSnapshots
  /** Receive stamp of the frame at hand. */
  #recvUs = 0

  constructor(link: SessionLink, wanted: () => ReadonlySet<string>, deps: SessionDeps) {
    const { config, credentials, log } = deps
    this.#link = link
    this.#log = log
    this.#rpc = new Rpc(link, deps.credits)
    const { login: method, rawFallback } = config
    this.#login = credentials && new Login({ rpc: this.#rpc, link, log, credentials, method })
    this.#subscriptions = new Subscriptions({ link, rpc: this.#rpc, log, wanted, rawFallback })
    this.#known = deps.channels
    this.#catalogue = deps.catalogue
    this.#books = new BookWatch({
      link,
      log,
      family: 'book',
      resubscribe: (channels, ended) => this.#subscriptions.resubscribe(channels, 'book break', ended),
    })
    this.#trades = deps.trades
    this.#sequences = new SequenceWatch(this.#books, deps.trades.sequences)
    this.#snapshots = new PlannedSnapshots({
      link,
      log,
      hours: config.snapshotHours,
      books: () => [...this.channels].filter(channel => familyOfChannel(channel) === 'book'),
      resubscribe: (due, reason) => this.resubscribe(due, reason),
    })
  }

  get channels(): ReadonlySet<string> {
    return this.#subscriptions.channels
  }

  async start(): Promise<void> {
    this.#snapshots.start()
    await this.#login?.start()
    await this.#rpc.call('public/set_heartbeat', { interval: HEARTBEAT_SECONDS })
    await this.update()
    this.#trades.connected()
  }

  update(): Promise<void> {
    return this.#subscriptions.update()
  }

  /** Takes channels anew on this connection: each book starts with a fresh snapshot, all other channels flow on. */
  resubscribe(channels: readonly string[], reason: string): Promise<void> {
    return this.#subscriptions.resubscribe(channels, reason)
  }

  closed(): void {
    this.#snapshots.close()
    this.#login?.close()
    this.#subscriptions.close()
    this.#books.close()
    this.#rpc.close()
  }

  data(frame: Buffer, recvUs: number): string | undefined {
    this.#recvUs = recvUs
    const from = channelStart(frame)
    const facts = from < 0 ? undefined : this.#known.factsToQuote(frame, from)
    if (!facts) return undefined
    hear(facts, recvUs)
    const { channel, family, isNews } = facts
    if (isNews) this.#catalogue.hear(dataOf(frame))
    if (family === 'platform_state') this.#hearPlatform(frame)
    this.#sequences.see(channel, family, frame, from + facts.bytes.length, recvUs)
    return family
  }

  channelOfPiece(frame: Buffer): string | undefined {
    const from = channelStart(frame)
    return from < 0 ? undefined : this.#known.factsToQuote(frame, from)?.channel
  }

  control(frame: Buffer): Filed {
    const message = parsedObject(frame)
    if (!message) return { family: 'other' }
    if (message['method'] === 'heartbeat') this.#answerHeartbeat(message)
    else if (message['method'] === 'subscription') return { family: this.#notification(message) }
    else if (typeof message['id'] === 'number') return this.#answer(message as unknown as Answer, frame)
    else if (isRefusal(message['error'])) this.#reportError(message['error'])
    return { family: 'rpc' }
  }

  #answer(answer: Answer, frame: Buffer): Filed {
    this.#rpc.settle(answer, this.#recvUs)
    // Known by its content, since the answer to a login may also come when nobody waits for it any more.
    return frame.includes('_token"') ? { family: 'rpc', recorded: withoutTokens(frame) } : { family: 'rpc' }
  }

  #answerHeartbeat(message: JsonObject): void {
    const { params } = message
    if (!isJsonObject(params) || params['type'] !== 'test_request') return
    this.#rpc
      .call('public/test', {})
      .catch((error: unknown) => this.#log.debug({ conn: this.#link.conn, err: error }, 'heartbeat answer failed'))
  }

  /** A notification that only a parser understands. */
  #notification(message: JsonObject): string {
    const { channel, data } = isJsonObject(message['params']) ? message['params'] : {}
    if (typeof channel !== 'string') return 'other'
    const { family } = this.#known.factsOf(channel)
    this.#sequences.seeParsed(channel, family, data, this.#recvUs)
    return family
  }

  /** Releases are announced before connections drop. */
  #hearPlatform(frame: Buffer): void {
    const data = dataOf(frame)
    if (isJsonObject(data) && data['maintenance'] === true) this.#link.maintenance({ conn: this.#link.conn })
  }

  #reportError(error: { code: number; message: string }): void {
    const { code, message } = error
    if (code === TOO_MANY_REQUESTS) this.#link.limited()
    this.#link.complain({
      event: 'error',
      message: `the exchange says: ${code} ${message}`,
      hint: hintOf(code),
      facts: { code },
    })
  }
}

/** The answer to a login, with its tokens taken out: they open the account while the connection lives. */
function withoutTokens(frame: Buffer): Buffer {
  return Buffer.from(
    frame.toString('utf8').replace(/("(?:access|refresh)_token"\s*:\s*)"(?:[^"\\]|\\.)*"/g, '$1"[secret]"'),
  )
}
