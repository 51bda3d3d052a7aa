import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** As the kernel counts in `/proc`. */
const TICKS_PER_S = 100
const HEAD = '# CPU s: '

/** What this process and the programs that it waited for took of the processors. */
export function processorSeconds(): number {
  const stat = readFileSync('/proc/self/stat', 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) / TICKS_PER_S
}

/** As a comment at the end of its results. */
export const processorSecondsLine = () => `${HEAD}${processorSeconds().toFixed(1)}\n`

/** The same, read by who started the file; 0 where it did not come to its end. */
export const processorSecondsIn = (results: string) => Number(new RegExp(`^${HEAD}(.*)$`, 'm').exec(results)?.[1] ?? 0)

/** What all processors of the machine have worked so far, ms. */
export const machineWorkedMs = (): number =>
  cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0)
