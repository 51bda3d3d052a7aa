/** What programs may import from `edgetape`; documented in docs/library.md. All else may change at any time. */

export { EdgeError } from '../platform/edge-error.js'
export type { Manifest } from '../formats/manifest.js'
export type { SegmentName } from '../formats/raw-path.js'
export type { Frame } from '../reading/frame.js'
export type { Moment } from '../reading/time.js'
export { readFrames, readFrameBatches, type ReadOptions } from '../reading/read-frames.js'
export { openSegment, type Segment, type SegmentOptions } from './open-segment.js'
export { listPartitions, type Partition, type PartitionChoice } from './list-partitions.js'
export { BookBuilder, type BookFrameHead, type BookLink } from '../reading/book/book-builder.js'
export { applyBookFrame, type AppliedFrame } from '../reading/book/apply-frame.js'
export {
  bookAt,
  sampleBook,
  figuresOf,
  type BookAtOptions,
  type BookFigures,
  type BookSample,
  type SampleCounts,
  type SampleOptions,
} from '../reading/book/sample-book.js'
