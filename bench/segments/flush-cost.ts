import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { localDisk } from '../../platform/disk.js'
import { atOnce } from '../../platform/disk-steps.js'
import { BATCH_BYTES } from '../../recorder/line-batch.js'
import { sealSegment } from '../../recorder/storage/seal-segment.js'
import { SegmentWriter } from '../../recorder/storage/segment-writer.js'
import { batches, STARTED_MS, type MadeLines } from './made-lines.js'

export interface FlushCost {
  /** CPU of appending, of one core, in percent of the time that the frames span. */
  cpuPercent: number
  openBytes: number
  sealedBytes: number
}

/** Writes lines as flushes of so many would, without waiting for the time between them, and seals. */
export function flushCost(made: MadeLines, linesPerFlush: number, spanMs: number): FlushCost {
  const dataDir = mkdtempSync(join(tmpdir(), 'edgetape-bench-'))
  try {
    const name = {
      exchange: 'deribit',
      channel: made.family,
      startedMs: STARTED_MS,
      host: 'bench',
      run: 'r1',
      number: 1,
    }
    const writer = new SegmentWriter(localDisk, dataDir, name, Number.MAX_SAFE_INTEGER)
    const span = { firstRecvUs: STARTED_MS * 1000, lastRecvUs: STARTED_MS * 1000 }
    const before = process.cpuUsage()
    for (const batch of batches(made, linesPerFlush, BATCH_BYTES))
      writer.append({ bytes: new Uint8Array(Buffer.concat(batch)), frames: batch.length, ...span })
    const { user, system } = process.cpuUsage(before)
    writer.close()
    const openBytes = statSync(join(dataDir, writer.path)).size
    const outcome = atOnce(localDisk, sealSegment({ disk: localDisk, dataDir, path: writer.path, level: 9, gaps: [] }))
    if (outcome.kind !== 'sealed') throw new Error(`nothing to seal: ${outcome.kind}`)
    const sealedBytes = outcome.manifest.bytes_compressed
    return { cpuPercent: (user + system) / 10 / spanMs, openBytes, sealedBytes }
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}
