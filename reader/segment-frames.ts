import type { SegmentName } from '../formats/raw-path.js'
import { segmentLines, type SegmentEar } from '../formats/segment-lines.js'
import { LineFrame } from './frame.js'

/** The lines of a segment as frames, in blocks, as `segmentLines` gives them. */
export function segmentFrames(
  path: string,
  segment: SegmentName | undefined,
  ear: SegmentEar,
): Generator<LineFrame[], void> {
  return segmentLines(path, segment, ear, LineFrame)
}
