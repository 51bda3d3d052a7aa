import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { byStart, rawFilesIn, rawHours, type RawFile } from '../formats/raw-tree.js'
import type { Receipt } from '../formats/receipt.js'

export type SealedSegment = Pick<RawFile, 'path' | 'name'>

/**
 * Finds sealed segments. A folder whose modification time is the one of the last look is not read again, so that
 * looking often costs one `stat` for each hour of each family.
 */
export class SegmentFinder {
  readonly #dataDir: string
  readonly #seen = new Map<string, { modifiedMs: number; segments: RawFile[] }>()

  constructor(dataDir: string) {
    this.#dataDir = dataDir
  }

  /** All sealed segments on disk, oldest first. */
  find(): SealedSegment[] {
    const found: RawFile[] = []
    for (const { folders } of rawHours(this.#dataDir))
      for (const folder of folders) found.push(...this.#segmentsIn(folder))
    return found.sort(byStart)
  }

  #segmentsIn(path: string): RawFile[] {
    const modifiedMs = modifiedAt(join(this.#dataDir, path))
    const before = this.#seen.get(path)
    if (before && before.modifiedMs === modifiedMs) return before.segments
    const segments = rawFilesIn(this.#dataDir, path).filter(({ state }) => state === 'sealed')
    // A folder that changed within the tick of the file system's clock may change again unnoticed: not remembered.
    if (modifiedMs !== undefined && Date.now() - modifiedMs > 2000) this.#seen.set(path, { modifiedMs, segments })
    else this.#seen.delete(path)
    return segments
  }
}

function modifiedAt(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs
}

/** True where a receipt speaks of this very segment and all of its outputs are still there. */
export function isDone(dataDir: string, receipt: Receipt | undefined, sha256: string): boolean {
  return receipt?.sha256 === sha256 && receipt.outputs.every(({ path }) => existsSync(join(dataDir, path)))
}
