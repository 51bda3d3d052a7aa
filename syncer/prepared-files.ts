import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { EdgeError, messageOf } from '../platform/edge-error.js'
import type { FileRecord } from '../formats/ledger.js'
import type { LocalFile } from './local-tree.js'
import { prepareFile } from './outgoing.js'
import type { Receipts } from './receipts.js'
import type { OutgoingFile } from './targets/target.js'

type Found = { file: OutgoingFile } | { reason: string } | 'gone'
type Remembered = Exclude<Found, 'gone'> & { bytes: number; mtimeMs: number }

const KEPT = 10_000

/**
 * What reading files here showed: their checksums, or why they must not be shipped. Remembered until they are shipped, so
 * that a target that is away does not make us read the same files at each try; a file that changes is read again.
 */
export class PreparedFiles {
  readonly #known = new Map<string, Remembered>()

  /** `gone`: it is no longer the file that was listed. Errors of the disk are reported, but not remembered: they may pass. */
  async read(
    file: LocalFile,
    replace: boolean,
    context: { dataDir: string; receipts: () => Receipts; signal: AbortSignal; known?: FileRecord | undefined },
  ): Promise<Found> {
    const known = this.#known.get(file.path)
    if (known?.bytes === file.bytes && known.mtimeMs === file.mtimeMs) {
      return 'file' in known ? { file: { ...known.file, replace } } : { reason: known.reason }
    }
    const { dataDir, receipts, signal, known: record } = context
    try {
      const read = { dataDir, signal, receipts: file.kind === 'parquet' ? receipts() : NO_RECEIPTS, record }
      return this.#remember(file, { file: await prepareFile(file, replace, read) })
    } catch (error) {
      signal.throwIfAborted()
      if (!isAsListed(file, dataDir)) return 'gone'
      const reason = messageOf(error)
      // A file that contradicts its maker's word does not get better by reading it again.
      return error instanceof EdgeError ? this.#remember(file, { reason }) : { reason }
    }
  }

  /** Once they are shipped. */
  forget(paths: Iterable<string>): void {
    for (const path of paths) this.#known.delete(path)
  }

  clear(): void {
    this.#known.clear()
  }

  #remember(file: LocalFile, found: Exclude<Found, 'gone'>): Found {
    if (this.#known.size >= KEPT) this.#known.clear()
    this.#known.set(file.path, { ...found, bytes: file.bytes, mtimeMs: file.mtimeMs })
    return found
  }
}

function isAsListed({ path, bytes, mtimeMs }: LocalFile, dataDir: string): boolean {
  const found = lstatSync(join(dataDir, path), { throwIfNoEntry: false })
  return found?.size === bytes && Math.floor(found.mtimeMs) === mtimeMs
}

const NO_RECEIPTS: Receipts = { bySegment: new Map(), byOutput: new Map(), made: new Map() }
