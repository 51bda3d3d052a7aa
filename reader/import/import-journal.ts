import { IMPORTED } from '../../formats/journal/causes.js'
import { journalFrame } from '../../formats/journal/entry.js'

/** Channels whose first frames come within this time are one entry, at the time of the first of them, µs. */
const TOGETHER_US = 1_000_000

/** What the journal is to say of an import at a time, as a frame. */
export interface JournalLine {
  recvUs: number
  frame: Buffer
}

/** A span without a connection, by the blank line in it. */
export interface LostSpan {
  fromUs: number
  toUs: number
  cause: string
}

/**
 * What can be said of somebody else's recording, as its frames go by: a channel was subscribed from its first frame on to
 * the end of the day or of what was imported; a blank line says that the connection was lost. Of what came before its
 * first frame, and of outages that nobody wrote down, nothing is known.
 */
export class ImportJournal {
  readonly #conn: string
  readonly #channels: Set<string>
  readonly #families = new Set<string>()
  #news: string[] = []
  #newsUs = 0
  #lines: JournalLine[] = []
  #lostSinceUs: number | undefined

  /** @param channels that the journal has as subscribed already */
  constructor(conn: string, channels: readonly string[] = []) {
    this.#conn = conn
    this.#channels = new Set(channels)
  }

  get channels(): string[] {
    return [...this.#channels]
  }

  /** A frame came. @returns the span without a connection that it ends */
  came(recvUs: number, family: string, channel: string | undefined): LostSpan | undefined {
    this.#families.add(family)
    if (this.#news.length > 0 && recvUs - this.#newsUs > TOGETHER_US) this.#addNews()
    if (channel !== undefined && !this.#channels.has(channel)) {
      if (this.#news.length === 0) this.#newsUs = recvUs
      this.#channels.add(channel)
      this.#news.push(channel)
    }
    if (this.#lostSinceUs === undefined) return undefined
    const lost = { fromUs: this.#lostSinceUs, toUs: recvUs, cause: LOST }
    this.#lostSinceUs = undefined
    const span = { from_us: lost.fromUs, to_us: lost.toUs }
    this.#add(
      recvUs,
      journalFrame('gap', { conn: this.#conn, ...span, cause: LOST, families: [...this.#families].sort() }),
    )
    return lost
  }

  /** The connection was lost behind the last frame. */
  lost(lastUs: number): void {
    this.#lostSinceUs ??= lastUs
  }

  /** A new hour begins: the journal says what is subscribed to whoever reads it alone. */
  hourBegins(recvUs: number): void {
    if (this.#channels.size === 0) return
    const channels = this.channels.sort()
    this.#add(recvUs, journalFrame('subscriptions', { conn: this.#conn, channels, part: 1, parts: 1 }))
  }

  /** Nothing follows: from here on nothing is expected. */
  ends(lastUs: number): void {
    if (this.#channels.size === 0) return
    this.#addNews()
    this.#add(
      lastUs,
      journalFrame('unsubscribed', { conn: this.#conn, channels: this.channels.sort(), reason: IMPORTED }),
    )
    this.#channels.clear()
    this.#lostSinceUs = undefined
  }

  /** What is to be written, in the order of time. */
  take(): JournalLine[] {
    this.#addNews()
    const lines = this.#lines.sort((a, b) => a.recvUs - b.recvUs)
    this.#lines = []
    return lines
  }

  #addNews(): void {
    if (this.#news.length === 0) return
    this.#add(this.#newsUs, journalFrame('subscribed', { conn: this.#conn, channels: this.#news }))
    this.#news = []
  }

  #add(recvUs: number, frame: string): void {
    this.#lines.push({ recvUs, frame: Buffer.from(frame) })
  }
}

const LOST = 'the connection of whoever recorded it was lost'
