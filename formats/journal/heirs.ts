import { parseRecorderName } from '../recorder-name.js'
import { byExchange, type JournalEntry } from './entry.js'

/**
 * The entries of one dataDir as those of one recorder where one came after the other: by the same host name, with an
 * identity or from before there were any, and by another name, where the heir said so (`inherited`). Otherwise what one
 * of them recorded last would never be followed by anything. Pure.
 */
export function inOneLine(entries: readonly JournalEntry[]): JournalEntry[] {
  return byExchange(entries)
    .flatMap(inLineOfOne)
    .sort((a, b) => a.recvUs - b.recvUs)
}

function inLineOfOne(entries: readonly JournalEntry[]): JournalEntry[] {
  /** By host: all that one after the other were this recorder. Shared among them. */
  const lines = new Map<string, Set<string>>()
  const lineOf = (host: string) => lines.get(host) ?? new Set([host])
  for (const { exchange, host, event, detail } of entries) {
    if (event !== 'inherited' || detail.host === undefined) continue
    // Segments of another exchange's recorder: what that one recorded is not followed by anything.
    if (detail.exchange !== undefined && detail.exchange !== exchange) continue
    const line = new Set([...lineOf(detail.host), ...lineOf(hostOf(host))])
    for (const member of line) lines.set(member, line)
  }
  return entries.map(entry => ({ ...entry, host: [...lineOf(hostOf(entry.host))].at(-1) ?? entry.host }))
}

const hostOf = (name: string) => parseRecorderName(name).host
