import { bytesOf, currentPath, type SegmentFile } from '../../formats/segment-files.js'
import { withState } from '../../formats/raw-path.js'
import type { JournalEntry } from '../../formats/journal/gap.js'
import { GAP_EVENTS } from '../../formats/journal/gaps.js'
import { journalSegments, storedEntries } from '../../formats/journal/stored-entries.js'

/** Entries kept of one segment: beyond it the oldest go, so that a recorder in trouble fills no memory. */
const ENTRIES_MAX = 5000

interface ReadSegment {
  bytes: number
  entries: JournalEntry[]
}

/**
 * What the journal said about gaps since a moment, from its segments. Asked again it decodes only segments that grew:
 * an hour of the journal at most.
 */
export class JournalFollower {
  readonly #dataDir: string
  #read = new Map<string, ReadSegment>()

  constructor(dataDir: string) {
    this.#dataDir = dataDir
  }

  /** Entries of this receive time or later, in its order. */
  since(fromUs: number): JournalEntry[] {
    const read = new Map<string, ReadSegment>()
    for (const file of journalSegments(this.#dataDir, { fromUs, toUs: Infinity })) {
      const path = currentPath(file)
      if (path === undefined) continue
      const key = withState(file.path, 'sealed')
      const before = this.#read.get(key)
      const bytes = bytesOf(path)
      read.set(key, before?.bytes === bytes ? before : { bytes, entries: entriesOf(path, file) })
    }
    this.#read = read
    const entries = [...read.values()].flatMap(({ entries }) => entries)
    return entries.filter(({ recvUs }) => recvUs >= fromUs).sort((a, b) => a.recvUs - b.recvUs)
  }
}

function entriesOf(path: string, { name }: SegmentFile): JournalEntry[] {
  const entries: JournalEntry[] = []
  for (const entry of storedEntries(path, name))
    if (GAP_EVENTS.has(entry.event)) entries.push({ ...entry, detail: slimmed(entry.detail) })
  return entries.slice(-ENTRIES_MAX)
}

/** Without the lists of thousands of channels that some events have. */
function slimmed(detail: JournalEntry['detail']): JournalEntry['detail'] {
  return Object.fromEntries(Object.entries(detail).filter(([key]) => key !== 'channels'))
}
