import type { SegmentName } from '../../formats/raw-path.js'
import type { FrameReading } from '../../exchanges/settings.js'
import type { Table } from '../../exchanges/table.js'

/** One sealed segment, known to be what its manifest says. */
export interface Source extends FrameReading {
  /** Where it is. */
  path: string
  /** Its path below dataDir, for quarantine records. */
  segment: string
  sha256: string
  name: SegmentName
  /** Lines, by its manifest. */
  frames: number
  /** Their bytes, by the same; where nothing says so, they may be many. */
  bytesRaw?: number
  table: Table
}
