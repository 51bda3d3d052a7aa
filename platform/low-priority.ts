import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { constants, setPriority } from 'node:os'

/**
 * Puts this process, and those it will start, behind all others for the processor and the disk: recording goes first.
 * Linux asks for each thread by itself, and V8's helpers, which compile and collect, are there before anything of ours:
 * threads that are started later have it from the one that starts them.
 * The disk's part needs `ionice` (util-linux); where it is missing, or the I/O scheduler knows no classes, only the
 * processor's counts.
 */
export function lowerPriority(): void {
  setPriority(constants.priority.PRIORITY_LOW)
  const threads = readdirSync('/proc/self/task')
  for (const thread of threads) lowerThread(Number(thread))
  spawnSync('ionice', ['-c', '3', '-p', ...threads], { stdio: 'ignore' })
}

function lowerThread(thread: number): void {
  try {
    setPriority(thread, constants.priority.PRIORITY_LOW)
  } catch {
    // It ended meanwhile: where this is forbidden, it was for the whole process, too.
  }
}
