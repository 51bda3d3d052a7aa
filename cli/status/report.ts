import { hasErrno } from '../../platform/edge-error.js'
import { readStatus, type Part } from '../../platform/status-file.js'
import { figuresOf, type PartReport } from './figures.js'

export const parts: readonly Part[] = ['recorder', 'compactor', 'syncer']

/** What the parts of this dataDir last said, and whether the process that said it is still there. */
export function reportOf(part: Part, dataDir: string, isAlive = processLives): PartReport {
  const written = readStatus(dataDir, part)
  if (written === undefined) return { part, state: 'never ran', status: {} }
  const { pid, started_at: since, written_at: writtenAt } = written
  const stopped = written['stopped'] === true || written['state'] === 'stopped'
  const alive = typeof pid === 'number' && isAlive(pid)
  return {
    part,
    state: stopped ? 'stopped' : alive ? 'running' : 'dead',
    ...(typeof pid === 'number' ? { pid } : {}),
    ...(typeof since === 'string' ? { since } : {}),
    ...(typeof writtenAt === 'string' ? { writtenAt } : {}),
    status: written,
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

/** For people: a paragraph a part. */
export function asText(reports: readonly PartReport[], nowMs: number): string {
  return reports
    .map(report => {
      const figures = figuresOf(report)
      const width = Math.max(0, ...figures.map(([label]) => label.length))
      const lines = figures.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`)
      return [headOf(report, nowMs), ...lines].join('\n')
    })
    .join('\n\n')
}

function headOf({ part, state, pid, since, writtenAt }: PartReport, nowMs: number): string {
  const age = writtenAt === undefined ? '' : `, said ${ageOf(nowMs - Date.parse(writtenAt))} ago`
  switch (state) {
    case 'running':
      return `${part}: running (pid ${pid ?? '?'}${since === undefined ? '' : `, since ${since}`}${age})`
    case 'dead':
      return `${part}: DEAD, pid ${pid ?? '?'} is gone without a good-bye${age}`
    case 'stopped':
      return `${part}: stopped${age}`
    case 'never ran':
      return `${part}: has never run here`
  }
}

function ageOf(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  return `${Math.round(seconds / 3600)} h`
}
