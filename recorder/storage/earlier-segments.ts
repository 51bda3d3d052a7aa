import { statSync } from 'node:fs'
import { join } from 'node:path'
import { decodeSegment } from '../../formats/decode-segment.js'
import { withState } from '../../formats/raw-path.js'
import { rawSegments } from '../../formats/raw-tree.js'
import { isSameRecorder } from '../../formats/recorder-name.js'
import { hasErrno } from '../../platform/edge-error.js'

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
    const segment = opened(dataDir, path)
    if (!segment) continue
    const { compressedBytes, pieces } = segment
    try {
      yield { type: 'segment', compressedBytes, startedUs: name.startedMs * 1000 }
      for (let { piece } = segment; piece.done !== true; piece = pieces.next())
        yield { type: 'bytes', bytes: piece.value.bytes }
    } finally {
      pieces.return({ wholeBytes: 0, flushedBytes: 0, totalBytes: 0 })
    }
  }
}

/** Opens a segment before anybody hears of it: what an earlier run left open is sealed meanwhile, and has another name then. */
function opened(dataDir: string, path: string) {
  for (const name of [path, withState(path, 'sealed')]) {
    const file = join(dataDir, name)
    try {
      const compressedBytes = statSync(file).size
      const pieces = decodeSegment(file)
      return { compressedBytes, pieces, piece: pieces.next() }
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw error
    }
  }
  return undefined
}
