import { readFile } from 'node:fs/promises'
import type { Config } from '../../config/schema.js'
import { exchangeOf } from '../../exchanges/registry.js'
import type { Finding } from './finding.js'

/** Beside segments and sockets: libraries, logs, locks, manifests and files being sealed. */
const OTHER_FILES = 128

/** The limit of this process, which those it starts inherit; a unit of systemd has its own. */
export async function openFilesFinding(config: Config): Promise<Finding> {
  return judgeOpenFiles(softLimitOf(await readFile('/proc/self/limits', 'utf8')), filesNeeded(config))
}

/** The soft limit of open files in `/proc/<pid>/limits`; Infinity where there is none. */
export function softLimitOf(limits: string): number | undefined {
  const found = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1]
  if (found === undefined) return undefined
  return found === 'unlimited' ? Infinity : Number(found)
}

/** Files that a recorder may have open at once by this config. */
export function filesNeeded({ segments, exchanges }: Pick<Config, 'segments' | 'exchanges'>): number {
  // Each recorder is a process of its own.
  const connections = Math.max(...exchanges.map(each => exchangeOf(each).settings.connectionsMax(each)))
  // A connection that is renewed has two sockets for a moment.
  return segments.openFilesMax + 2 * connections + OTHER_FILES
}

/** Pure. */
export function judgeOpenFiles(limit: number | undefined, needed: number): Finding {
  const facts = { limit: limit === Infinity ? null : (limit ?? null), needed }
  if (limit === undefined)
    return { check: 'open files', outcome: 'warning', message: 'the limit of open files cannot be read', facts }
  if (limit >= needed) {
    const allowed = limit === Infinity ? 'no limit' : `${limit} allowed`
    return { check: 'open files', outcome: 'ok', message: `${allowed}, at most ${needed} needed`, facts }
  }
  return {
    check: 'open files',
    outcome: 'failed',
    message: `${limit} allowed, up to ${needed} needed`,
    hint: `ulimit -n 65536, or LimitNOFILE=65536 in the unit; or lower segments.openFilesMax`,
    facts,
  }
}
