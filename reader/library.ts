/** What programs may import from `edgetape`; documented in docs/library.md. All else may change at any time. */

export { EdgeError } from '../platform/edge-error.js'
export type { Manifest } from '../formats/manifest.js'
export type { SegmentName } from '../formats/raw-path.js'
export type { Frame } from './frame.js'
export type { Moment } from '../platform/moment.js'
export { readFrames, readFrameBatches, type ReadOptions } from './read-frames.js'
export { tailFrames, type TailOptions } from './tail/tail-frames.js'
export { openSegment, type Segment, type SegmentOptions } from './open-segment.js'
export { listPartitions, type Partition, type PartitionChoice } from './list-partitions.js'
export { BookBuilder, type BookFrameHead, type BookLink } from './book/book-builder.js'
export { applyBookFrame, type AppliedFrame } from './book/apply-frame.js'
export {
  bookAt,
  sampleBook,
  figuresOf,
  type BookAtOptions,
  type BookFigures,
  type BookSample,
  type SampleCounts,
  type SampleOptions,
} from './book/sample-book.js'
export { openRecording, type Recording, type RecordingOptions } from './query/open-recording.js'
export { exportRecording, type ExportRecordingOptions } from './export/export-recording.js'
export type { ExportedFiles, ExportFormat } from './export/export-files.js'
export type { ReadyView } from './query/ready-views.js'
