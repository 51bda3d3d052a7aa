import { dirname, resolve } from 'node:path'
import { localDisk, type Disk } from './disk.js'
import { atOnce, type DiskSteps } from './disk-steps.js'

/** Makes names created, renamed or removed in `folder` survive a power cut. */
export function fsyncFolder(folder: string): void {
  localDisk.syncFolder(folder)
}

/**
 * Replaces `path` by `data`: temporary name beside it, fsync, rename, fsync of the folder.
 * Readers see the old content or the new, never a part; afterwards the new one is durable.
 * @param temporary of the writer's own where several may write the file at once
 */
export function writeFileDurable(
  path: string,
  data: string | Uint8Array,
  disk = localDisk,
  temporary = `${path}.tmp`,
): void {
  atOnce(disk, replaceDurably(path, data, disk, temporary))
}

/** The same in steps, for whoever has something else to do while the disk is waited for. */
export function* replaceDurably(
  path: string,
  data: string | Uint8Array,
  disk: Disk,
  temporary = `${path}.tmp`,
): DiskSteps<void> {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data
  const fd = disk.open(temporary, 'replace')
  try {
    writeFully(fd, bytes, disk)
    yield { sync: fd }
  } finally {
    disk.close(fd)
  }
  disk.rename(temporary, path)
  yield { syncFolder: dirname(path) }
}

/** Writes all of `bytes` at the end of `fd`; one `write` call may take less than it was given. */
export function writeFully(fd: number, bytes: Uint8Array, disk: Disk = localDisk): void {
  for (let written = 0; written < bytes.length;) written += disk.write(fd, bytes.subarray(written))
}

/** Creates a folder and those above it that are missing; each new name is durable afterwards. */
export function createFolderDurable(folder: string, disk: Pick<Disk, 'makeFolder' | 'syncFolder'> = localDisk): void {
  for (const parent of createFolder(folder, disk)) disk.syncFolder(parent)
}

/** Creates a folder and those above it that are missing; returns the folders that are to be synced for their names to be durable. */
export function createFolder(folder: string, disk: Pick<Disk, 'makeFolder'>): string[] {
  const first = disk.makeFolder(folder)
  const parents: string[] = []
  if (first === undefined) return parents
  const top = dirname(resolve(first))
  for (let made = resolve(folder); made !== top; made = dirname(made)) parents.push(dirname(made))
  return parents
}
