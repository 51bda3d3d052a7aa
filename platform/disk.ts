import {
  close,
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  open,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs'
import { hasErrno } from './edge-error.js'

/** Told once, with the error where there was one. */
export type Done = (error?: Error | null) => void

/**
 * What is done to a disk where durability counts, one call a step: each may fail, and each may be the last before a
 * crash. Passed in, so that a test can take away what was never synced. Reading is not part of it.
 */
export interface Disk {
  /** `create` fails where the name exists, `append` where it does not. All can be read, too. */
  open(path: string, how: 'create' | 'append' | 'replace'): number
  /** Writes at the end (or, after `replace`, at the position) and returns how many bytes were taken. */
  write(fd: number, bytes: Uint8Array): number
  truncate(fd: number, length: number): void
  /** Content and size survive a power cut afterwards; the name may not. */
  sync(fd: number): void
  /** As `sync`, while other work goes on; of what is written meanwhile nothing is said, and the file must stay open. */
  syncAside(fd: number, done: Done): void
  close(fd: number): void
  rename(from: string, to: string): void
  remove(path: string): void
  /** Creates a folder and those above it; returns the topmost that was missing. */
  makeFolder(path: string): string | undefined
  /** Names created, renamed or removed in the folder survive a power cut afterwards. */
  syncFolder(path: string): void
  /** As `syncFolder`, while other work goes on. */
  syncFolderAside(path: string, done: Done): void
  /** Whether the file behind `fd` still has the name under which it was opened, another, or none. */
  nameOf(fd: number, path: string): 'kept' | 'moved' | 'removed'
  /** What the file system of `path` still takes, as far as it says: of a quota it says nothing. */
  free(path: string): { bytes: number; files: number }
}

const FLAGS = { create: 'ax+', append: constants.O_RDWR | constants.O_APPEND, replace: 'w+' }

/** Some network file systems refuse to sync a folder; there is nothing more that we could do there. */
const refusesFolders = (error: unknown) => hasErrno(error, 'EINVAL', 'ENOTSUP', 'EPERM')

export const localDisk: Disk = {
  open: (path, how) => openSync(path, FLAGS[how], 0o644),
  write: (fd, bytes) => writeSync(fd, bytes),
  truncate: (fd, length) => ftruncateSync(fd, length),
  sync: fd => fdatasyncSync(fd),
  syncAside: (fd, done) => fdatasync(fd, done),
  close: fd => closeSync(fd),
  rename: (from, to) => renameSync(from, to),
  remove: path => rmSync(path),
  makeFolder: path => mkdirSync(path, { recursive: true }),
  syncFolder(path) {
    const fd = openSync(path, 'r')
    try {
      fsyncSync(fd)
    } catch (error) {
      if (!refusesFolders(error)) throw error
    } finally {
      closeSync(fd)
    }
  },
  syncFolderAside(path, done) {
    open(path, 'r', (notOpened, fd) => {
      if (notOpened) done(notOpened)
      else fsync(fd, error => close(fd, () => done(refusesFolders(error) ? undefined : error)))
    })
  },
  nameOf(fd, path) {
    const file = fstatSync(fd)
    if (file.nlink === 0) return 'removed'
    const named = statSync(path, { throwIfNoEntry: false })
    return named?.ino === file.ino && named.dev === file.dev ? 'kept' : 'moved'
  },
  free(path) {
    const { bavail, bsize, files, ffree } = statfsSync(path)
    // File systems that make inodes as they need them say 0 of 0.
    return { bytes: bavail * bsize, files: files === 0 ? Infinity : ffree }
  },
}
