import type { JournalEntry as StoredEntry } from '../../formats/journal/gap.js'
import { isOfBooks } from './whose-book.js'

/** An entry of the journal, whichever run it is of. */
export type JournalEntry = Omit<StoredEntry, 'run'>

/** From this moment on some source may have missed changes of books. */
export interface Outage {
  /** The last moment at which nothing was missing, µs since the epoch. */
  sinceUs: number
  /** Whose books; undefined: those of all hosts, all connections of the host, all channels. */
  host: string | undefined
  conn: string | undefined
  channels: readonly string[] | undefined
  because: string
}

/** A run that did not say that it ended: killed, cut off from power, or still going on. */
export interface OpenRun {
  host: string
  fromUs: number
  /** When the next run began, µs; Infinity where none did. */
  toUs: number
}

/** Until when an open run was heard of, µs; -Infinity for never. */
export type LastSigns = ReadonlyMap<OpenRun, number>

/** From when on books may be stale, by the journal, in the order of time. Pure. */
export function outagesOf(entries: readonly JournalEntry[], lastSigns: LastSigns): Outage[] {
  const killed = [...lastSigns].map(([{ host, toUs }, sinceUs]) => ({
    sinceUs,
    host,
    conn: undefined,
    channels: undefined,
    because: toUs === Infinity ? 'nothing was recorded later' : 'the recorder was killed',
  }))
  const bridges = bridgesOf(entries)
  const told = entries.filter(entry => !bridges.some(bridge => isWithin(bridge, entry)))
  return [...told.flatMap(outageOf), ...killed].sort((a, b) => a.sinceUs - b.sinceUs)
}

/** From when on a run that took over recorded beside the one before it, until it spoke: what that one lost then, the other had. */
interface Bridge {
  host: string
  fromUs: number
  toUs: number
}

function bridgesOf(entries: readonly JournalEntry[]): Bridge[] {
  return entries.flatMap(({ host, event, recvUs, detail }) => {
    const sinceUs = detail['since_us']
    return event === 'started' && typeof sinceUs === 'number' ? [{ host, fromUs: sinceUs, toUs: recvUs }] : []
  })
}

const isWithin = ({ host, fromUs, toUs }: Bridge, entry: JournalEntry) =>
  entry.host === host && entry.recvUs >= fromUs && entry.recvUs < toUs

/** Runs that did not say that they ended. An entry may be there twice. */
export function openRunsOf(entries: readonly JournalEntry[]): OpenRun[] {
  const byTime = [...entries].sort((a, b) => a.recvUs - b.recvUs)
  const hosts = new Set(byTime.map(({ host }) => host))
  return [...hosts].flatMap(host =>
    openRunsOfHost(
      host,
      byTime.filter(entry => entry.host === host),
    ),
  )
}

function outageOf({ host, recvUs, event, detail }: JournalEntry): Outage[] {
  const { conn, cause, reason, from_us: fromUs, channel } = detail
  const outage = {
    sinceUs: typeof fromUs === 'number' ? fromUs : recvUs,
    host,
    conn: typeof conn === 'string' ? conn : undefined,
    channels: undefined,
  }
  const why = [cause, reason].find(text => typeof text === 'string')
  const because = (what: string) => (why === undefined ? what : `${what}: ${why}`)
  switch (event) {
    case 'gap': {
      // Where several connections were to bring it, none did.
      const conns = [outage.conn, ...textsOf(detail['also'])]
      return hasBooks(detail['families']) ? conns.map(conn => ({ ...outage, conn, because: because('gap') })) : []
    }
    case 'silent':
      return typeof detail['family'] === 'string' && isOfBooks(detail['family'])
        ? [outage.conn, ...textsOf(detail['also'])].map(conn => ({ ...outage, conn, because: 'silent' }))
        : []
    case 'covered':
      // The other connection had it; this one did not.
      return hasBooks(detail['families']) ? [{ ...outage, because: because('nothing came') }] : []
    case 'lost':
      return (typeof channel === 'string' && isOfBooks(channel)) || hasBooks(detail['families'] ?? [])
        ? [{ ...outage, conn: undefined, because: because('frames were lost') }]
        : []
    case 'book_break':
      return typeof channel === 'string' ? [{ ...outage, channels: [channel], because: 'a change was missing' }] : []
    case 'unsubscribed':
      return [{ ...outage, channels: textsOf(detail['channels']), because: because('unsubscribed') }]
    case 'disconnected':
      return [{ ...outage, sinceUs: recvUs, because: because('disconnected') }]
    case 'stopped':
      return [{ ...outage, sinceUs: recvUs, conn: undefined, because: 'the recorder was stopped' }]
    default:
      return []
  }
}

/** A journal that does not say which families means all. */
function hasBooks(families: unknown): boolean {
  return !Array.isArray(families) || families.some(family => typeof family === 'string' && isOfBooks(family))
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter(text => typeof text === 'string') : []
}

/** @param entries of one host, by time */
function openRunsOfHost(host: string, entries: readonly JournalEntry[]): OpenRun[] {
  const runs: OpenRun[] = []
  let open: OpenRun | undefined
  for (const { event, recvUs } of entries) {
    if (event === 'stopped') open = undefined
    else if (event !== 'started') open ??= { host, fromUs: recvUs, toUs: Infinity }
    else if (open?.fromUs !== recvUs) {
      if (open) runs.push({ ...open, toUs: recvUs })
      open = { host, fromUs: recvUs, toUs: Infinity }
    }
  }
  return open ? [...runs, open] : runs
}
