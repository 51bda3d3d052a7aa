import { createWriteStream, type WriteStream } from 'node:fs'
import { once } from 'node:events'

/** What the simulated exchange did, a line of JSON each: `at_us` and what, to compare a client's own account with. */
export interface Truth {
  /** A frame of a channel was made, whoever got it. */
  made(channel: string, frame: Buffer): void
  /** A fault was ordered or struck, an instrument came or went, a client subscribed. */
  did(what: object): void
}

/** To write each line by itself took a third of the processor that the exchange did. */
const WRITTEN_AFTER_MS = 100

/** Writes the truth to a file as long as the exchange runs. */
export class TruthFile implements Truth {
  readonly #file: WriteStream

  constructor(path: string) {
    this.#file = createWriteStream(path, { flags: 'a' })
  }

  made(channel: string, frame: Buffer): void {
    this.#write({ made: channel, frame: frame.toString('utf8') })
  }

  did(what: object): void {
    this.#write(what)
  }

  async close(): Promise<void> {
    if (this.#file.closed) return
    this.#file.end()
    await once(this.#file, 'close')
  }

  #write(what: object): void {
    if (this.#file.writableCorked === 0) {
      this.#file.cork()
      setTimeout(() => this.#file.uncork(), WRITTEN_AFTER_MS).unref()
    }
    this.#file.write(`${JSON.stringify({ at_us: Date.now() * 1000, ...what })}\n`)
  }
}

/** Of an exchange that nobody watches. */
export const unwatched: Truth = { made: () => undefined, did: () => undefined }
