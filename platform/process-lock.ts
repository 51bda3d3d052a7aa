import { spawnSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeSync,
  type BigIntStats,
} from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { createFolderDurable } from './durable-file.js'
import { EdgeError, hasErrno } from './edge-error.js'

export interface ProcessLock {
  release(): void
}

/**
 * The process that holds a lock: the one that said so in the file, where it has that very file open. Undefined for
 * another machine's, for one that ended without a word and whose number may be another process's by now, and for none.
 */
export function lockHolder(path: string): number | undefined {
  try {
    const [, pid, host] = /^pid (\d+) on (\S+) /.exec(readFileSync(path, 'utf8')) ?? []
    return host === hostname() && hasOpen(Number(pid), path) ? Number(pid) : undefined
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

/** Whether a process has a file open; where the system does not say, it is assumed. */
function hasOpen(pid: number, path: string): boolean {
  if (!existsSync('/proc/self/fd')) return true
  const file = statSync(path, { bigint: true })
  return openFilesOf(pid).some(open => open.ino === file.ino && open.dev === file.dev)
}

/** What a process has open; nothing of one that is gone or another user's. */
function openFilesOf(pid: number): BigIntStats[] {
  const folder = `/proc/${pid}/fd`
  try {
    return readdirSync(folder).flatMap(fd => statSync(join(folder, fd), { bigint: true, throwIfNoEntry: false }) ?? [])
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return []
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
  createFolderDurable(dirname(path))
  const fd = openSync(path, 'a+', 0o644)
  const result = flock(fd)
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
    throw new EdgeError(
      'LOCK_HELD',
      `another ${what} is running here: ${holder || 'its process id is not known yet'}`,
      {
        path,
        hint: `stop it first, or give this one its own dataDir or host`,
      },
    )
  }
  ftruncateSync(fd)
  writeSync(fd, `pid ${process.pid} on ${hostname()} since ${new Date().toISOString()}\n`)
  return { release: () => release(fd) }
}

/** Tries again where a signal to the whole group ended the little program: that is no answer about the lock. */
function flock(fd: number, triesLeft = 3): ReturnType<typeof spawnSync> {
  const result = spawnSync('flock', ['-n', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] })
  return result.signal !== null && triesLeft > 1 ? flock(fd, triesLeft - 1) : result
}

/** The number in the file must not outlive the process, for it will be another one's. */
function release(fd: number): void {
  try {
    ftruncateSync(fd)
  } catch (error) {
    // A disk that takes no changes keeps it; what failed before that is what matters.
    if (!(error instanceof Error)) throw error
  } finally {
    closeSync(fd)
  }
}
