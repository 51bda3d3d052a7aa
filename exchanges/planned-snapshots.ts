import type { Logger } from '../platform/log.js'
import type { SessionLink } from './adapter.js'
import { booksDue, refreshClockMs } from './book-refresh.js'

/** How often is looked for what is due. */
const LOOK_EVERY_MS = 60_000

export interface PlannedSnapshotsDeps {
  link: Pick<SessionLink, 'conn'>
  log: Logger
  /** Each book has its turn once in this time; 0: never. */
  hours: number
  /** Channels of books that this connection has. */
  books: () => readonly string[]
  /** What else is due between two times, ms since the epoch. */
  others?: (fromMs: number, toMs: number) => readonly string[]
  resubscribe: (channels: readonly string[], reason: string) => Promise<void>
}

/** Books of one connection whose turn has come start anew, so that a day of files never needs an older one. */
export class PlannedSnapshots {
  readonly #deps: PlannedSnapshotsDeps
  #lookedMs = refreshClockMs()
  #timer: NodeJS.Timeout | undefined

  constructor(deps: PlannedSnapshotsDeps) {
    this.#deps = deps
  }

  start(): void {
    if (this.#deps.hours > 0) this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const { link, log, hours, books, others, resubscribe } = this.#deps
    const fromMs = this.#lookedMs
    const toMs = (this.#lookedMs = refreshClockMs())
    const due = [...booksDue(books(), link.conn, hours * 3_600_000, fromMs, toMs), ...(others?.(fromMs, toMs) ?? [])]
    if (due.length === 0) return
    resubscribe(due, 'planned snapshot').catch((error: unknown) =>
      log.debug({ conn: link.conn, err: error }, 'books not refreshed'),
    )
  }
}
