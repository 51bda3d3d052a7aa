import { STOPPING } from './causes.js'
import { byExchange, type JournalEntry } from './entry.js'

/** A run that did not say that it ended: killed, cut off from power, or still going on. */
export interface OpenRun {
  exchange: string
  host: string
  run: string
  fromUs: number
  /** When the next run began, µs; Infinity where none did. */
  toUs: number
}

/** Runs that did not say that they ended, by host. @param entries in the order of time; an entry may be there twice */
export const openRunsOf = (entries: readonly JournalEntry[]): OpenRun[] => byExchange(entries).flatMap(openRunsOfOne)

function openRunsOfOne(entries: readonly JournalEntry[]): OpenRun[] {
  const runs: OpenRun[] = []
  const open = new Map<string, OpenRun>()
  for (const { exchange, host, run, event, recvUs } of entries) {
    const of = { exchange, host, run }
    const current = open.get(host)
    if (event === 'stopped') open.delete(host)
    else if (event !== 'started') {
      if (!current) open.set(host, { ...of, fromUs: recvUs, toUs: Infinity })
    } else if (current?.fromUs !== recvUs) {
      if (current) runs.push({ ...current, toUs: recvUs })
      open.set(host, { ...of, fromUs: recvUs, toUs: Infinity })
    }
  }
  return [...runs, ...open.values()]
}

/** What the journal would say of an open run that was last heard of at `atUs`, if it could. */
export function lastSignOf({ exchange, host, run, toUs }: OpenRun, atUs: number): JournalEntry {
  return { exchange, host, run, recvUs: atUs, event: toUs === Infinity ? 'ceased' : 'heard', detail: {} }
}

/** Hosts with the last entry of each, in the order in which they first came. */
export const lastEntries = (entries: readonly JournalEntry[]) => byExchange(entries).flatMap(lastEntriesOfOne)

function lastEntriesOfOne(entries: readonly JournalEntry[]): { last: JournalEntry; isStopped: boolean }[] {
  const hosts = new Map<string, { last: JournalEntry; isStopped: boolean }>()
  for (const entry of entries) {
    const before = hosts.get(entry.host)
    const isStopped = entry.event === 'stopped' || (entry.event !== 'started' && before?.isStopped === true)
    hosts.set(entry.host, { last: entry, isStopped })
  }
  return [...hosts.values()]
}

/** When the last run began to stop, where its last word is that it was stopped. */
export function orderlyEndUs(entries: readonly JournalEntry[]): number | undefined {
  const began = entries.findLastIndex(({ event }) => event === 'started')
  const last = entries.slice(Math.max(0, began))
  if (!last.some(({ event }) => event === 'stopped')) return undefined
  return last.find(
    ({ event, detail }) => event === 'stopped' || (event === 'disconnected' && detail.cause === STOPPING),
  )?.recvUs
}
