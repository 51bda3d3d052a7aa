import { join } from 'node:path'
import type { Disk } from '../../platform/disk.js'
import { openByRecorder, type OpenOf } from '../../formats/left-open.js'

/**
 * The segments that runs of this recorder left open, as paths below `dataDir`, oldest name first. Removes the files of
 * seals that were cut off.
 */
export function findOpenSegments(
  disk: Disk,
  dataDir: string,
  exchange: string,
  host: string,
  open = openByRecorder(dataDir),
): string[] {
  const own = open.find(of => of.exchange === exchange && of.host === host)
  if (own) removeLitter(disk, dataDir, own)
  return own?.open ?? []
}

/** Seals that were cut off left nothing but a copy in the making. A disk that refuses keeps it; the seal that is done again writes over it. */
export function removeLitter(disk: Disk, dataDir: string, { rewriting }: OpenOf): void {
  for (const path of rewriting) {
    try {
      disk.remove(join(dataDir, path))
    } catch (error) {
      if (!(error instanceof Error)) throw error
    }
  }
}
