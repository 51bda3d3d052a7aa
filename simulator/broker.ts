import { SUBJECTS, tradesSubject, type Feed } from './feed.js'
import type { Json } from './json.js'
import type { Truth } from './truth.js'
import type { MarketEvent } from './market/events.js'
import type { Market } from './market/market.js'

/** How a protocol names channels and spells their frames. */
export interface Grammar {
  /** The feed of a channel, or undefined for a name that it does not know now. */
  open(channel: string, market: Market): Feed | undefined
  /** The text of a frame; `made` counts frames, for a protocol that spells the same thing in several ways. */
  frame(channel: string, data: Json, made: number): string
  /** A frame of a channel around data that is JSON text already. */
  readonly wrap: (channel: string, data: string) => string
}

/** Who receives frames of channels. */
export interface Subscriber {
  deliver(channel: string, frame: Buffer): void
}

/** What sessions and methods see of it. */
export interface Channels {
  subscribe(channel: string, subscriber: Subscriber): void
  unsubscribe(channel: string, subscriber: Subscriber): void
  /** Sends `data` on a channel whatever its feed says, e.g. a maintenance notice. */
  announce(channel: string, data: Json): void
}

interface OpenChannel {
  name: string
  feed: Feed
  subscribers: Set<Subscriber>
  due: boolean
  /** Simulated ms; channels of one pace take their turns at different moments. */
  nextTurnMs: number
  sentMs: number
}

/** Silent channels are looked at this often, simulated ms. */
const REPEAT_CHECK_MS = 1000

/**
 * Channels with at least one subscriber: hears the market, lets the feeds make frames in their pace, and hands each
 * frame, serialised once, to all who subscribed.
 */
export class Broker implements Channels {
  /** Frames made so far. */
  framesMade = 0
  private readonly channels = new Map<string, OpenChannel>()
  private readonly bySubject = new Map<string, Set<OpenChannel>>()
  private waiting: OpenChannel[] = []
  private repeatsCheckedMs = 0

  constructor(
    private readonly market: Market,
    private readonly grammar: Grammar,
    /** Hears of every frame, of a channel that was once asked for to its end; undefined where nobody is to know. */
    private readonly truth?: Pick<Truth, 'made'>,
  ) {
    market.listen(event => this.hear(event))
  }

  /** Adds a subscriber and sends it the channel's first frames. */
  subscribe(name: string, subscriber: Subscriber): void {
    const ms = this.market.nowMs
    const channel = this.channels.get(name) ?? this.open(name)
    if (!channel || channel.subscribers.has(subscriber)) return
    // Brings the others up to the state that the newcomer's snapshot shows, so one chain holds for all.
    const pending = channel.due ? this.send(channel, ms) : undefined
    channel.subscribers.add(subscriber)
    for (const data of channel.feed.first(ms)) subscriber.deliver(name, this.frame(name, data))
    // A change that is older than the snapshot may follow it; readers must drop it.
    if (pending && channel.feed.lateAfterSnapshot) subscriber.deliver(name, pending)
  }

  unsubscribe(name: string, subscriber: Subscriber): void {
    const channel = this.channels.get(name)
    if (!channel?.subscribers.delete(subscriber) || channel.subscribers.size > 0) return
    this.channels.delete(name)
    for (const subject of channel.feed.subjects) this.bySubject.get(subject)?.delete(channel)
  }

  /** Sends what is due at `ms`. Called once after each batch of market steps. */
  turn(ms: number): void {
    const waiting = this.waiting
    this.waiting = []
    for (const channel of waiting) {
      if (channel.subscribers.size === 0) continue
      if (channel.nextTurnMs > ms) this.waiting.push(channel)
      else this.send(channel, ms)
    }
    if (ms - this.repeatsCheckedMs < REPEAT_CHECK_MS) return
    this.repeatsCheckedMs = ms
    for (const channel of this.channels.values()) {
      const { repeatAfterMs } = channel.feed
      if (repeatAfterMs !== undefined && !channel.due && ms - channel.sentMs >= repeatAfterMs) this.send(channel, ms)
    }
  }

  announce(name: string, data: Json): void {
    const channel = this.channels.get(name)
    if (!channel) return
    const frame = this.frame(name, data)
    for (const subscriber of channel.subscribers) subscriber.deliver(name, frame)
  }

  private open(name: string): OpenChannel | undefined {
    const feed = this.grammar.open(name, this.market)
    if (!feed) return undefined
    const phase = feed.paceMs === 0 ? 0 : hash(name) % feed.paceMs
    const ms = this.market.nowMs
    const subscribers = new Set<Subscriber>(this.truth ? [{ deliver: (...made) => this.truth?.made(...made) }] : [])
    const channel = { name, feed, subscribers, due: false, nextTurnMs: ms + phase, sentMs: ms }
    this.channels.set(name, channel)
    for (const subject of feed.subjects) {
      const listeners = this.bySubject.get(subject)
      if (listeners) listeners.add(channel)
      else this.bySubject.set(subject, new Set([channel]))
    }
    return channel
  }

  private hear(event: MarketEvent): void {
    switch (event.type) {
      case 'book':
        this.publish(event.listing.name, event)
        return
      case 'trades': {
        const { category, settle } = event.listing.instrument
        this.publish(event.listing.name, event)
        this.publish(tradesSubject(category, settle), event)
        this.publish(tradesSubject(category, 'any'), event)
        return
      }
      case 'second':
        this.publish(SUBJECTS.second, event)
        return
      case 'created':
        this.publish(SUBJECTS.created, event)
        return
      case 'state':
        this.publish(SUBJECTS.state, event)
        // Channels of the instrument itself may show the state, too.
        this.publish(event.listing.name, event)
    }
  }

  private publish(subject: string, event: MarketEvent): void {
    const listeners = this.bySubject.get(subject)
    if (!listeners) return
    for (const channel of listeners) {
      if (!channel.feed.take(event)) continue
      if (channel.feed.paceMs === 0) this.send(channel, event.ms)
      else if (!channel.due) {
        channel.due = true
        this.waiting.push(channel)
      }
    }
  }

  private send(channel: OpenChannel, ms: number): Buffer | undefined {
    channel.due = false
    channel.nextTurnMs = ms + channel.feed.paceMs
    const data = channel.feed.drain(ms)
    if (data === undefined) return undefined
    channel.sentMs = ms
    const frame = this.frame(channel.name, data)
    for (const subscriber of channel.subscribers) subscriber.deliver(channel.name, frame)
    return frame
  }

  private frame(name: string, data: Json): Buffer {
    this.framesMade += 1
    return Buffer.from(this.grammar.frame(name, data, this.framesMade))
  }
}

function hash(text: string): number {
  let value = 7
  for (let index = 0; index < text.length; index++) value = (Math.imul(value, 31) + text.charCodeAt(index)) >>> 0
  return value
}
