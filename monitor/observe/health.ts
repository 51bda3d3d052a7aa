import type { ConnectionSeen } from './connections-seen.js'
import { lastSignMs } from './last-sign.js'
import type { Observation } from './observation.js'
import { isRecorder, titleOf, type PartReport } from './parts.js'

/** What is wrong, in words; nothing: all is well. */
export interface Health {
  /** Data is being recorded now. */
  live: string[]
  /** That, and all that belongs to it is up. */
  ready: string[]
}

/**
 * Whether all is well, judged by data and not by processes alone. A recorder that just started has as long to bring data
 * as one that fell silent; it is not ready before. Pure.
 * @param noDataMs silence of the exchange's data that counts as none
 */
export function healthOf(seen: Observation, noDataMs: number): Health {
  const live = seen.recorders.flatMap(recorder => recordingTroubles(seen, recorder, noDataMs))
  const others = seen.parts.filter(
    report =>
      !isRecorder(report) && (report.state === 'dead' || report.state === 'stopped' || report.state === 'stands still'),
  )
  const ready = [...live, ...others.map(report => `the ${report.part} ${howIs(report, seen.atMs)}`)]
  if (live.length > 0) return { live, ready }
  for (const { report, lastDataMs } of seen.recorders) {
    const isOwn = ({ exchange }: ConnectionSeen) => report.of === undefined || exchange === report.of
    if (lastDataMs === undefined) ready.push(`no data yet${ofWhom(report)}`)
    if (!seen.connections.some(connection => isOwn(connection) && connection.state === 'live'))
      ready.push(`no connection is live${ofWhom(report)}`)
  }
  return { live, ready }
}

function recordingTroubles(
  { atMs, disk, recorder: { disk_error: refusal } }: Observation,
  { report, lastDataMs }: Observation['recorders'][number],
  noDataMs: number,
): string[] {
  const { state, since } = report
  if (state === 'never ran') return [`the ${titleOf(report)} has never run here`]
  if (state !== 'running' && state !== 'stands still') return [`the ${titleOf(report)} is ${state}`]
  const troubles: string[] = []
  if (state === 'stands still') troubles.push(`the ${titleOf(report)} ${howIs(report, atMs)}`)
  if (disk?.isReadOnly === true) troubles.push('the file system of dataDir is read-only')
  else if (refusal !== undefined) troubles.push(`the disk takes no frames: ${refusal}`)
  const sinceMs = lastSignMs(atMs, [since === undefined ? undefined : Date.parse(since), lastDataMs])
  const quietMs = sinceMs === 0 ? Infinity : atMs - sinceMs
  if (quietMs > noDataMs) troubles.push(`no data${ofWhom(report)} for ${seconds(quietMs)}`)
  return troubles
}

/** The state of a part as the end of a sentence. */
const howIs = ({ state, aliveAt }: PartReport, atMs: number) =>
  state === 'stands still'
    ? `stands still: no sign of life for ${seconds(atMs - Date.parse(aliveAt ?? ''))}`
    : `is ${state}`

const ofWhom = ({ of }: PartReport) => (of === undefined ? '' : ` of ${of}`)

const seconds = (ms: number) => (Number.isFinite(ms) ? `${Math.round(ms / 1000)} s` : 'ever')
