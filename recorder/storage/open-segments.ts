import { join } from 'node:path'
import { rawFiles } from '../../formats/raw-tree.js'
import { isSameRecorder } from '../../formats/recorder-name.js'
import type { Disk } from '../../platform/disk.js'

/**
 * The segments that runs of this host left open, as paths below `dataDir`, oldest name first. Removes the files of seals
 * that were cut off: they were never anything but a copy in the making.
 */
export function findOpenSegments(disk: Disk, dataDir: string, exchange: string, host: string): string[] {
  const found: string[] = []
  for (const { path, name, state } of rawFiles(dataDir, { exchange })) {
    if (!isSameRecorder(name.host, host)) continue
    if (state === 'rewriting') removeLitter(disk, join(dataDir, path))
    else if (state === 'open') found.push(path)
  }
  return found.sort()
}

/** A disk that refuses keeps it; the seal that is done again writes over it. */
function removeLitter(disk: Disk, file: string): void {
  try {
    disk.remove(file)
  } catch (error) {
    if (!(error instanceof Error)) throw error
  }
}
