import { EdgeError, hasErrno } from '../../platform/edge-error.js'
import type { Span } from '../../platform/spans.js'
import type { SegmentName } from '../raw-path.js'
import { segmentFiles, type SegmentFile } from '../segment-files.js'
import { segmentLines } from '../segment-lines.js'
import { StoredLine } from '../stored-line.js'
import type { JournalEntry } from './gap.js'

/** Segments of the journal that may hold something of a span; none where nothing was recorded yet. */
export function* journalSegments(root: string, span: Span): Generator<SegmentFile> {
  try {
    yield* segmentFiles(root, { ...span, mayHold: family => family === 'journal' })
  } catch (error) {
    if (!(error instanceof EdgeError) || error.code !== 'READ_NO_RAW') throw error
  }
}

/** The entries of such a segment, as they stand. */
export function* storedEntries(path: string, name: SegmentName): Generator<JournalEntry & { seq: number }> {
  const { host, run } = name
  try {
    for (const lines of segmentLines(path, name, { torn: () => undefined }, StoredLine)) {
      for (const { isOurs, text, recvUs, seq } of lines) {
        const detail = isOurs ? objectIn(text) : undefined
        const event = detail?.['event']
        if (detail && typeof event === 'string') yield { host, run, recvUs, seq, event, detail }
      }
    }
  } catch (error) {
    // Sealed or deleted in this moment: it has another name, or was in Parquet before.
    if (!hasErrno(error, 'ENOENT')) throw error
  }
}

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
