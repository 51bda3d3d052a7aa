import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { createFolderDurable } from './durable-file.js'
import type { ProcessLock } from './process-lock.js'

/** `flock` with this flag on an open file; whether it got the lock. */
function flock(fd: number, how: '-x' | '-s'): boolean {
  return spawnSync('flock', ['-n', how, '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] }).status === 0
}

/** Whether a living process holds the lock of `acquireProcessLock`. Where that cannot be found out, it counts as held. */
export function isLockHeld(path: string): boolean {
  if (!existsSync(path)) return false
  const fd = openSync(path, 'r')
  try {
    // Shared, so that several who look do not take each other for holders.
    return !flock(fd, '-s')
  } finally {
    closeSync(fd)
  }
}

export interface ForeignLock extends ProcessLock {
  readonly path: string
}

/**
 * Takes the lock of a process that is gone, to deal with what it left; its file keeps saying whose it was, so that nobody
 * takes this process for the one that works under it. Undefined while the lock is held.
 */
export function holdForeignLock(path: string): ForeignLock | undefined {
  createFolderDurable(dirname(path))
  const fd = openSync(path, 'a', 0o644)
  if (flock(fd, '-x')) return { path, release: () => closeSync(fd) }
  closeSync(fd)
  return undefined
}
