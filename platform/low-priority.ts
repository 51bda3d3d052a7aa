import { spawnSync } from 'node:child_process'
import { constants, setPriority } from 'node:os'

/**
 * Puts this process, and those it will start, behind all others for the processor and the disk: recording goes first.
 * The disk's part needs `ionice` (util-linux); where it is missing, or the I/O scheduler knows no classes, only the
 * processor's counts.
 */
export function lowerPriority(): void {
  setPriority(constants.priority.PRIORITY_LOW)
  spawnSync('ionice', ['-c', '3', '-p', String(process.pid)], { stdio: 'ignore' })
}
