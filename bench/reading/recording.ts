import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { compress } from 'zstd-napi'
import { segmentPath } from '../../formats/raw-path.js'
import type { Family } from '../compactor/families.js'
import { batches, makeLines, STARTED_MS } from '../segments/made-lines.js'

const SEGMENT_LINES = 100_000

export interface MadeRecording {
  frames: number
  /** Of the lines. */
  bytes: number
}

/** A recording of several families that were received at the same time, frame by frame in turns, in sealed segments. */
export function makeRecording(dataDir: string, families: readonly Family[], framesOfEach: number): MadeRecording {
  let bytes = 0
  let number = 0
  for (const family of families) {
    const made = makeLines(family, framesOfEach, 200)
    bytes += made.bytes
    for (const batch of batches(made, SEGMENT_LINES, Infinity)) {
      const startedMs = STARTED_MS + number
      const name = { exchange: 'deribit', channel: family, startedMs, host: 'bench', run: 'r1', number: ++number }
      const path = join(dataDir, segmentPath(name, 'sealed'))
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, compress(Buffer.concat(batch), { compressionLevel: 9 }))
    }
  }
  return { frames: families.length * framesOfEach, bytes }
}
