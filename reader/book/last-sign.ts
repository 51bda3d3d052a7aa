import { manifestOf, segmentFiles, currentPath, type SegmentFile } from '../../formats/segment-files.js'
import { mayHoldLinesOf } from '../../formats/segment-span.js'
import { segmentFrames } from '../segment-frames.js'
import type { OpenRun } from '../../formats/journal/runs.js'
import { isOfBooks } from './whose-book.js'
import { greatest } from '../../platform/extremes.js'

const JOURNAL = 'journal'

/**
 * When a host was last heard of within a run, by books and journal, µs; -Infinity for never.
 * @param enoughUs a later sign makes no difference
 */
export function rawLastSign(path: string, run: OpenRun, enoughUs: number): number {
  const mayHold = (family: string) => isOfBooks(family) || family === JOURNAL
  const files = [...segmentFiles(path, { fromUs: run.fromUs, toUs: run.toUs, mayHold })].filter(
    ({ name }) => run.host === '' || name.host === run.host,
  )
  const lastStartMs = greatest(files.map(({ name }) => name.startedMs))
  if (lastStartMs * 1000 >= enoughUs) return lastStartMs * 1000
  // Whatever was written last is in the last segment, or in one that was not over when that was begun.
  const late = files.filter(({ name }) => mayHoldLinesOf(name, { fromUs: lastStartMs * 1000 }))
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
