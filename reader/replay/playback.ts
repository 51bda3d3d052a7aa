import { setTimeout as sleep } from 'node:timers/promises'
import { sourceOf } from '../book/apply-frame.js'
import { isBeside, type Frame } from '../frame.js'
import { readFrameBatches, type ReadOptions } from '../read-frames.js'
import type { Channels, Subscriber } from '../../simulator/broker.js'
import type { ReplayProtocol, PlayedTrade } from '../../simulator/replay.js'
import { BackfilledTrades, type PlacedTrades } from './backfilled-trades.js'
import { Copies } from './copies.js'
import { Pace } from './pace.js'
import type { RecordedAnswers } from './recorded-answers.js'
import { ANSWERED_OVER_HTTP, FETCHED_FOR_HOLE } from '../../formats/asked-connections.js'
import type { RecordedChannels } from './recorded-channels.js'
import type { RecordedGap, RecordedGaps } from './recorded-gaps.js'
import type { RecordedPast } from './recorded-past.js'

/** Clients subscribe in several calls, paced by the exchange's limits: playing begins so long after the last one, ms. */
const QUIET_MS = 1_500
/** While nothing is due, new subscribers are looked for this often, ms. */
const LOOK_MS = 50
/** Unsent bytes of the slowest client above which playing waits. */
const UNSENT_MAX = 1024 * 1024

export interface PlaybackOptions {
  path: string
  fromUs: number
  toUs: number
  /** Recorded time per real time; 0 for as fast as the clients take it. */
  speed: number
  /** Begin again when the end is reached. */
  loop: boolean
  onProblem?: ((path: string, problem: string) => void) | undefined
  /** Playing comes to a time of which nothing was recorded. */
  onGap?: ((gap: RecordedGap) => void) | undefined
}

export interface PlaybackParts {
  /** How the exchange spells what is put together here. */
  protocol: Pick<ReplayProtocol, 'isBook' | 'snapshot' | 'trades' | 'reframed' | 'beginsWithLast'>
  /** The recorded channels that bring what is asked for. */
  sourcesOf: (asked: string) => readonly string[]
  /** How the recording stands at a moment. */
  past: Pick<RecordedPast, 'books' | 'lasts'>
  gaps: RecordedGaps
  answers: RecordedAnswers
  recorded: RecordedChannels
  /** Unsent bytes of the slowest client. */
  unsentBytes: () => number
}

/**
 * Plays recorded frames to whoever subscribed to their channels, at their recorded distance. Begins when a client has
 * subscribed, and waits while nobody is. Who subscribes in the middle gets first how the channel stands, where that is
 * known: a book as a snapshot, the last word of others.
 */
export class Playback implements Channels {
  /** Receive time of the frame that was played last, µs. */
  positionUs: number
  framesSent = 0
  readonly #options: PlaybackOptions
  readonly #parts: PlaybackParts
  /** By the channel that was asked for. */
  readonly #subscribers = new Map<string, Set<Subscriber>>()
  /** By recorded channel: those that were asked for and are made from it. */
  readonly #asked = new Map<string, Set<string>>()
  readonly #pace: Pace
  readonly #copies = new Copies()
  #backfilled = new BackfilledTrades([])
  #firstDue: { channel: string; subscriber: Subscriber }[] = []
  #gapsAhead: RecordedGap[] = []
  #subscribedMs = 0
  /** True while nobody is subscribed, and until those who came are done. */
  #isIdle = true
  #stopped = false

  constructor(options: PlaybackOptions, parts: PlaybackParts) {
    this.#options = options
    this.#parts = parts
    this.#pace = new Pace(options.speed)
    this.positionUs = options.fromUs - 1
  }

