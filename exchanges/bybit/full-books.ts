import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '../../platform/edge-error.js'
import type { Logger } from '../../platform/log.js'
import type { Recording, SessionLink } from '../adapter.js'
import type { BookIds } from '../book-chain.js'
import { BookWatch, type BookWatchDeps } from '../book-watch.js'
import { ANSWER_WITHIN_MS, bookIn } from './full-book-frames.js'
import { RefusedError, type BybitHttp } from './http.js'
import { familyOfChannel, isSpot, symbolOf } from './names.js'

const PATH = '/v5/market/full_orderbook'
/** So often one is asked for before whoever waits for it begins anew. */
const TRIES_MAX = 20
/** An answer that is further ahead of its changes is of before their numbers began anew: five come in a second. */
const AHEAD_MAX = 100
const AFTER_FAILURE_MS = 1000

/** A book that a connection's changes need. */
interface Question {
  conn: string
  channel: string
  /** Whether the changes that came go on from a book of this number. */
  fits: (update: number) => boolean
  took: (update: number, recvUs: number) => void
  tries?: number
}

/** Asks for the books that changes begin with, of all connections, one after the other. */
export class FullBookAnswers {
  readonly #http: Pick<BybitHttp, 'get'>
  readonly #log: Logger
  readonly #asked = new Map<string, Question>()
  #wake = () => {}

  constructor(http: Pick<BybitHttp, 'get'>, log: Logger) {
    this.#http = http
    this.#log = log
  }

  ask(question: Question): void {
    this.#asked.set(keyOf(question), question)
    this.#wake()
  }

  /** The connection ended, or the channel. */
  drop(conn: string, channel: string): void {
    this.#asked.delete(keyOf({ conn, channel }))
  }

  async run(recording: Recording, signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#wake(), { once: true })
    while (!signal.aborted) {
      const [question] = this.#asked.values()
      if (question) await this.#bring(question, recording, signal)
      else await new Promise<void>(resolve => (this.#wake = resolve))
    }
  }

  async #bring(question: Question, recording: Recording, signal: AbortSignal): Promise<void> {
    const { conn, channel, fits, took } = question
    const isWanted = () => this.#asked.get(keyOf(question)) === question
    try {
      const params = { category: isSpot(channel) ? 'spot' : 'linear', symbol: symbolOf(channel) ?? '' }
      const { bytes } = await this.#http.get(PATH, params, signal)
      const update = bookIn(bytes)?.['u']
      if (!isWanted()) return
      this.#asked.delete(keyOf(question))
      if (typeof update !== 'number' || !fits(update)) {
        // Too old, or none: the others first, then once more.
        this.#askAgain(question)
        return
      }
      // Its changes come on that connection: what ends the one leaves the other in doubt.
      recording.take(`${conn}.http`, familyOfChannel(channel), bytes)
      took(update, recording.nowUs())
    } catch (error) {
      if (signal.aborted) return
      this.#log.debug({ channel, err: messageOf(error) }, 'the book was not answered')
      if (!isWanted()) return
      this.#asked.delete(keyOf(question))
      if (error instanceof RefusedError && !error.isPassing) return
      this.#askAgain(question)
      await delay(AFTER_FAILURE_MS, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }

  #askAgain(question: Question): void {
    const tries = (question.tries ?? 0) + 1
    if (tries < TRIES_MAX) this.ask({ ...question, tries })
  }
}

const keyOf = ({ conn, channel }: Pick<Question, 'conn' | 'channel'>) => `${conn} ${channel}`

export interface FullBooksDeps extends Pick<BookWatchDeps, 'log' | 'resubscribe' | 'family'> {
  link: SessionLink
  answers: FullBookAnswers
}

/**
 * Books of all levels on one connection: the changes come on it, and the book that they begin with is asked for when they
 * were subscribed. Which of them comes first is chance: the chain goes on from the last change that came.
 */
export class FullBooks {
  readonly #deps: FullBooksDeps
  readonly #watch: BookWatch
  /** By channel: numbers of the changes that came one after the other. */
  readonly #runs = new Map<string, { first: number; last: number }>()

  constructor(deps: FullBooksDeps) {
    this.#deps = deps
    const instrumentOf = (channel: string) => symbolOf(channel) ?? channel
    this.#watch = new BookWatch({ ...deps, instrumentOf, snapshotWithinMs: ANSWER_WITHIN_MS })
  }

  /** A change came. */
  see(channel: string, ids: BookIds, recvUs: number): void {
    const run = this.#runs.get(channel)
    if (run && ids.changeId === run.last + 1) run.last = ids.changeId
    else this.#runs.set(channel, { first: ids.changeId, last: ids.changeId })
    this.#watch.see(channel, ids, recvUs)
  }

  /** These channels flow from now on. */
  began(channels: readonly string[]): void {
    const { answers, link } = this.#deps
    for (const channel of channels) {
      this.#runs.delete(channel)
      answers.ask({
        conn: link.conn,
        channel,
        fits: update => this.#fits(channel, update),
        took: (update, recvUs) => {
          const changeId = Math.max(update, this.#runs.get(channel)?.last ?? 0)
          this.#watch.see(channel, { isSnapshot: true, changeId, prevChangeId: undefined }, recvUs)
        },
      })
    }
  }

  /** These do not any more. */
  ended(channels: readonly string[]): void {
    for (const channel of channels) this.#deps.answers.drop(this.#deps.link.conn, channel)
  }

  close(channels: readonly string[]): void {
    this.ended(channels)
    this.#watch.close()
  }

  #fits(channel: string, update: number): boolean {
    const run = this.#runs.get(channel)
    return !run || (update >= run.first - 1 && update <= run.last + AHEAD_MAX)
  }
}
