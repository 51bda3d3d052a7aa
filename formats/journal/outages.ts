import { RENEWED } from './causes.js'
import type { EntryOf } from './entry.js'
import type { JournalSpan } from './gap.js'

/** A connection that failed again within this had not really come back, µs. */
const NOT_BACK_US = 60_000_000

interface Slot {
  /** The last outage, until the journal has the gap that it became. */
  outage: JournalSpan | undefined
  /** It ended: all channels flow again. */
  isOver: boolean
  /** Which of the two names of a slot carries its channels, as far as is known. */
  carrier: string | undefined
}

/**
 * The outages of each connection: one begins when what carried the channels ends, and lasts, however many tries fail
 * meanwhile, until they flow again, or its run ends. The entry of the gap that it became takes its place.
 */
export class Outages {
  /** By host and slot. */
  readonly #slots = new Map<string, Slot>()

  /**
   * A connection ended.
   * @param add writes down the outage, where one begins here
   */
  ended(entry: EntryOf<'disconnected'>, add: () => JournalSpan): void {
    const { conn, slot } = this.#of(entry)
    const { detail, recvUs } = entry
    if (isRenewed(detail)) {
      slot.carrier = otherName(conn)
      return
    }
    // A try that came to nothing: whatever was out before is still out, and nothing else is.
    const carriedNothing = detail.before_live === true
    const { outage } = slot
    if (outage && !slot.isOver) {
      const backUs = outage.toUs
      if (backUs === undefined || carriedNothing || recvUs - backUs <= NOT_BACK_US) {
        outage.toUs = undefined
        return
      }
    }
    // One that was to take another one's place, which goes on.
    const isRenewal = slot.carrier !== undefined && slot.carrier !== conn
    if (carriedNothing || isRenewal) return
    slot.outage = add()
    slot.isOver = false
  }

  /** Channels are subscribed again: it is over, if nothing follows. */
  subscribed(entry: EntryOf<'subscribed' | 'live'>): void {
    const { conn, slot } = this.#of(entry)
    const { outage } = slot
    if (!outage || slot.isOver) slot.carrier ??= conn
    else {
      slot.carrier = conn
      outage.toUs = Math.max(outage.fromUs, entry.recvUs)
    }
  }

  /** All that was asked for is subscribed again. */
  live(entry: EntryOf<'live'>): void {
    const { slot } = this.#of(entry)
    if (slot.outage && !slot.isOver) this.subscribed(entry)
    slot.isOver = true
  }

  /** The journal says what an outage became. @returns the outage, which that entry replaces */
  resolve(host: string, conn: string, fromUs: number, toUs: number): JournalSpan | undefined {
    const { slot } = this.#of({ host, detail: { conn } })
    const { outage } = slot
    // An entry about something else that was missing on this connection, before or since.
    if (!outage || outage.fromUs < fromUs || outage.fromUs > toUs) return undefined
    slot.outage = undefined
    return outage
  }

  /**
   * The run ended: nothing is out any more, as nothing is recorded. Killed, no entry will say so.
   * @returns outages that lasted until then
   */
  runEnded(host: string, atUs: number): JournalSpan[] {
    const lasted: JournalSpan[] = []
    for (const [key, { outage }] of this.#slots) {
      if (!key.startsWith(`${host} `)) continue
      this.#slots.delete(key)
      if (!outage || outage.toUs !== undefined) continue
      outage.toUs = Math.max(outage.fromUs, atUs)
      lasted.push(outage)
    }
    return lasted
  }

  #of({ host, detail }: { host: string; detail: { conn?: string } }): { conn: string; slot: Slot } {
    const { conn = '' } = detail
    const key = `${host} ${slotOf(conn)}`
    const slot = this.#slots.get(key) ?? { outage: undefined, isOver: false, carrier: undefined }
    this.#slots.set(key, slot)
    return { conn, slot }
  }
}

/** The connection that goes on under two names in turns, `d1` and `d1b`. */
export const slotOf = (conn: string) => conn.replace(/b$/, '')

const otherName = (conn: string) => (conn === slotOf(conn) ? `${conn}b` : slotOf(conn))

/** The connection ended because another one had taken its place. */
const isRenewed = ({ cause }: EntryOf<'disconnected'>['detail']) => cause?.startsWith(RENEWED) === true
