import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { hasErrno } from './edge-error.js'

/** Makes names created, renamed or removed in `folder` survive a power cut. */
export function fsyncFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } catch (error) {
    // Some network file systems refuse to sync a folder; there is nothing more that we could do there.
    if (!hasErrno(error, 'EINVAL', 'ENOTSUP', 'EPERM')) throw error
  } finally {
    closeSync(fd)
  }
}

/**
 * Replaces `path` by `data`: temporary name beside it, fsync, rename, fsync of the folder.
 * Readers see the old content or the new, never a part; afterwards the new one is durable.
 */
export function writeFileDurable(path: string, data: string | Uint8Array): void {
  const temporary = `${path}.tmp`
  const bytes = typeof data === 'string' ? Buffer.from(data) : data
  const fd = openSync(temporary, 'w', 0o644)
  try {
    writeFully(fd, bytes)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(temporary, path)
  fsyncFolder(dirname(path))
}

/** Writes all of `bytes` at the end of `fd`; one `write` call may take less than it was given. */
export function writeFully(fd: number, bytes: Uint8Array): void {
  let written = 0
  while (written < bytes.length) written += writeSync(fd, bytes, written, bytes.length - written)
}

/** Creates a folder and those above it that are missing; each new name is durable afterwards. */
export function createFolderDurable(folder: string): void {
  const first = mkdirSync(folder, { recursive: true })
  if (first === undefined) return
  const top = dirname(resolve(first))
  for (let made = resolve(folder); made !== top; made = dirname(made)) fsyncFolder(dirname(made))
}
