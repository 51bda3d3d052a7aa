import type { FactsOf } from '../formats/journal/events.js'
import type { Logger } from '../platform/log.js'
import type { SessionLink } from './adapter.js'
import { BookChain, type BookIds } from './book-chain.js'

/** Breaks that come together are healed together, in few calls. */
const GROUP_MS = 200
/** A channel whose chain breaks again is subscribed anew after twice the time, up to this. */
const RETRY_MS_MAX = 60_000
const RETRY_MS = 1000
/** A chain that held for so long starts again with the shortest wait. */
const HELD_US = 60_000_000
/** A change came, but no snapshot before it: after this the snapshot is taken for lost. */
const SNAPSHOT_WITHIN_MS = 3000
/** A channel was subscribed anew and nothing at all came: it is asked for once more. */
const SILENT_AFTER_US = 15_000_000
const LOOK_EVERY_MS = 1000

interface Book {
  instrument: string
  chain: BookChain
  /** Breaks since the chain last held for a while. */
  breaks: number
  /** Receive stamp of the last frame before the break; undefined while nothing is missing. */
  missingFromUs: number | undefined
  /** When a broken chain is subscribed anew, in receive time. */
  dueUs: number
  /** Receive stamp of a change that came before any snapshot. */
  earlyUs: number | undefined
  /** When the channel was subscribed anew and its snapshot began to be awaited. */
  askedUs: number | undefined
}

export interface BookWatchDeps {
  link: Pick<SessionLink, 'conn' | 'journal' | 'nowUs'>
  log: Logger
  /** The family that the channels are of. */
  family: string
  /** Whose book a channel brings; without it the second part of its name says so. */
  instrumentOf?: (channel: string) => string
  /** After this a snapshot that changes were received before is taken for lost, ms; default 3 s. */
  snapshotWithinMs?: number
  /** Ends these subscriptions and calls `ended`, then starts them again; leaves out what is wanted no more. */
  resubscribe: (channels: string[], ended: (channels: readonly string[]) => void) => Promise<void>
}

/**
 * Follows the chain of every full book on one connection. A break is journalled, and that channel alone is subscribed
 * anew; its frames are recorded as before, and the journal says when a fresh snapshot has come.
 */
export class BookWatch {
  readonly #deps: BookWatchDeps
  readonly #books = new Map<string, Book>()
  readonly #broken = new Set<string>()
  readonly #awaited = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #healing = false
  #closed = false

  constructor(deps: BookWatchDeps) {
    this.#deps = deps
  }

