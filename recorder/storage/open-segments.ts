import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Disk } from '../../platform/disk.js'
import { parseSegmentPath } from '../../formats/raw-path.js'

/** Names below a folder of the tree that start with `prefix`; none where the folder is not there. */
function subfolders(folder: string, prefix: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .filter(entry => entry.isDirectory() && entry.name.startsWith(prefix))
    .map(entry => entry.name)
}

/** Folders of the families, and below them of the kinds and currencies where segments are grouped by them. */
function groupFolders(dataDir: string, root: string): string[] {
  const below = (folders: string[], prefix: string) =>
    folders.flatMap(folder => subfolders(join(dataDir, folder), prefix).map(name => `${folder}/${name}`))
  const channels = below([root], 'channel=')
  const kinds = below(channels, 'kind=')
  return [...channels, ...kinds, ...below(kinds, 'currency=')]
}

/**
 * The segments that runs of this host left open, as paths below `dataDir`, oldest name first. Removes the files of seals
 * that were cut off: they were never anything but a copy in the making.
 */
export function findOpenSegments(disk: Disk, dataDir: string, exchange: string, host: string): string[] {
  const root = `raw/exchange=${exchange}`
  const found: string[] = []
  for (const group of groupFolders(dataDir, root)) {
    for (const date of subfolders(join(dataDir, group), 'date=')) {
      for (const hour of subfolders(join(dataDir, group, date), 'hour=')) {
        const folder = `${group}/${date}/${hour}`
        for (const file of readdirSync(join(dataDir, folder))) {
          if (!file.endsWith('.open') && !file.endsWith('.rewriting')) continue
          const parsed = parseSegmentPath(`${folder}/${file}`)
          if (parsed?.name.host !== host) continue
          if (parsed.state === 'rewriting') removeLitter(disk, join(dataDir, folder, file))
          else found.push(`${folder}/${file}`)
        }
      }
    }
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
