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
  /** Whether a channel was recorded. */
  has(channel: string): boolean
}

/** A book as far as its frames told. */
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
  /** Whether a channel brings a book as one snapshot and then changes. */
  isBook(channel: string): boolean
  /** The frame of such a channel that shows a whole book. */
  snapshot(channel: string, book: KnownBook): string
  /** Whether a channel brings the trades of an instrument: its own, or that of its kind. */
  carriesTradesOf(channel: string, instrument: string): boolean
  /** A frame of trades; each row is spelled already. */
  trades(channel: string, rows: readonly string[]): string
}
