import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { hasErrno } from '../platform/edge-error.js'
import { parseSegmentPath, type SegmentName } from '../formats/raw-path.js'
import type { Receipt } from './receipts.js'

export interface SealedSegment {
  /** Path below dataDir, with forward slashes. */
  path: string
  name: SegmentName
}

/**
 * Finds sealed segments. A folder whose modification time is the one of the last look is not read again, so that
 * looking often costs one `stat` for each hour of each family.
 */
export class SegmentFinder {
  readonly #dataDir: string
  readonly #seen = new Map<string, { modifiedMs: number; segments: SealedSegment[] }>()

  constructor(dataDir: string) {
    this.#dataDir = dataDir
  }

  /** All sealed segments on disk, oldest first. */
  find(): SealedSegment[] {
    const found: SealedSegment[] = []
    for (const exchange of this.#folders('raw', 'exchange=')) {
      const channels = this.#folders(exchange, 'channel=')
      const kinds = channels.flatMap(channel => this.#folders(channel, 'kind='))
      const currencies = kinds.flatMap(kind => this.#folders(kind, 'currency='))
      for (const group of [...channels, ...kinds, ...currencies]) {
        for (const date of this.#folders(group, 'date=')) {
          for (const hour of this.#folders(date, 'hour=')) found.push(...this.#segmentsIn(hour))
        }
      }
    }
    return found.sort(
      (a, b) => a.name.startedMs - b.name.startedMs || a.name.number - b.name.number || (a.path < b.path ? -1 : 1),
    )
  }

  #folders(path: string, prefix: string): string[] {
    return listFolder(join(this.#dataDir, path))
      .filter(name => name.startsWith(prefix))
      .map(name => `${path}/${name}`)
  }

  #segmentsIn(path: string): SealedSegment[] {
    const modifiedMs = modifiedAt(join(this.#dataDir, path))
    const before = this.#seen.get(path)
    if (before && before.modifiedMs === modifiedMs) return before.segments
    const segments = listFolder(join(this.#dataDir, path)).flatMap(file => {
      const parsed = parseSegmentPath(`${path}/${file}`)
      return parsed?.state === 'sealed' ? [{ path: `${path}/${file}`, name: parsed.name }] : []
    })
    // A folder that changed within the tick of the file system's clock may change again unnoticed: not remembered.
    if (modifiedMs !== undefined && Date.now() - modifiedMs > 2000) this.#seen.set(path, { modifiedMs, segments })
    else this.#seen.delete(path)
    return segments
  }
}

function listFolder(path: string): string[] {
  try {
    return readdirSync(path)
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}

function modifiedAt(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs
}

/** True where a receipt speaks of this very segment and all of its outputs are still there. */
export function isDone(dataDir: string, receipt: Receipt | undefined, sha256: string): boolean {
  return receipt?.sha256 === sha256 && receipt.outputs.every(({ path }) => existsSync(join(dataDir, path)))
}
