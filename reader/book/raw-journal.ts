import { readFrameBatches } from '../read-frames.js'
import { manifestOf, segmentFiles, currentPath, type SegmentFile } from '../../formats/segment-files.js'
import { segmentFrames } from '../segment-frames.js'
import type { JournalEntry, OpenRun } from './outages.js'
import { isOfBooks } from './whose-book.js'

const JOURNAL = 'journal'
const DAY_US = 86_400_000_000
const HOUR_MS = 3_600_000

/** The journal of a span, a day more at both ends. */
export async function rawJournal(path: string, fromUs: number, toUs: number): Promise<JournalEntry[]> {
  const entries: JournalEntry[] = []
  const reading = { path, from: fromUs - DAY_US, to: toUs + DAY_US, channels: [JOURNAL], onProblem: () => undefined }
  for await (const batch of readFrameBatches(reading)) {
    for (const frame of batch) {
      const detail = frame.json() as Record<string, unknown>
      const { event } = detail
      if (typeof event === 'string')
        entries.push({ host: frame.segment?.host ?? '', recvUs: frame.recvUs, event, detail })
    }
  }
  return entries
}

/**
 * When a host was last heard of within a run, by books and journal, µs; -Infinity for never.
 * @param enoughUs a later sign makes no difference
 */
export function rawLastSign(path: string, run: OpenRun, enoughUs: number): number {
  const mayHold = (family: string) => isOfBooks(family) || family === JOURNAL
  const files = [...segmentFiles(path, { fromUs: run.fromUs, toUs: run.toUs, mayHold })].filter(
    ({ name }) => run.host === '' || name.host === run.host,
  )
  const lastStartMs = Math.max(...files.map(({ name }) => name.startedMs))
  if (lastStartMs * 1000 >= enoughUs) return lastStartMs * 1000
  // Whatever was written last was begun at most an hour before the last segment.
  const late = files.filter(({ name }) => name.startedMs >= lastStartMs - HOUR_MS)
  return Math.max(-Infinity, ...late.map(lastReceived).filter(us => us < run.toUs))
}

function lastReceived(file: SegmentFile): number {
  const path = currentPath(file)
  if (path === undefined) return -Infinity
  const manifest = manifestOf(path)
  if (manifest) return manifest.last_recv_us
  let lastUs = -Infinity
  for (const frames of segmentFrames(path, file.name, { torn: () => undefined }))
    lastUs = Math.max(lastUs, frames.at(-1)?.recvUs ?? -Infinity)
  return lastUs
}
