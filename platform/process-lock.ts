import { spawnSync } from 'node:child_process'
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { EdgeError, hasErrno } from './edge-error.js'

export interface ProcessLock {
  release(): void
}

/** The process that holds a lock, as it said itself; undefined for another machine's, or none. */
export function lockHolder(path: string): number | undefined {
  try {
    const [, pid, host] = /^pid (\d+) on (\S+) /.exec(readFileSync(path, 'utf8')) ?? []
    return host === hostname() ? Number(pid) : undefined
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

/**
 * Takes an exclusive lock that the kernel frees when this process ends, however it ends.
 * The lock file names its holder, for the message of whoever comes second; its content decides nothing.
 * Needs `flock` (util-linux, busybox); the lock belongs to the open file, which children do not inherit.
 * @throws EdgeError LOCK_HELD another process has it; LOCK_UNAVAILABLE no `flock` program here
 */
export function acquireProcessLock(path: string, what: string): ProcessLock {
  mkdirSync(dirname(path), { recursive: true })
  const fd = openSync(path, 'a+', 0o644)
  const result = spawnSync('flock', ['-n', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] })
  if (result.error) {
    closeSync(fd)
    throw new EdgeError('LOCK_UNAVAILABLE', `cannot lock ${path}: the program flock could not be run`, {
      path,
      cause: result.error,
      hint: 'install util-linux',
    })
  }
  if (result.status !== 0) {
    const holder = readFileSync(path, 'utf8').trim()
    closeSync(fd)
    throw new EdgeError('LOCK_HELD', `another ${what} is at work here: ${holder || 'it has not said who it is yet'}`, {
      path,
      hint: `stop it first, or give this one its own dataDir or host`,
    })
  }
  ftruncateSync(fd)
  writeSync(fd, `pid ${process.pid} on ${hostname()} since ${new Date().toISOString()}\n`)
  return { release: () => closeSync(fd) }
}
