import type { Channels } from './broker.js'
import type { ExchangeClock } from './clock.js'
import type { Service } from './protocol.js'

/** A recording that is being played, as the protocol sees it that serves it. */
export interface PlayedRecording {
  channels: Channels
  /** Where playing is. */
  clock: ExchangeClock
  /** The recorded answer to the question of this id, of now. */
  answer(id: string): string | undefined
  /** All recorded answers to questions whose id starts with a word. */
  answersOf(word: string): string[]
  /** Whether what a channel brings was recorded, by its own name or by another. */
  has(channel: string): boolean
  /** The frame that a channel brought last, of now; before it brought any, the first one soon after. */
  last(channel: string): Promise<string | undefined>
  /** The book of a channel, of now; before its first snapshot, that one. */
  book(channel: string): Promise<KnownBook | undefined>
  /** Frames of a family and answers that filled its holes, up to now. */
  past(family: string, fromMs: number, toMs: number): AsyncIterable<Buffer>
}

/** A book as far as its frames showed it. */
export interface KnownBook {
  changeId: number
  exchangeMs: number
  /** Price and amount, best first. */
  bids: readonly [number, number][]
  asks: readonly [number, number][]
}

/** How recordings of an exchange are served again. */
export interface ReplayProtocol {
  serve(recording: PlayedRecording): Service
  /** What an answer says of its question, in words of which the first is what was asked for; without it its `id`, a text. */
  readonly questionOf?: (answer: string) => string | undefined
  /** Which of the recorded channels bring what is asked for by another name, e.g. in another interval; default: none. */
  readonly sourcesAmong?: (recorded: ReadonlySet<string>) => (asked: string) => readonly string[]
  /** The frame of such a channel as the one that was asked for brings it; undefined where nothing of it is of that. */
  readonly reframed?: (asked: string, frame: Buffer) => Buffer | undefined
  /** Whether a channel first shows what it brought last; default: none does. */
  readonly beginsWithLast?: (channel: string) => boolean
  /** Whether a channel brings a book as one snapshot and then changes. */
  isBook(channel: string): boolean
  /** The frame of such a channel that shows a whole book. */
  snapshot(channel: string, book: KnownBook): string
  readonly trades: ReplayedTrades
}

/** How an exchange sends trades: those that were fetched for holes are played in their place. */
export interface ReplayedTrades {
  /** Families whose frames are trades. */
  readonly families: readonly string[]
  /** The trades of a frame of such a family, or of an answer that was recorded there; none of what cannot be read. */
  tradesOf(frame: Buffer, family: string): PlayedTrade[]
  /** Whether a channel brings the trades of an instrument: its own, or that of its kind. */
  carries(channel: string, instrument: string): boolean
  /** A frame of trades, each spelled already. */
  frame(channel: string, rows: readonly string[]): string
}

export interface PlayedTrade {
  readonly instrument: string
  /** Its number, where those of an instrument are numbered without holes; else an id that says nothing of their order. */
  readonly id: number | string
  /** The first of its numbers, where it stands for several, of which `id` is the last. */
  readonly first?: number
  /** When the exchange executed it, µs since the epoch. */
  readonly executedUs: number
  /** As a channel brings it. */
  readonly row: string
}
