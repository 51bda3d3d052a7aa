import { createHash } from 'node:crypto'
import { existsSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ManifestGap } from '../../formats/manifest.js'
import { lineHead, LINE_END } from '../../formats/raw-line.js'
import { segmentDate, segmentPath, withState, type SegmentName } from '../../formats/raw-path.js'
import { readReceiptsOf, type Receipts } from '../../formats/receipt.js'
import { localDisk } from '../../platform/disk.js'
import { atOnce } from '../../platform/disk-steps.js'
import { createFolderDurable, fsyncFolder } from '../../platform/durable-file.js'
import { EdgeError } from '../../platform/edge-error.js'
import { SEAL_LEVEL } from '../../platform/zstd.js'
import { sealSegment } from '../../recorder/storage/seal-segment.js'
import { SegmentWriter } from '../../recorder/storage/segment-writer.js'
import { linkOrCopy } from '../merge/link-or-copy.js'

/** Lines are compressed so many bytes at a time. */
const BATCH_BYTES = 256 * 1024

/**
 * A segment of imported frames in the making, away from `raw/`, where a recorder would take it for one of its own. Its
 * name has a digest of its lines: the same lines make the same name, so that nothing is ever there twice.
 */
export class StagedSegment {
  readonly family: string
  readonly #staging: string
  readonly #writer: SegmentWriter
  readonly #name: SegmentName
  readonly #digest = createHash('sha256')
  #batch: Buffer[] = []
  #batchBytes = 0
  #firstUs = 0
  #lastUs = 0
  #frames = 0

  /** @param staging a folder of its own on the file system of `dataDir` */
  constructor(staging: string, place: Pick<SegmentName, 'exchange' | 'channel' | 'host'>, firstUs: number) {
    this.family = place.channel
    this.#staging = staging
    this.#name = { ...place, startedMs: Math.floor(firstUs / 1_000_000) * 1000, run: 'staged', number: 1 }
    this.#writer = new SegmentWriter(localDisk, staging, this.#name, Infinity)
  }

  /** Bytes of its lines that were written so far. */
  get rawBytes(): number {
    return this.#writer.holds.rawBytes
  }

  add(recvUs: number, conn: string, frame: Buffer): void {
    if (this.#batch.length === 0) this.#firstUs = recvUs
    this.#lastUs = recvUs
    const head = Buffer.from(lineHead(recvUs, conn, ++this.#frames, 'frame'))
    this.#batch.push(head, frame, END)
    this.#batchBytes += head.length + frame.length + END.length
    if (this.#batchBytes >= BATCH_BYTES) this.#write()
  }

  #write(): void {
    if (this.#batch.length === 0) return
    const bytes = Buffer.concat(this.#batch)
    this.#digest.update(bytes)
    // A line is three pieces.
    const frames = this.#batch.length / 3
    this.#writer.append({ bytes, frames, firstRecvUs: this.#firstUs, lastRecvUs: this.#lastUs })
    this.#batch = []
    this.#batchBytes = 0
  }

  /**
   * Puts it into the tree, sealed and durable, under its name.
   * @returns its path below `dataDir`, and whether it was there before
   */
  async publish(
    dataDir: string,
    gaps: ManifestGap[],
    receipts: ReceiptsOfDates,
  ): Promise<{ path: string; wasThere: boolean }> {
    this.#write()
    this.#writer.close()
    const name = { ...this.#name, run: runOf(this.#name.startedMs, this.#digest.digest('hex')) }
    const path = segmentPath(name, 'sealed')
    const staged = join(this.#staging, this.#writer.path)
    if (existsSync(join(dataDir, path)) || receipts.of(segmentDate(name)).has(path)) {
      rmSync(staged)
      return { path, wasThere: true }
    }
    const open = segmentPath(name, 'open')
    localDisk.rename(staged, join(this.#staging, open))
    this.#seal(open, gaps)
    createFolderDurable(dirname(join(dataDir, path)))
    // A manifest alone is what a kill left of this very segment.
    rmSync(join(dataDir, withState(path, 'manifest')), { force: true })
    for (const state of ['manifest', 'sealed'] as const) {
      await linkOrCopy(join(this.#staging, withState(path, state)), join(dataDir, withState(path, state)))
      fsyncFolder(dirname(join(dataDir, path)))
      rmSync(join(this.#staging, withState(path, state)))
    }
    return { path, wasThere: false }
  }

  #seal(open: string, gaps: ManifestGap[]): void {
    const options = { disk: localDisk, dataDir: this.#staging, path: open, level: SEAL_LEVEL, gaps }
    const { kind } = atOnce(localDisk, sealSegment(options))
    if (kind !== 'sealed')
      throw new EdgeError('IMPORT_NOT_SEALED', `${open} could not be sealed: it is ${kind}`, { path: open })
  }
}

const END = Buffer.from(LINE_END)

/** As runs of recorders do, these sort by their start; what follows distinguishes one content from another. */
export const runOf = (startedMs: number, digest: string) =>
  Math.floor(startedMs / 1000).toString(36) + digest.slice(0, 10)

/** Receipts of the compactor, date by date: what was converted may be gone from `raw/`. */
export class ReceiptsOfDates {
  readonly #dataDir: string
  #date = ''
  #receipts: Receipts = new Map()

  constructor(dataDir: string) {
    this.#dataDir = dataDir
  }

  of(date: string): Receipts {
    if (date !== this.#date) this.#receipts = readReceiptsOf(this.#dataDir, date)
    this.#date = date
    return this.#receipts
  }
}