  subscribe(channel: string, subscriber: Subscriber): void {
    const subscribers = this.#subscribers.get(channel) ?? new Set()
    this.#subscribers.set(channel, subscribers.add(subscriber))
    for (const source of this.#parts.sourcesOf(channel))
      this.#asked.set(source, (this.#asked.get(source) ?? new Set()).add(channel))
    if (this.#showsFirst(channel)) this.#firstDue.push({ channel, subscriber })
    this.#subscribedMs = performance.now()
  }

  unsubscribe(channel: string, subscriber: Subscriber): void {
    const subscribers = this.#subscribers.get(channel)
    subscribers?.delete(subscriber)
    if (subscribers?.size === 0) {
      this.#subscribers.delete(channel)
      for (const source of this.#parts.sourcesOf(channel)) this.#asked.get(source)?.delete(channel)
    }
    this.#firstDue = this.#firstDue.filter(due => due.channel !== channel || due.subscriber !== subscriber)
  }

  /** A replay has no news of its own. */
  announce(): void {
    return
  }

  /** Plays to the end, or for ever; resolves early after `stop`. */
  async run(): Promise<void> {
    do {
      await this.#playOnce()
      if (!this.#options.loop) return
      this.positionUs = this.#options.fromUs - 1
      this.#pace.restart()
      for (const [channel, subscribers] of this.#subscribers)
        if (this.#showsFirst(channel))
          for (const subscriber of subscribers) this.#firstDue.push({ channel, subscriber })
    } while (!this.#stopped)
  }

  stop(): void {
    this.#stopped = true
  }

  async #playOnce(): Promise<void> {
    const { path, fromUs, toUs, onProblem } = this.#options
    const reading = { path, from: fromUs, to: toUs, onProblem }
    this.#backfilled = await backfilledTrades(reading, this.#parts.protocol)
    this.#gapsAhead = this.#parts.gaps.outages(fromUs, toUs)
    for await (const batch of readFrameBatches(reading)) {
      for (const frame of batch) {
        this.#announceGaps(frame.recvUs)
        if (this.#needsWait(frame)) await this.#untilDue(frame.recvUs)
        if (this.#stopped) return
        this.#play(frame)
        this.positionUs = frame.recvUs
      }
    }
  }

  #needsWait({ recvUs }: Frame): boolean {
    return (
      this.#stopped ||
      this.#isIdle ||
      this.#subscribers.size === 0 ||
      this.#firstDue.length > 0 ||
      this.#pace.waitMs(recvUs, performance.now()) > 0 ||
      this.#parts.unsentBytes() > UNSENT_MAX
    )
  }

  async #untilDue(us: number): Promise<void> {
    while (!this.#stopped) {
      this.#isIdle ||= this.#subscribers.size === 0
      if (this.#isIdle) {
        await sleep(LOOK_MS)
        this.#isIdle = this.#subscribers.size === 0 || performance.now() - this.#subscribedMs < QUIET_MS
        this.#pace.restart()
      } else if (this.#firstDue.length > 0) {
        await this.#sendFirst()
        this.#pace.restart()
      } else {
        const waitMs = this.#pace.waitMs(us, performance.now())
        if (waitMs > 0) await sleep(Math.min(waitMs, LOOK_MS))
        else if (this.#parts.unsentBytes() > UNSENT_MAX) await sleep(1)
        else return
      }
    }
  }

  #announceGaps(us: number): void {
    for (let [gap] = this.#gapsAhead; gap && gap.fromUs < us; [gap] = this.#gapsAhead) {
      this.#gapsAhead.shift()
      this.#options.onGap?.(gap)
    }
  }

  #showsFirst(channel: string): boolean {
    const { isBook, beginsWithLast } = this.#parts.protocol
    return isBook(channel) || beginsWithLast?.(channel) === true
  }

  async #sendFirst(): Promise<void> {
    const due = this.#firstDue
    this.#firstDue = []
    const { protocol, past, gaps } = this.#parts
    const asked = [...new Set(due.map(({ channel }) => channel))]
    const books = asked.filter(protocol.isBook)
    // Without a journal nothing shows what is stale but a book's own chain.
    const lasts = gaps.hasJournal ? asked.filter(channel => !protocol.isBook(channel)) : []
    const frames = new Map<string, Buffer>()
    for (const [channel, book] of await past.books(books, this.positionUs))
      frames.set(channel, Buffer.from(protocol.snapshot(channel, book)))
    for (const [channel, frame] of await past.lasts(lasts, this.positionUs)) frames.set(channel, frame)
    for (const { channel, subscriber } of due) {
      const frame = frames.get(channel)
      if (frame && this.#subscribers.get(channel)?.has(subscriber)) subscriber.deliver(channel, frame)
    }
  }

  #play(frame: Frame): void {
    const { conn } = frame
    if (conn === ANSWERED_OVER_HTTP) {
      if (this.#parts.answers.isAnswer(frame)) this.#parts.answers.take(frame)
    } else if (conn === FETCHED_FOR_HOLE) {
      if (!this.#backfilled.isEmpty) this.#place(this.#backfilled.atTheLatest(tradesIn(frame, this.#parts.protocol)))
    } else if (conn !== 'journal' && !isBeside(conn)) this.#playData(frame)
  }

  #playData(frame: Frame): void {
    const { channel, recvUs } = frame
    if (channel === undefined) return
    if (!this.#backfilled.isEmpty) {
      this.#place(this.#backfilled.before(tradesIn(frame, this.#parts.protocol)))
      this.#place(this.#backfilled.due(recvUs))
    }
    const asked = this.#asked.get(channel)
    if (!asked || asked.size === 0) return
    const isDoubled = this.#parts.recorded.isTakenTwice(channel)
    if (isDoubled && this.#copies.isCopy(channel, sourceOf(frame), recvUs, frame.text)) return
    for (const each of asked) {
      const bytes = each === channel ? frame.bytes : this.#parts.protocol.reframed?.(each, frame.bytes)
      const subscribers = this.#subscribers.get(each)
      if (bytes && subscribers) this.#send(each, subscribers, bytes)
    }
  }

  #place(placed: readonly PlacedTrades[]): void {
    const { trades } = this.#parts.protocol
    for (const { instrument, rows } of placed) {
      for (const [channel, subscribers] of this.#subscribers) {
        if (!trades.carries(channel, instrument)) continue
        this.#send(channel, subscribers, Buffer.from(trades.frame(channel, rows)))
      }
    }
  }

  #send(channel: string, subscribers: ReadonlySet<Subscriber>, bytes: Buffer): void {
    for (const subscriber of subscribers) subscriber.deliver(channel, bytes)
    this.framesSent++
  }
}

/** The trades of a frame; none of a family that is not of trades. */
const tradesIn = ({ bytes, family }: Frame, { trades }: Pick<ReplayProtocol, 'trades'>) =>
  trades.families.includes(family) ? trades.tradesOf(bytes, family) : []

/** What was fetched for holes within a span, and was not received by itself; an answer may reach back beyond both. */
async function backfilledTrades(
  { from, ...span }: ReadOptions & { from: number },
  protocol: Pick<ReplayProtocol, 'trades'>,
): Promise<BackfilledTrades> {
  const reading: ReadOptions = { ...span, from, channels: protocol.trades.families }
  const fetched: PlayedTrade[] = []
  for await (const batch of readFrameBatches({ ...reading, conns: [FETCHED_FOR_HOLE] }))
    for (const frame of batch) fetched.push(...tradesIn(frame, protocol).filter(({ executedUs }) => executedUs >= from))
  const trades = new BackfilledTrades(fetched)
  if (trades.isEmpty) return trades
  for await (const batch of readFrameBatches(reading))
    for (const frame of batch)
      if (frame.conn !== FETCHED_FOR_HOLE && frame.channel !== undefined) trades.notMissing(tradesIn(frame, protocol))
  return trades
}
