import { parsedObject } from '../../platform/json-object.js'
import type { Logger } from '../../platform/log.js'
import type { ExchangeSession, Filed, SessionLink } from '../adapter.js'
import { booksDue } from '../book-refresh.js'
import { BookWatch, type BookWatchDeps } from '../book-watch.js'
import { hear, type KnownChannels } from '../known-channels.js'
import { PlannedSnapshots } from '../planned-snapshots.js'
import type { BybitConfig } from './config.js'
import { SPOT } from './families.js'
import { FULL_BOOK, topicIn, topicStart } from './frames.js'
import { changeIdsIn, isFullBook } from './full-book-frames.js'
import { FullBooks, type FullBookAnswers } from './full-books.js'
import { symbolOf, topicOf } from './names.js'
import { Requests } from './requests.js'
import { bookIdsIn } from './sequence-bytes.js'
import { Subscriptions } from './subscriptions.js'
import type { TradeOverlap } from './trade-overlap.js'

/** The exchange asks for one in this time. */
export const PING_SECONDS = 20
const DAY_MS = 86_400_000
/** Tickers that come in changes are taken anew within this time of each UTC day, so that a day's files can be read alone. */
const TICKERS_WITHIN_MS = 600_000
const PING = JSON.stringify({ op: 'ping' })

/** What all sessions of an exchange share. */
export interface SessionDeps {
  config: Pick<BybitConfig, 'snapshotHours'>
  log: Logger
  /** Of the connection's own category: topics of two bear one name. */
  known: KnownChannels
  trades: TradeOverlap
  answers: FullBookAnswers
  isSpot: boolean
}

/** Bybit's protocol on one connection: pings, subscriptions with their answers compared to what was asked and what came. */
export class BybitSession implements ExchangeSession {
  readonly #link: SessionLink
  readonly #requests: Requests
  readonly #subscriptions: Subscriptions
  readonly #known: KnownChannels
  readonly #books: BookWatch
  readonly #fullBooks: FullBooks
  readonly #trades: TradeOverlap
  readonly #bookFamily: string
  readonly #fullFamily: string
  readonly #tradeFamily: string
  readonly #tickerFamily: string
  readonly #snapshots: PlannedSnapshots
  #pings: NodeJS.Timeout | undefined
  #lastUs = 0

