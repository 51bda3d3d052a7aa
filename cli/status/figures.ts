import pretty from 'pretty-bytes'
import type { Part } from '../../platform/status-file.js'

/** What `edgetape status` says of one part. */
export interface PartReport {
  part: Part
  /** `running`, or why it is not. */
  state: 'running' | 'stopped' | 'dead' | 'never ran'
  pid?: number
  /** ISO 8601: of the process where the part says so. */
  since?: string
  /** When the part last wrote its status. */
  writtenAt?: string
  /** All that the part wrote. */
  status: Readonly<Record<string, unknown>>
}

const number = new Intl.NumberFormat('en-US')
const count = (value: unknown) => (typeof value === 'number' ? number.format(value) : undefined)
const bytes = (value: unknown) => (typeof value === 'number' ? pretty(value, { binary: true }) : undefined)
const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined)

type Format = (value: unknown) => string | undefined

/** Figures worth a line: key in the status, words, how it is written. What a part does not say is left out. */
const FIGURES: Record<Part, [key: string, label: string, format: Format][]> = {
  recorder: [
    ['frames', 'frames', count],
    ['bytes', 'received', bytes],
    ['compressed_bytes', 'on disk', bytes],
    ['sealed_segments', 'segments sealed', count],
    ['channels_planned', 'channels planned', count],
    ['waiting_bytes', 'waiting for the disk', bytes],
    ['connections', 'connections', connections],
  ],
  compactor: [
    ['state', 'now', text],
    ['segments', 'segments done', count],
    ['rows', 'rows', count],
    ['quarantined', 'lines in quarantine', count],
    ['backlog_segments', 'segments waiting', count],
    ['last_error', 'last error', messageIn],
  ],
  syncer: [
    ['state', 'now', text],
    ['target', 'target', text],
    ['backlog_files', 'files waiting', count],
    ['backlog_bytes', 'waiting', bytes],
    ['shipped_files', 'files shipped', count],
    ['verified_files', 'files verified', count],
    ['verified_through', 'all verified through', text],
    ['problem_files', 'files in trouble', count],
    ['last_success', 'last good pass', text],
    ['last_error', 'last error', messageIn],
  ],
}

/** `d1 open 412 channels, d2 waiting`. */
function connections(value: unknown): string | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined
  return value
    .map((connection: { name?: unknown; state?: unknown; channels?: unknown }) => {
      const channels = count(connection.channels)
      return [text(connection.name), text(connection.state), channels && `${channels} channels`]
        .filter(Boolean)
        .join(' ')
    })
    .join(', ')
}

function messageIn(value: unknown): string | undefined {
  if (typeof value === 'string') return text(value)
  return typeof value === 'object' && value !== null && 'message' in value ? text(value.message) : undefined
}

/** The figures of a part that it has told, in words. */
export function figuresOf({ part, status }: PartReport): [label: string, value: string][] {
  return FIGURES[part].flatMap(([key, label, format]) => {
    const value = format(status[key])
    return value === undefined ? [] : [[label, value] satisfies [string, string]]
  })
}
