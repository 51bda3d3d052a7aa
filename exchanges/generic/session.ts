import { setTimeout as delay } from 'node:timers/promises'
import type { GenericConfig } from './config.js'
import { INFLATED_BYTES_MAX, inflatedText } from '../../platform/inflate.js'
import type { ExchangeSession, Filed, SessionLink } from '../adapter.js'
import { messageText, type Answers } from './answers.js'
import { NO_CHANNEL_FAMILY, type FeedFamilies } from './feed-families.js'

/** One connection of a described feed: says what the config says, pings, and answers pings. */
export class GenericSession implements ExchangeSession {
  readonly #link: SessionLink
  readonly #config: GenericConfig
  readonly #families: FeedFamilies
  readonly #answers: Answers
  readonly #ended = new AbortController()
  #pings: NodeJS.Timeout | undefined
  /** What a feed sends shows only when it sends it: its families stand for its channels. */
  channels: ReadonlySet<string> = new Set()

  constructor(link: SessionLink, config: GenericConfig, families: FeedFamilies, answers: Answers) {
    this.#link = link
    this.#config = config
    this.#families = families
    this.#answers = answers
  }

  async start(): Promise<void> {
    const { send, sendGapMs, pingSeconds } = this.#config
    if (pingSeconds > 0) this.#pings = setInterval(() => this.#ping(), pingSeconds * 1000)
    for (const [index, message] of send.entries()) {
      if (index > 0 && sendGapMs > 0) await delay(sendGapMs, undefined, { signal: this.#ended.signal })
      this.#link.send(messageText(message))
    }
    this.channels = new Set(this.#families.names)
    // Nobody confirms it: from here on whatever comes is taken, and only what is subscribed can be missing.
    this.#link.subscribed(this.#families.names)
  }

  /** What is sent stays the same as long as a connection lives. */
  update(): Promise<void> {
    return Promise.resolve()
  }

  /** Frames may ask for an answer whatever their channel; without such rules none is looked at twice. */
  data(frame: Buffer, _recvUs: number, isBinary: boolean): string | undefined {
    if (this.#config.answers.length > 0 || (isBinary && this.#config.decode !== 'none')) return undefined
    return this.#families.familyOf(frame)
  }

  control(frame: Buffer, isBinary: boolean): Filed {
    const text = isBinary ? this.#textOf(frame) : frame
    const answer = this.#answers.to(text)
    if (answer !== undefined) this.#link.send(answer)
    return { family: this.#families.familyOf(text) ?? NO_CHANNEL_FAMILY }
  }

  /** What a binary message holds, as the config has it; itself where it holds no such thing. */
  #textOf(message: Buffer): Buffer {
    const { decode } = this.#config
    if (decode === 'none') return message
    const text = inflatedText(message, decode)
    if (text) return text
    const most = `${INFLATED_BYTES_MAX / 1024 / 1024} MiB`
    this.#link.complain({
      event: 'odd_frame',
      message: `a binary message that is no ${decode} of text, or of more than ${most}; kept as it came`,
      facts: { bytes: message.length },
      hint: 'exchange.decode says how binary messages are compressed',
    })
    return message
  }

  closed(): void {
    clearInterval(this.#pings)
    this.#ended.abort()
  }

  #ping(): void {
    const { pingText } = this.#config
    if (pingText === undefined) this.#link.ping()
    else this.#link.send(messageText(pingText))
  }
}