  see(channel: string, ids: BookIds, recvUs: number): void {
    const book = this.#books.get(channel) ?? this.#add(channel)
    const { chain } = book
    const lastId = chain.lastChangeId
    const lastUs = chain.lastUs
    switch (chain.see(ids, recvUs)) {
      case 'next':
        if (book.breaks > 0 && book.missingFromUs === undefined && recvUs - book.dueUs > HELD_US) book.breaks = 0
        return
      case 'snapshot':
        this.#noteSnapshot(channel, book, ids, recvUs)
        return
      case 'early':
        book.earlyUs ??= recvUs
        this.#awaited.add(channel)
        this.#schedule(LOOK_EVERY_MS)
        return
      case 'break':
        this.#noteBreak(channel, book, {
          last_change_id: lastId ?? null,
          prev_change_id: ids.prevChangeId ?? null,
          change_id: ids.changeId,
          from_us: lastUs,
          to_us: recvUs,
        })
        return
      case 'old':
      case 'broken':
    }
  }

  /** The connection ended: books that never had their snapshot are reported. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    for (const channel of this.#awaited) {
      const book = this.#books.get(channel)
      if (book?.earlyUs !== undefined) this.#noteNoSnapshot(channel, book, this.#deps.link.nowUs())
    }
  }

  #add(channel: string): Book {
    const book: Book = {
      instrument: this.#deps.instrumentOf?.(channel) ?? channel.split('.')[1] ?? '',
      chain: new BookChain(),
      breaks: 0,
      missingFromUs: undefined,
      dueUs: 0,
      earlyUs: undefined,
      askedUs: undefined,
    }
    this.#books.set(channel, book)
    return book
  }

  #noteSnapshot(channel: string, book: Book, ids: BookIds, recvUs: number): void {
    this.#awaited.delete(channel)
    book.earlyUs = undefined
    book.askedUs = undefined
    if (book.missingFromUs === undefined) return
    const { instrument, missingFromUs } = book
    this.#deps.link.journal('resync', {
      channel,
      instrument,
      change_id: ids.changeId,
      from_us: missingFromUs,
      to_us: recvUs,
    })
    book.missingFromUs = undefined
  }

  #noteBreak(
    channel: string,
    book: Book,
    facts: Omit<FactsOf<'book_break'>, 'conn' | 'channel' | 'family' | 'instrument'>,
  ): void {
    const { link, log, family } = this.#deps
    link.journal('book_break', { channel, family, instrument: book.instrument, ...facts })
    log.warn({ conn: link.conn, channel }, 'book frames are missing; resubscribing the channel')
    book.missingFromUs ??= facts.from_us
    const waitMs = waitAfter(book.breaks)
    book.breaks++
    book.dueUs = facts.to_us + waitMs * 1000
    book.earlyUs = undefined
    book.askedUs = undefined
    this.#awaited.delete(channel)
    this.#broken.add(channel)
    this.#schedule(waitMs)
  }

  #schedule(waitMs: number): void {
    if (this.#closed) return
    // The shortest wait wins: what is not due then is looked at again.
    if (this.#timer !== undefined && waitMs > GROUP_MS) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#look(), Math.min(waitMs, LOOK_EVERY_MS))
  }

  #look(): void {
    this.#timer = undefined
    const nowUs = this.#deps.link.nowUs()
    for (const channel of this.#awaited) this.#lookForSnapshot(channel, nowUs)
    const due = [...this.#broken].filter(channel => (this.#books.get(channel)?.dueUs ?? 0) <= nowUs)
    if (due.length > 0 && !this.#healing) void this.#heal(due)
    if (this.#broken.size > 0 || this.#awaited.size > 0) this.#schedule(LOOK_EVERY_MS)
  }

  #lookForSnapshot(channel: string, nowUs: number): void {
    const book = this.#books.get(channel)
    const { earlyUs, askedUs } = book ?? {}
    const withinUs = 1000 * (this.#deps.snapshotWithinMs ?? SNAPSHOT_WITHIN_MS)
    const isLost =
      (earlyUs !== undefined && nowUs - earlyUs > withinUs) ||
      (askedUs !== undefined && nowUs - askedUs > Math.max(withinUs, SILENT_AFTER_US))
    if (!book || !isLost) return
    book.chain.breakOff()
    this.#noteNoSnapshot(channel, book, nowUs)
  }

  #noteNoSnapshot(channel: string, book: Book, nowUs: number): void {
    const ids = { last_change_id: null, prev_change_id: null, change_id: null }
    const fromUs = book.earlyUs ?? book.chain.lastUs
    this.#noteBreak(channel, book, { ...ids, from_us: fromUs, to_us: nowUs, message: 'no snapshot came' })
  }

  async #heal(channels: string[]): Promise<void> {
    this.#healing = true
    for (const channel of channels) this.#broken.delete(channel)
    const restarted = new Set<string>()
    try {
      await this.#deps.resubscribe(channels, ended => {
        for (const channel of ended) restarted.add(channel)
        this.#restart(ended)
      })
      // What is wanted no more is not taken again; if ever it is, its chain starts anew.
      for (const channel of channels) if (!restarted.has(channel)) this.#books.delete(channel)
    } catch (error) {
      const { link, log } = this.#deps
      log.warn({ conn: link.conn, channels: channels.length, err: error }, 'books not resubscribed, trying again')
      for (const channel of channels) if (!restarted.has(channel)) this.#retry(channel)
    } finally {
      this.#healing = false
      if (this.#broken.size > 0) this.#schedule(GROUP_MS)
    }
  }

  #restart(channels: readonly string[]): void {
    for (const channel of channels) {
      const book = this.#books.get(channel)
      if (!book) continue
      book.chain.restart()
      book.askedUs = this.#deps.link.nowUs()
      this.#awaited.add(channel)
    }
    this.#schedule(LOOK_EVERY_MS)
  }

  #retry(channel: string): void {
    const book = this.#books.get(channel)
    if (!book || this.#closed) return
    book.dueUs = this.#deps.link.nowUs() + waitAfter(book.breaks) * 1000
    this.#broken.add(channel)
  }
}

function waitAfter(breaks: number): number {
  return breaks === 0 ? GROUP_MS : Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** (breaks - 1))
}
