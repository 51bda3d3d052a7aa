import { parsedObject } from '../../platform/json-object.js'
import type { Logger } from '../../platform/log.js'
import type { ExchangeSession, Filed, SessionLink } from '../adapter.js'
import { BookWatch } from '../book-watch.js'
import { hear, type KnownChannels } from '../known-channels.js'
import { PlannedSnapshots } from '../planned-snapshots.js'
import { bookIds } from './book.js'
import type { Catalogue } from './catalogue.js'
import type { OkxConfig } from './config.js'
import { familyNamed } from './families.js'
import { FirstFrames } from './first-frames.js'
import { ARG_START, argEnd } from './frame-arg.js'
import { channelOfArg, isPush, rowsOf, textOf, type Message } from './message.js'
import { familyOfChannel } from './names.js'
import { Ops } from './ops.js'
import { Subscriptions, TOO_FAST } from './subscriptions.js'
import type { TradeKeeper } from './trade-keeper.js'

/** The exchange ends a connection on which nothing moved for 30 s; its own text is what counts. */
const PING = 'ping'
const PING_EVERY_MS = 12_000
/** Two pings without any frame: it is gone. */
export const DEAD_AFTER_MS = 30_000
/** The connection will be ended for a service upgrade. */
const UPGRADE = '64008'

/** What all sessions of an exchange share. */
export interface SessionDeps {
  config: Pick<OkxConfig, 'snapshotHours'>
  log: Logger
  channels: KnownChannels
  catalogue: Catalogue
  /** Of each family whose trades have numbers. */
  keepers: readonly TradeKeeper[]
}

/** OKX's protocol on one connection: pings, subscriptions with their answers compared to what was asked. */
export class OkxSession implements ExchangeSession {
  readonly #link: SessionLink
  readonly #ops: Ops
  readonly #subscriptions: Subscriptions
  readonly #known: KnownChannels
  readonly #catalogue: Catalogue
  readonly #books: BookWatch
  readonly #keepers: readonly TradeKeeper[]
  readonly #firsts: FirstFrames
  readonly #snapshots: PlannedSnapshots
  #pings: NodeJS.Timeout | undefined
  #recvUs = 0

