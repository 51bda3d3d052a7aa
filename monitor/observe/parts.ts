import { hasErrno } from '../../platform/edge-error.js'
import { readStatus, type Part } from '../../formats/status.js'

/** What is known of one part from what it wrote, and whether the process that wrote it is still there. */
export interface PartReport {
  part: Part
  /** `dead`: gone without a good-bye. */
  state: 'running' | 'stopped' | 'dead' | 'never ran'
  pid?: number
  version?: string
  /** When the process started, ISO 8601. */
  since?: string
  /** When the part last wrote its status. */
  writtenAt?: string
  /** All that the part wrote. */
  status: Readonly<Record<string, unknown>>
}

export const parts: readonly Part[] = ['recorder', 'compactor', 'syncer']

/** What a part of this dataDir last said. */
export function reportOf(part: Part, dataDir: string, isAlive = processLives): PartReport {
  const status = readStatus(dataDir, part)
  if (status === undefined) return { part, state: 'never ran', status: {} }
  const { pid, version, started_at: since, written_at: writtenAt } = status
  const stopped = status['stopped'] === true || status['state'] === 'stopped'
  const alive = typeof pid === 'number' && isAlive(pid)
  return {
    part,
    state: stopped ? 'stopped' : alive ? 'running' : 'dead',
    ...(typeof pid === 'number' ? { pid } : {}),
    ...(typeof version === 'string' ? { version } : {}),
    ...(typeof since === 'string' ? { since } : {}),
    ...(typeof writtenAt === 'string' ? { writtenAt } : {}),
    status,
  }
}

function processLives(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    if (hasErrno(error, 'EPERM')) return true
    if (hasErrno(error, 'ESRCH')) return false
    throw error
  }
}
