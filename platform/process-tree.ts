import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { hasErrno } from './edge-error.js'

/**
 * Ends a process that leads a group, and all that it and its children started, where they stand: what waits for a disk
 * does not see that its parent is gone. For children of this process that have not ended.
 */
export function killTree(leader: number): void {
  // Looked up before the parents end: after that nobody knows whose they were.
  const later = descendantsOf(leader)
  for (const pid of [-leader, ...later]) kill(pid)
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    // It has ended meanwhile.
    if (!hasErrno(error, 'ESRCH')) throw error
  }
}

/** Processes that a process started, and those that these did. */
export function descendantsOf(ancestor: number): number[] {
  const processes = runningPids().map(pid => ({ pid, parent: parentOf(pid) }))
  const below = (pid: number): number[] =>
    processes.filter(({ parent }) => parent === pid).flatMap(child => [child.pid, ...below(child.pid)])
  return below(ancestor)
}

const runningPids = () =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)

/** Of this process; none where the system does not tell them. */
export function ownThreads(): number[] {
  return existsSync(THREADS) ? readdirSync(THREADS).map(Number) : []
}

const THREADS = '/proc/self/task'

const parentOf = (pid: number) => statOf(pid)?.parent

/** Whether a process began its session, and thus is not one of a terminal's. */
export const leadsSession = (pid: number) => statOf(pid)?.session === pid

/** Undefined for a process that is gone, or somebody else's, and where the system has no /proc. */
function statOf(pid: number): { parent: number; session: number } | undefined {
  try {
    // The name, in parentheses, may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [, parent, , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { parent: Number(parent), session: Number(session) }
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return undefined
    throw error
  }
}
