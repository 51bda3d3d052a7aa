import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { decodeSegment } from '../../formats/decode-segment.js'
import { withState } from '../../formats/raw-path.js'
import { rawSegments } from '../../formats/raw-tree.js'
import { isSameRecorder } from '../../formats/recorder-name.js'

export interface EarlierQuery {
  dataDir: string
  exchange: string
  host: string
  family: string
  /** This run's segments do not count. */
  exceptRun: string
}

/** A segment begins, or some more of it, decoded up to the first byte that cannot be. */
export type EarlierPiece =
  { type: 'segment'; compressedBytes: number; startedUs: number } | { type: 'bytes'; bytes: Uint8Array }

/**
 * The segments that earlier runs of this recorder left of a family, newest first, sealed or not. Folders are listed only
 * as far as the caller reads, and what `bytes` holds is overwritten by the next piece.
 */
export function* earlierPieces({ dataDir, exchange, host, family, exceptRun }: EarlierQuery): Generator<EarlierPiece> {
  const mayHold = (channel: string) => channel === family
  for (const { path, name } of rawSegments(dataDir, { exchange, mayHold, newestFirst: true })) {
    if (!isSameRecorder(name.host, host) || name.run === exceptRun) continue
    const found = [path, withState(path, 'sealed')].find(name => existsSync(join(dataDir, name)))
    if (found === undefined) continue
    const startedUs = name.startedMs * 1000
    yield { type: 'segment', compressedBytes: statSync(join(dataDir, found)).size, startedUs }
    for (const { bytes } of decodeSegment(join(dataDir, found))) yield { type: 'bytes', bytes }
  }
}