  constructor(link: SessionLink, wanted: () => ReadonlySet<string>, deps: SessionDeps) {
    const { config, log, channels, catalogue, keepers } = deps
    this.#link = link
    this.#known = channels
    this.#catalogue = catalogue
    this.#keepers = keepers
    this.#snapshots = new PlannedSnapshots({
      link,
      log,
      hours: config.snapshotHours,
      books: () => [...this.channels].filter(channel => familyOfChannel(channel) === 'books'),
      resubscribe: (due, reason) => this.resubscribe(due, reason),
    })
    this.#ops = new Ops(link)
    this.#firsts = new FirstFrames({
      link,
      speaksUp: channel => familyNamed(familyOfChannel(channel))?.coverage?.first === true,
      resubscribe: again => this.resubscribe(again, 'nothing came'),
      given: (channel, promisedUs) => this.#subscriptions.give(channel, promisedUs),
      flows: channel => this.#subscriptions.flows(channel),
    })
    this.#subscriptions = new Subscriptions({
      link,
      ops: this.#ops,
      log,
      wanted,
      asking: asked => {
        this.#firsts.asked(asked)
        this.#forKeepers(asked, (keeper, traded) => keeper.asked(traded))
      },
      begun: begun => {
        this.#firsts.begun(begun)
        this.#forKeepers(begun, (keeper, traded) => keeper.begun(traded, link.nowUs()))
      },
    })
    this.#books = new BookWatch({
      link,
      log,
      family: 'books',
      resubscribe: (broken, ended) => this.#subscriptions.resubscribe(broken, 'book break', ended),
    })
  }

  get channels(): ReadonlySet<string> {
    return this.#subscriptions.channels
  }

  async start(): Promise<void> {
    this.#pings = setInterval(() => this.#link.send(PING), PING_EVERY_MS)
    this.#snapshots.start()
    await this.update()
  }

  update(): Promise<void> {
    return this.#subscriptions.update()
  }

  /** Takes channels anew on this connection: each book starts with a fresh snapshot, all other channels flow on. */
  resubscribe(channels: readonly string[], reason: string): Promise<void> {
    return this.#subscriptions.resubscribe(channels, reason)
  }

  /** The exchange sends the last trade of each instrument on subscribing. */
  missed(channels: readonly string[], sinceUs: number): Promise<void> {
    const traded = channels.filter(channel => this.#keepers.some(({ family }) => familyOfChannel(channel) === family))
    this.#forKeepers(traded, (keeper, instruments) => keeper.missed(instruments, sinceUs))
    return traded.length === 0 ? Promise.resolve() : this.resubscribe(traded, 'silent')
  }

  closed(): void {
    clearInterval(this.#pings)
    this.#snapshots.close()
    this.#firsts.close()
    this.#forKeepers([...this.channels], (keeper, traded) => keeper.ended(traded))
    this.#subscriptions.close()
    this.#books.close()
    this.#ops.close()
  }

  data(frame: Buffer, recvUs: number): string | undefined {
    this.#recvUs = recvUs
    const end = argEnd(frame)
    if (end < 0) return undefined
    const facts = this.#known.factsAt(frame, ARG_START, end)
    hear(facts, recvUs)
    this.#see(facts.channel, facts.family, frame, undefined)
    return facts.family
  }

  channelOfPiece(frame: Buffer): string | undefined {
    const end = argEnd(frame)
    if (end < 0) return undefined
    const { channel } = this.#known.factsAt(frame, ARG_START, end)
    this.#brokenTrades(channel)
    return channel
  }

  control(frame: Buffer): Filed {
    const message = parsedObject(frame)
    // `pong`, the answer to our `ping`, is no JSON.
    if (!message) return { family: frame.equals(PONG) ? 'control' : 'other' }
    if (isPush(message)) return { family: this.#spelledOtherwise(message, frame) }
    switch (message['event']) {
      case 'subscribe':
      case 'unsubscribe':
        this.#ops.acked(message)
        break
      case 'error':
        this.#failed(message)
        break
      case 'notice':
        this.#noticed(message)
        break
      case undefined:
        return { family: 'other' }
    }
    return { family: 'control' }
  }

  /** A frame of a channel that only a parser understands. */
  #spelledOtherwise(message: Message, frame: Buffer): string {
    const channel = channelOfArg(message['arg'])
    if (channel === undefined) return 'other'
    const family = familyOfChannel(channel)
    this.#see(channel, family, frame, message)
    return family
  }

  #see(channel: string, family: string, frame: Buffer, parsed: Message | undefined): void {
    if (this.#ops.isWaiting) this.#ops.flows(channel)
    this.#firsts.came(channel)
    switch (family) {
      case 'books': {
        const ids = bookIds(frame)
        if (ids) this.#books.see(channel, ids, this.#recvUs)
        break
      }
      case 'trades':
      case 'trades-all':
        this.#seeTrades(channel, family, parsed ?? parsedObject(frame))
        break
      case 'instruments':
        for (const row of rowsOf(parsed ?? parsedObject(frame))) this.#catalogue.hear(row)
    }
  }

  #seeTrades(channel: string, family: string, message: Message | undefined): void {
    if (message) this.#keepers.find(keeper => keeper.family === family)?.see(message, this.#recvUs)
    else this.#brokenTrades(channel)
  }

  #brokenTrades(channel: string): void {
    this.#forKeepers([channel], (keeper, traded) => keeper.broken(traded, this.#recvUs))
  }

  /** For each keeper, the instruments of which these channels bring its trades. */
  #forKeepers(channels: readonly string[], act: (keeper: TradeKeeper, traded: readonly string[]) => void): void {
    for (const keeper of this.#keepers) {
      const head = `${keeper.family}.`
      const traded = channels.flatMap(channel => (channel.startsWith(head) ? [channel.slice(head.length)] : []))
      if (traded.length > 0) act(keeper, traded)
    }
  }

  #failed(message: Message): void {
    const code = Number(textOf(message['code']))
    if (code === TOO_FAST) this.#link.limited()
    if (this.#ops.failed(message)) return
    this.#link.complain({
      event: 'error',
      message: `the exchange says: ${textOf(message['code'])} ${textOf(message['msg'])}`,
      facts: Number.isSafeInteger(code) ? { code } : {},
    })
  }

  /** Comes about a minute before: a new connection is made before this one ends. */
  #noticed(message: Message): void {
    if (message['code'] === UPGRADE) this.#link.maintenance({ conn: this.#link.conn }, 'this')
    else this.#link.complain({ event: 'error', message: `the exchange says: ${textOf(message['msg'])}` })
  }
}

const PONG = Buffer.from('pong')
