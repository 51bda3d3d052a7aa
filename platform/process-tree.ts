import { readdirSync, readFileSync } from 'node:fs'
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

/** Undefined for a process that is gone, or somebody else's. */
function parentOf(pid: number): number | undefined {
  try {
    // The name, in parentheses, may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return undefined
    throw error
  }
}
