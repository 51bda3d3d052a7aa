import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { hasErrno } from './edge-error.js'
import { leadsSession, ownThreads } from './process-tree.js'

/** Beside one other session that is always busy it leaves a tenth of a processor; the lowest would leave a seventieth. */
const SESSION_NICENESS = 10
/** Whoever is not root may ask for it each tenth of a second: all of them together. */
const SESSION_AGAIN_MS = 250

let isLow = false

/**
 * Puts this process, and those it will start, behind all others for the processor and the disk: recording goes first.
 * Asked when it is ready to hear that it is to end: on a busy machine it may be long until its session has its turn.
 * The disk's part needs `ionice` (util-linux); where it is missing, or the I/O scheduler knows no classes, only the
 * processor's counts.
 */
export function lowerPriority(): void {
  isLow = true
  const threads = lowerThreads()
  lowerSession(process.pid)
  spawnSync('ionice', ['-c', '3', '-p', ...threads.map(String)], { stdio: 'ignore' })
}

/**
 * Puts the threads of this process behind all others of its session, also while its parts are loaded. Linux asks for each thread
 * by itself, and V8's helpers, which compile and collect, are there before anything of ours: threads that are started later
 * have it from the one that starts them.
 * @returns their numbers
 */
export function lowerThreads(): number[] {
  setPriority(constants.priority.PRIORITY_LOW)
  const threads = ownThreads()
  for (const thread of threads) lowerThread(thread)
  return threads
}

function lowerThread(thread: number): void {
  try {
    setPriority(thread, constants.priority.PRIORITY_LOW)
  } catch {
    // It ended meanwhile: where this is forbidden, it was for the whole process, too.
  }
}

/** Of a process that this one started in a session of its own: it steps back as this one did, if it did. */
export function lowerStarted(pid: number): void {
  if (isLow) lowerSession(pid)
}

/**
 * Where no cgroups share out the processor, Linux shares it among sessions first (`CONFIG_SCHED_AUTOGROUP`), and
 * niceness counts only within one. Parts of `run` have a session each; that of a terminal is not this process's own.
 */
function lowerSession(pid: number): void {
  try {
    if (!leadsSession(pid)) return
    writeFileSync(`/proc/${pid}/autogroup`, String(SESSION_NICENESS))
  } catch (error) {
    // Other kernels have none, containers may not write there, and the process may have ended.
    if (hasErrno(error, 'EAGAIN')) setTimeout(lowerSession, SESSION_AGAIN_MS, pid).unref()
  }
}
