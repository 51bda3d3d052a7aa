import type { Exchange } from '../../exchanges/exchange.js'
import { ANSWERED_OVER_HTTP } from '../../formats/asked-connections.js'
import type { Frame } from '../frame.js'
import { readFrameBatches, type ReadOptions } from '../read-frames.js'

/** Families of answers to questions over HTTP. */
const answerFamilies = ({ families }: Pick<Exchange, 'families'>) =>
  families.filter(({ comes }) => comes === 'polled').map(({ name }) => name)

const ID = /"id"\s*:\s*("(?:[^"\\]|\\.)*")/

/** The id of an answer, where it is a text. It stands before the result or behind it; a result may have members called so. */
function idOf(answer: string): string | undefined {
  const id = ID.exec(answer.slice(0, 300))?.[1] ?? ID.exec(answer.slice(-300))?.[1]
  return id === undefined ? undefined : (JSON.parse(id) as string)
}

/** An answer as it was recorded. */
export interface RecordedAnswer {
  text: string
  recvUs: number
}

/** The recorded answers over HTTP of now, by the id that says what was asked: one of each is kept. */
export class RecordedAnswers {
  readonly #byId = new Map<string, RecordedAnswer>()
  readonly #families: readonly string[]
  readonly #idOf: (answer: string) => string | undefined

  /** @param questionOf what an answer says of its question, where the exchange sends no id back */
  constructor(exchange: Pick<Exchange, 'families'>, questionOf: (answer: string) => string | undefined = idOf) {
    this.#families = answerFamilies(exchange)
    this.#idOf = questionOf
  }

  isAnswer({ conn, family }: Frame): boolean {
    return conn === ANSWERED_OVER_HTTP && this.#families.includes(family)
  }

  /** Takes an answer; it counts from now on. */
  take({ text, recvUs }: Frame): void {
    const id = this.#idOf(text)
    if (id !== undefined) this.#byId.set(id, { text, recvUs })
  }

  get(id: string): RecordedAnswer | undefined {
    return this.#byId.get(id)
  }

  /** All whose id starts with a word, e.g. `instruments`. */
  of(word: string): RecordedAnswer[] {
    return [...this.#byId].filter(([id]) => id.startsWith(`${word} `)).map(([, answer]) => answer)
  }

  /** Takes what was known at a moment: for each question the last answer up to then, else the first one after. */
  async readAround(options: Pick<ReadOptions, 'path' | 'onProblem'>, atUs: number): Promise<void> {
    const span = { from: atUs - BEFORE_US, to: atUs + AFTER_US }
    for await (const batch of readFrameBatches({ ...options, ...span, channels: this.#families })) {
      for (const frame of batch) {
        const isFirst = frame.recvUs <= atUs || !this.#byId.has(this.#idOf(frame.text) ?? '')
        if (frame.conn === ANSWERED_OVER_HTTP && isFirst) this.take(frame)
      }
    }
  }
}

/** Every poll comes round within a day, and the first ones soon after a start. */
const BEFORE_US = 26 * 3_600_000_000
const AFTER_US = 3_600_000_000
