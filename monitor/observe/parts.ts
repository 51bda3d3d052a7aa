import { hasErrno } from '../../platform/edge-error.js'
import { readStatus, type Part } from '../../formats/status.js'

/** What is known of one part from what it wrote, and whether the process that wrote it is still there. */
export interface PartReport {
  part: Part
  /** Of which exchange, where several recorders are at work. */
  of?: string
  /** `dead`: exited without shutting down. */
  /** `dead`: gone without a good-bye; `stands still`: the process is there and gives no sign of life. */
  state: 'running' | 'stands still' | 'stopped' | 'dead' | 'never ran'
  pid?: number
  version?: string
  /** When the process started, ISO 8601. */
  since?: string
  /** When the part last wrote its status. */
  writtenAt?: string
  /** All that the part wrote. */
  status: Readonly<Record<string, unknown>>
}

/** As people call it. */
export const titleOf = ({ part, of }: Pick<PartReport, 'part' | 'of'>) => (of === undefined ? part : `${part} of ${of}`)

export const isRecorder = ({ part }: Pick<PartReport, 'part'>) => part === 'recorder'

/** What a part of this dataDir last said. */
export function reportOf(
  part: Part,
  dataDir: string,
  of?: string,
  isAlive = processLives,
  nowMs = Date.now(),
): PartReport {
  const status = readStatus(dataDir, part, of)
  const who = of === undefined ? { part } : { part, of }
  if (status === undefined) return { ...who, state: 'never ran', status: {} }
  const { pid, version, started_at: since, written_at: writtenAt } = status
  const stopped = status['stopped'] === true || status['state'] === 'stopped'
  const alive = typeof pid === 'number' && isAlive(pid)
  return {
    ...who,
    state: stopped ? 'stopped' : !alive ? 'dead' : isSilent(part, writtenAt, nowMs) ? 'stands still' : 'running',
    ...(typeof pid === 'number' ? { pid } : {}),
    ...(typeof version === 'string' ? { version } : {}),
    ...(typeof since === 'string' ? { since } : {}),
    ...(typeof writtenAt === 'string' ? { writtenAt } : {}),
    status,
  }
}

/** The recorder writes its status each second; the others only when they work. On a disk that takes nothing none can. */
const SILENT_MS = 10_000
const isSilent = (part: Part, writtenAt: unknown, nowMs: number) =>
  part === 'recorder' && typeof writtenAt === 'string' && nowMs - Date.parse(writtenAt) > SILENT_MS

/** @param recorders what tells the recorders' status files apart */
export const reportsOf = (
  dataDir: string,
  recorders: readonly (string | undefined)[],
  nowMs?: number,
): PartReport[] => [
  ...recorders.map(of => reportOf('recorder', dataDir, of, undefined, nowMs)),
  reportOf('compactor', dataDir),
  reportOf('syncer', dataDir),
]

function processLives(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    if (hasErrno(error, 'EPERM')) return true
    if (hasErrno(error, 'ESRCH')) return false
    throw error
  }
}
