import type { EntryOf } from './entry.js'
import type { JournalSpan } from './gap.js'
import { slotOf } from './outages.js'

interface Broken {
  gap: JournalSpan
  host: string
  /** Undefined once the run ended that had it: any connection of the next one begins the book anew. */
  conn: string | undefined
  channel: string
  /** Its connection ended since. */
  isCut: boolean
}

/**
 * Books of which a change is missing. Each is unknown until its next snapshot: the one that was asked for, or, where the
 * connection or the run ended before it came, the one with which the next subscription begins.
 */
export class BrokenBooks {
  readonly #broken = new Map<string, Broken>()

  /** @param add writes the gap down, where the book was known until now */
  found(entry: EntryOf<'book_break'>, add: () => JournalSpan): void {
    const key = keyOf(entry)
    const { host, detail } = entry
    if (this.#broken.get(key)?.isCut === false) return
    const { conn, channel = '' } = detail
    this.#broken.set(key, { gap: add(), host, conn, channel, isCut: false })
  }

  /** A fresh snapshot came. */
  mended(entry: EntryOf<'resync'>): void {
    const key = keyOf(entry)
    const broken = this.#broken.get(key)
    if (!broken) return
    this.#broken.delete(key)
    broken.gap.healed = true
    broken.gap.toUs = entry.detail.to_us ?? entry.recvUs
  }

  /** A connection ended, or the run with all of them. */
  cut(host: string, conn: string | undefined): void {
    for (const broken of this.#broken.values()) {
      if (broken.host !== host || (conn !== undefined && broken.conn !== conn)) continue
      broken.isCut = true
      if (conn === undefined) broken.conn = undefined
    }
  }

  /** Subscriptions begin, each with a snapshot: on another connection of the slot, or on the same after its end. */
  anew({ host, recvUs, detail }: EntryOf<'subscribed' | 'live'>): void {
    const { conn = '' } = detail
    const channels = 'channels' in detail && typeof detail.channels === 'object' ? detail.channels : undefined
    for (const [key, broken] of this.#broken) {
      if (broken.host !== host || (channels && !channels.includes(broken.channel))) continue
      const isOfSlot = broken.conn === undefined || slotOf(broken.conn) === slotOf(conn)
      if (!isOfSlot || (broken.conn === conn && !broken.isCut)) continue
      this.#broken.delete(key)
      broken.gap.toUs = Math.max(broken.gap.fromUs, recvUs)
    }
  }
}

function keyOf({ host, detail }: EntryOf<'book_break' | 'resync'>): string {
  return `${host} ${String(detail.conn)} ${String(detail.channel)}`
}
