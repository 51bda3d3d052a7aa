import { bytesOf, currentPath, type SegmentFile } from '../../formats/segment-files.js'
import { withState } from '../../formats/raw-path.js'
import type { JournalEntry } from '../../formats/journal/entry.js'
import { EVENTS } from '../../formats/journal/events.js'
import { journalSegments, segmentEntries } from '../../formats/journal/read.js'

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
      read.set(key, before?.bytes === bytes ? before : { bytes, entries: entriesOf(file) })
    }
    this.#read = read
    const entries = [...read.values()].flatMap(({ entries }) => entries)
    return entries.filter(({ recvUs }) => recvUs >= fromUs).sort((a, b) => a.recvUs - b.recvUs)
  }
}

/** Of what says nothing of gaps the last entry alone, by which a run that is killed then had lived until there. */
function entriesOf(file: SegmentFile): JournalEntry[] {
  const entries: JournalEntry[] = []
  let last: JournalEntry | undefined
  for (const entry of segmentEntries(file)) {
    if (EVENTS[entry.event].effect !== 'nothing') entries.push(slimmed(entry))
    last = { ...entry, event: 'heard', detail: {} }
  }
  return [...entries.slice(-ENTRIES_MAX), ...(last ? [last] : [])]
}

/** Without the lists of thousands of channels that some events have. */
function slimmed(entry: JournalEntry): JournalEntry {
  const detail = Object.entries(entry.detail).filter(([field]) => field !== 'channels')
  return { ...entry, detail: Object.fromEntries(detail) }
}