  constructor(link: SessionLink, wanted: () => ReadonlySet<string>, deps: SessionDeps) {
    const { config, log, known, trades, answers, isSpot } = deps
    const suffix = isSpot ? SPOT : ''
    this.#link = link
    this.#known = known
    this.#trades = trades
    this.#bookFamily = `book${suffix}`
    this.#fullFamily = `${FULL_BOOK}${suffix}`
    this.#tradeFamily = `trades${suffix}`
    this.#tickerFamily = `ticker${suffix}`
    this.#requests = new Requests(link)
    this.#subscriptions = new Subscriptions({
      link,
      log,
      wanted,
      requests: this.#requests,
      began: channels => {
        for (const channel of this.#tradesAmong(channels)) trades.began(link.conn, channel, link.nowUs())
        this.#fullBooks.began(channels.filter(isFullBook))
      },
      ended: channels => {
        this.#tradesEnded(channels)
        this.#fullBooks.ended(channels.filter(isFullBook))
      },
    })
    const resubscribe: BookWatchDeps['resubscribe'] = (channels, ended) =>
      this.#subscriptions.resubscribe(channels, 'book break', ended)
    const instrumentOf = (channel: string) => symbolOf(channel) ?? channel
    this.#books = new BookWatch({ link, log, family: this.#bookFamily, instrumentOf, resubscribe })
    this.#fullBooks = new FullBooks({ link, log, family: this.#fullFamily, answers, resubscribe })
    this.#snapshots = new PlannedSnapshots({
      link,
      log,
      hours: config.snapshotHours,
      books: () => [...this.#ofFamily(this.#bookFamily), ...this.#ofFamily(this.#fullFamily)],
      others: (fromMs, toMs) => this.#tickersDue(fromMs, toMs),
      resubscribe: (due, reason) => this.resubscribe(due, reason),
    })
  }

  get channels(): ReadonlySet<string> {
    return this.#subscriptions.channels
  }

  async start(): Promise<void> {
    this.#pings = setInterval(() => this.#link.send(PING), PING_SECONDS * 1000)
    this.#snapshots.start()
    await this.update()
  }

  update(): Promise<void> {
    return this.#subscriptions.update()
  }

  /** Takes channels anew on this connection: each book and ticker starts with a fresh snapshot, all other channels flow on. */
  resubscribe(channels: readonly string[], reason: string): Promise<void> {
    return this.#subscriptions.resubscribe(channels, reason)
  }

  closed(): void {
    clearInterval(this.#pings)
    this.#snapshots.close()
    this.#tradesEnded([...this.channels])
    this.#fullBooks.close([...this.channels].filter(isFullBook))
    this.#subscriptions.close()
    this.#books.close()
    this.#requests.close()
  }

  data(frame: Buffer, recvUs: number): string | undefined {
    this.#lastUs = recvUs
    const from = topicStart(frame)
    const facts = from < 0 ? undefined : this.#known.factsToQuote(frame, from)
    if (!facts) return undefined
    hear(facts, recvUs)
    this.#see(facts.channel, facts.family, frame, recvUs)
    return facts.family
  }

  channelOfPiece(frame: Buffer): string | undefined {
    const from = topicStart(frame)
    const facts = from < 0 ? undefined : this.#known.factsToQuote(frame, from)
    if (!facts) return undefined
    const { channel, family } = facts
    if (family === this.#tradeFamily) this.#trades.broken(channel, this.#lastUs)
    return channel
  }

  control(frame: Buffer): Filed {
    const message = parsedObject(frame)
    if (!message) return { family: 'other' }
    const topic = topicIn(frame)
    if (topic !== undefined) {
      const { channel, family } = this.#known.factsOf(topic)
      this.#see(channel, family, frame, this.#lastUs)
      return { family }
    }
    if (this.#requests.settle(message)) return { family: 'answers' }
    if (message['success'] === false) this.#complain(message)
    return { family: 'answers' }
  }

  #see(channel: string, family: string, frame: Buffer, recvUs: number): void {
    if (!this.#subscriptions.isProven(channel)) this.#subscriptions.heard(channel)
    if (family === this.#bookFamily) {
      const ids = bookIdsIn(frame)
      if (ids) this.#books.see(channel, ids, recvUs)
    } else if (family === this.#fullFamily) {
      const ids = changeIdsIn(frame)
      if (ids) this.#fullBooks.see(channel, ids, recvUs)
    } else if (family === this.#tradeFamily) this.#trades.see(channel, frame, recvUs)
  }

  #tradesAmong(channels: readonly string[]): string[] {
    return channels.filter(channel => this.#known.factsOf(topicOf(channel)).family === this.#tradeFamily)
  }

  #tradesEnded(channels: readonly string[]): void {
    const lastUs = this.#lastUs === 0 ? this.#link.nowUs() : this.#lastUs
    for (const channel of this.#tradesAmong(channels)) this.#trades.ended(this.#link.conn, channel, lastUs)
  }

  #complain(message: Readonly<Record<string, unknown>>): void {
    const said = typeof message['ret_msg'] === 'string' ? message['ret_msg'] : ''
    if (/too many|frequent|limit/i.test(said)) this.#link.limited()
    this.#link.complain({ event: 'error', message: `the exchange says: ${said}` })
  }

  #ofFamily(family: string): string[] {
    return [...this.channels].filter(channel => this.#known.factsOf(topicOf(channel)).family === family)
  }

  /** Those of derivatives, at the begin of a day; those of spot are whole each time. */
  #tickersDue(fromMs: number, toMs: number): string[] {
    if (this.#tickerFamily.endsWith(SPOT)) return []
    const dayMs = Math.floor(toMs / DAY_MS) * DAY_MS
    const since = (ms: number) => Math.min(TICKERS_WITHIN_MS, Math.max(0, ms - dayMs))
    // A moment of its own for each within that time, as for books.
    const tickers = this.#ofFamily(this.#tickerFamily)
    return booksDue(tickers, this.#link.conn, TICKERS_WITHIN_MS, since(fromMs), since(toMs))
  }
}
