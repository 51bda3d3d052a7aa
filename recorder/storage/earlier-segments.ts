import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { EarlierSegment } from '../../exchanges/adapter.js'
import { withState } from '../../formats/raw-path.js'
import { rawSegments } from '../../formats/raw-tree.js'
import { isSameRecorder } from '../../formats/recorder-name.js'
import { decodeSegment } from '../../formats/decode-segment.js'
import { LineSplitter } from '../../platform/line-splitter.js'

export interface EarlierQuery {
  dataDir: string
  exchange: string
  host: string
  family: string
  /** This run's segments do not count. */
  exceptRun: string
}

/**
 * The segments that earlier runs of this recorder left of a family, newest first, sealed or not. Folders are listed only
 * as far as the caller reads.
 */
export function* earlierSegments({
  dataDir,
  exchange,
  host,
  family,
  exceptRun,
}: EarlierQuery): Generator<EarlierSegment> {
  const mayHold = (channel: string) => channel === family
  for (const { path, name } of rawSegments(dataDir, { exchange, mayHold, newestFirst: true })) {
    if (!isSameRecorder(name.host, host) || name.run === exceptRun) continue
    const found = [path, withState(path, 'sealed')].find(name => existsSync(join(dataDir, name)))
    if (found === undefined) continue
    yield { bytes: statSync(join(dataDir, found)).size, lines: linesOf(join(dataDir, found)) }
  }
}

/** Every whole line up to the first byte that cannot be decoded, without its line feed. */
function* linesOf(path: string): Generator<Buffer[]> {
  const lines = new LineSplitter()
  for (const { bytes } of decodeSegment(path)) yield [...lines.split(bytes)]
}
