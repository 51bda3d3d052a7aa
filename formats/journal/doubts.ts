import type { JournalEntry } from './entry.js'
import { EVENTS } from './events.js'
import type { JournalSpan } from './gap.js'
import { spansOf } from './gaps.js'

/** From this moment on some source may have missed changes of books; each is unknown until its next snapshot. */
export interface Doubt {
  /** The last moment at which nothing was missing, µs since the epoch. */
  sinceUs: number
  /** Whose books; undefined: those of all hosts, all connections of the host, all channels. */
  host: string | undefined
  conn: string | undefined
  channels: readonly string[] | undefined
  because: string
}

/**
 * From when on books may be stale, by the journal, in the order of time: where a span began in which books may be missing,
 * and where a connection or a subscription ended that brought them. Pure.
 * @param entries in the order of time, with what the files say of runs that were killed (`lastSignOf`)
 * @param isOfBooks whether a family brings full books
 */
export function doubtsOf(entries: readonly JournalEntry[], isOfBooks: (family: string) => boolean): Doubt[] {
  const bridges = bridgesOf(entries)
  const beyondBridges = entries.filter(
    entry => EVENTS[entry.event].effect === 'run' || !bridges.some(bridge => isWithin(bridge, entry)),
  )
  const missing = spansOf(beyondBridges).filter(({ families }) => families.length === 0 || families.some(isOfBooks))
  return [...missing.flatMap(ofSpan), ...beyondBridges.flatMap(ofEnd)].sort((a, b) => a.sinceUs - b.sinceUs)
}

/** From when on a run that took over recorded beside the one before it, until it spoke: what that one lost then, the other had. */
interface Bridge {
  exchange: string
  host: string
  fromUs: number
  toUs: number
}

function bridgesOf(entries: readonly JournalEntry[]): Bridge[] {
  return entries.flatMap(({ exchange, host, recvUs, event, detail }) =>
    event === 'started' && detail.since_us !== undefined
      ? [{ exchange, host, fromUs: detail.since_us, toUs: recvUs }]
      : [],
  )
}

const isWithin = ({ exchange, host, fromUs, toUs }: Bridge, entry: JournalEntry) =>
  entry.exchange === exchange && entry.host === host && entry.recvUs >= fromUs && entry.recvUs < toUs

function ofSpan({ kind, fromUs, host, conn, also, channel, cause }: JournalSpan): Doubt[] {
  const doubt = { sinceUs: fromUs, host, conn: undefined, channels: undefined }
  const reason = cause === kind ? undefined : cause
  switch (kind) {
    case 'gap':
    case 'silent':
      // Where several connections were to bring it, none did.
      return [conn, ...also].map(conn => ({
        ...doubt,
        conn,
        channels: channel === undefined ? undefined : [channel],
        because: because(kind, reason),
      }))
    case 'covered':
      // The other connection had it; this one did not.
      return [{ ...doubt, conn, because: because('nothing came', reason) }]
    case 'not_whole':
      return [{ ...doubt, conn, because: cause }]
    case 'lost':
      return [{ ...doubt, because: because('frames were lost', reason) }]
    case 'not recording':
    case 'unreadable':
      return [{ ...doubt, because: cause }]
    case 'book_break':
      return channel === undefined ? [] : [{ ...doubt, conn, channels: [channel], because: 'a change was missing' }]
    // The end of the connection says it, and says whose.
    case 'outage':
    case 'trade_hole':
    case 'paused':
    case 'standstill':
    case 'clock_step':
      return []
  }
}

/** Where a connection or a subscription ends, whatever may bring the same then. */
function ofEnd({ host, recvUs, event, detail }: JournalEntry): Doubt[] {
  const doubt = { sinceUs: recvUs, host, channels: undefined }
  switch (event) {
    case 'disconnected':
      return [{ ...doubt, conn: detail.conn, because: because('disconnected', detail.cause ?? detail.reason) }]
    case 'unsubscribed':
      return [
        {
          ...doubt,
          conn: detail.conn,
          channels: detail.channels ?? [],
          because: because('unsubscribed', detail.reason),
        },
      ]
    default:
      return []
  }
}

const because = (what: string, why: string | undefined) => (why === undefined ? what : `${what}: ${why}`)
