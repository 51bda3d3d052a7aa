import { hasErrno } from '../../platform/edge-error.js'
import { bytesOf, currentPath, segmentFiles, type SegmentFile } from '../../formats/segment-files.js'
import { segmentLines } from '../../formats/segment-lines.js'
import { StoredLine } from '../../formats/stored-line.js'
import { withState } from '../../formats/raw-path.js'
import { EdgeError } from '../../platform/edge-error.js'
import type { JournalEntry } from '../../formats/journal/gap.js'
import { GAP_EVENTS } from '../../formats/journal/gaps.js'

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
    for (const file of this.#segments(fromUs)) {
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

  #segments(fromUs: number): SegmentFile[] {
    try {
      return [...segmentFiles(this.#dataDir, { fromUs, toUs: Infinity, mayHold: family => family === 'journal' })]
    } catch (error) {
      // Nothing was recorded here yet.
      if (error instanceof EdgeError && error.code === 'READ_NO_RAW') return []
      throw error
    }
  }
}

function entriesOf(path: string, { name }: SegmentFile): JournalEntry[] {
  const entries: JournalEntry[] = []
  try {
    for (const frames of segmentLines(path, name, { torn: () => undefined }, StoredLine)) {
      for (const frame of frames) {
        const detail = eventOf(frame.isOurs ? frame.text : '')
        const event = detail?.['event']
        if (detail && typeof event === 'string' && GAP_EVENTS.has(event))
          entries.push({ host: name.host, run: name.run, recvUs: frame.recvUs, event, detail: slimmed(detail) })
      }
    }
  } catch (error) {
    // Sealed or deleted in this moment: the next look finds it under its other name, or not at all.
    if (!hasErrno(error, 'ENOENT')) throw error
  }
  return entries.slice(-ENTRIES_MAX)
}

function eventOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Without the lists of thousands of channels that some events have. */
function slimmed(detail: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(detail).filter(([key]) => key !== 'channels'))
}
