import { EdgeError, hasErrno } from '../../platform/edge-error.js'
import type { Span } from '../../platform/spans.js'
import { currentPath, segmentFiles, type SegmentFile } from '../segment-files.js'
import { segmentLines } from '../segment-lines.js'
import { StoredLine } from '../stored-line.js'
import { parseJournalEvent, type JournalEntry } from './entry.js'

/** An entry with its number within its run, which distinguishes it from others of the same moment. */
export type NumberedEntry = JournalEntry & { readonly seq: number }

/** The segments of the journal that may hold entries of a span; none where nothing was recorded yet. */
export function* journalSegments(root: string, span: Span): Generator<SegmentFile, void> {
  try {
    yield* segmentFiles(root, { ...span, mayHold: family => family === 'journal' })
  } catch (error) {
    if (!(error instanceof EdgeError) || error.code !== 'READ_NO_RAW') throw error
  }
}

/** The entries of one segment, open or sealed, as they stand; none of one that was deleted in this moment. */
export function* segmentEntries(file: SegmentFile): Generator<NumberedEntry, void> {
  const path = currentPath(file)
  if (path === undefined) return
  const { exchange, host, run } = file.name
  try {
    for (const lines of segmentLines(path, file.name, { torn: () => undefined }, StoredLine)) {
      for (const { isOurs, text, recvUs, seq } of lines) {
        const event = isOurs ? parseJournalEvent(text) : undefined
        if (event) yield { exchange, host, run, recvUs, seq, ...event }
      }
    }
  } catch (error) {
    // Sealed or deleted in this moment: it is there under its other name at the next look, or in Parquet.
    if (!hasErrno(error, 'ENOENT')) throw error
  }
}

/** The journal of a span from raw segments; whole ones, so that what lies around it may be there, too. */
export function* rawEntries(root: string, span: Span): Generator<NumberedEntry, void> {
  for (const file of journalSegments(root, span)) yield* segmentEntries(file)
}

/** Entries from several places, each once, in the order of time, with their runs. */
export function inOrder(entries: Iterable<NumberedEntry>): JournalEntry[] {
  const once = new Map<string, NumberedEntry>()
  for (const entry of entries) once.set(`${sourceOf(entry)} ${entry.recvUs} ${entry.seq}`, entry)
  return withRuns([...once.values()].sort((a, b) => a.recvUs - b.recvUs || a.seq - b.seq))
}

const sourceOf = ({ exchange, host }: JournalEntry) => `${exchange} ${host}`

/** The name of a day's Parquet file says no run: there an entry is of the run that began last. */
function withRuns(entries: readonly JournalEntry[]): JournalEntry[] {
  const runs = new Map<string, string>()
  return entries.map(entry => {
    const { run, event, detail } = entry
    if (event === 'started' && detail.run !== undefined) runs.set(sourceOf(entry), detail.run)
    return run === '' ? { ...entry, run: runs.get(sourceOf(entry)) ?? '' } : entry
  })
}
