import { lineHead } from '../../formats/raw-line.js'
import { frames } from '../compactor/lines.js'
import type { Family } from '../compactor/families.js'

/** Lines of one family in the order of receipt, made up but alike to those of the exchange. */
export interface MadeLines {
  family: Family
  /** Each with its line feed. */
  lines: Buffer[]
  bytes: number
}

export const STARTED_MS = Date.parse('2026-11-22T14:00:00Z')

/** @param frameEveryUs time from one frame to the next */
export function makeLines(family: Family, count: number, frameEveryUs: number): MadeLines {
  const lines: Buffer[] = []
  let bytes = 0
  for (const frame of frames(family)) {
    if (lines.length === count) break
    const seq = lines.length + 1
    const line = Buffer.from(`${lineHead(STARTED_MS * 1000 + seq * frameEveryUs, 'd1', seq, 'frame')}${frame}}\n`)
    lines.push(line)
    bytes += line.length
  }
  return { family, lines, bytes }
}

/** The lines in batches: at most `linesMax` and `bytesMax` each. */
export function* batches({ lines }: MadeLines, linesMax: number, bytesMax: number): Generator<Buffer[]> {
  let batch: Buffer[] = []
  let bytes = 0
  for (const line of lines) {
    if (batch.length > 0 && (batch.length === linesMax || bytes + line.length > bytesMax)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(line)
    bytes += line.length
  }
  if (batch.length > 0) yield batch
}
