import { hasErrno } from '../../platform/edge-error.js'
import { readPulse, STANDS_STILL_MS, type Pulse } from '../../formats/pulse.js'
import { readStatus, type Part } from '../../formats/status.js'

/** What is known of one part from what it wrote, and whether the process that wrote it is still there. */
export interface PartReport {
  part: Part
  /** Of which exchange, where several recorders are at work. */
  of?: string
  /** `dead`: gone without a good-bye; `stands still`: the process is there and gives no sign of life. */
  state: 'running' | 'stands still' | 'stopped' | 'dead' | 'never ran'
  pid?: number
  version?: string
  /** When the process started, ISO 8601. */
  since?: string
  /** When the part last wrote its status. */
  writtenAt?: string
  /** When it last gave a sign of life; undefined for a part of an earlier version. */
  aliveAt?: string
  /** That sign. */
  pulse?: Pulse
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
  const { version } = status
  const pid = pidIn(status['pid'])
  const [since, writtenAt] = [momentIn(status['started_at']), momentIn(status['written_at'])]
  const stopped = status['stopped'] === true || status['state'] === 'stopped'
  const alive = pid !== undefined && isAlive(pid)
  const found = readPulse(dataDir, part, of)
  // A sign of an earlier process says nothing of this one.
  const pulse = found?.pid === pid ? found : undefined
  const aliveAt = pulse?.at ?? (isRecorder(who) ? writtenAt : undefined)
  return {
    ...who,
    state: stopped ? 'stopped' : !alive ? 'dead' : isSilent(aliveAt, nowMs) ? 'stands still' : 'running',
    ...(pid === undefined ? {} : { pid }),
    ...(typeof version === 'string' ? { version } : {}),
    ...(since === undefined ? {} : { since }),
    ...(writtenAt === undefined ? {} : { writtenAt }),
    ...(aliveAt === undefined ? {} : { aliveAt }),
    ...(pulse && { pulse }),
    status,
  }
}

/** 0 and numbers below it stand for groups of processes, and the system takes no larger ones. */
const pidIn = (value: unknown) => (typeof value === 'number' && value > 0 && value === (value | 0) ? value : undefined)

const momentIn = (value: unknown) => (typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? value : undefined)

const isSilent = (aliveAt: string | undefined, nowMs: number) =>
  aliveAt !== undefined && nowMs - Date.parse(aliveAt) > STANDS_STILL_MS

/** @param recorders what distinguishes the recorders' status files */
export function reportsOf(dataDir: string, recorders: readonly (string | undefined)[], nowMs?: number): PartReport[] {
  const report = (part: Part, of?: string) => reportOf(part, dataDir, of, undefined, nowMs)
  const monitor = report('monitor')
  return [
    ...recorders.map(of => report('recorder', of)),
    ...[report('compactor'), report('syncer')],
    // Nobody need look at what is recorded.
    ...(monitor.state === 'never ran' ? [] : [monitor]),
  ]
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
