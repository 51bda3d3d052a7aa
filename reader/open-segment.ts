import type { Manifest } from '../formats/manifest.js'
import type { SegmentName } from '../formats/raw-path.js'
import type { Frame } from './frame.js'
import { readFrameBatches, readFrames, type ReadOptions } from './read-frames.js'
import { manifestOf, segmentFiles } from '../formats/segment-files.js'
import { EdgeError } from '../platform/edge-error.js'

/** One segment of raw frames. */
export interface Segment {
  path: string
  state: 'open' | 'sealed'
  name: SegmentName
  /** Of a sealed segment. */
  manifest: Manifest | undefined
  /** Its frames, one by one. */
  frames(options?: SegmentOptions): AsyncIterableIterator<Frame>
  /** Its frames in batches. */
  batches(options?: SegmentOptions): AsyncGenerator<Frame[], void>
}

export type SegmentOptions = Omit<ReadOptions, 'path'>

/**
 * Opens a segment below the `raw/` of a dataDir or a copy, sealed or being written.
 * @param path under its open or its sealed name
 * @throws EdgeError READ_NO_RAW, MANIFEST_TOO_NEW
 */
export function openSegment(path: string): Segment {
  const [file, ...others] = segmentFiles(path, { fromUs: -Infinity, toUs: Infinity, mayHold: () => true })
  if (!file || others.length > 0) {
    throw new EdgeError('READ_NO_RAW', `${path} is no segment`, { path, hint: 'wanted a file named ….jsonl.zst' })
  }
  return {
    ...file,
    manifest: manifestOf(file.path),
    frames: options => readFrames({ ...options, path: file.path }),
    batches: options => readFrameBatches({ ...options, path: file.path }),
  }
}
