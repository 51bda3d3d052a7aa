import type { Observation } from './observation.js'

/** What is wrong, in words; nothing: all is well. */
export interface Health {
  /** Data is being recorded now. */
  live: string[]
  /** That, and all that belongs to it is up. */
  ready: string[]
}

/** The recorder writes its status each second; on a disk that takes nothing it cannot. */
const STATUS_WITHIN_MS = 15_000

/**
 * Whether all is well, judged by data and not by processes alone. A recorder that just started has as long to bring data
 * as one that fell silent; it is not ready before. Pure.
 * @param noDataMs silence of the exchange's data that counts as none
 */
export function healthOf(seen: Observation, noDataMs: number): Health {
  const live = recordingTroubles(seen, noDataMs)
  const others = seen.parts.filter(
    ({ part, state }) => part !== 'recorder' && (state === 'dead' || state === 'stopped'),
  )
  const ready = [...live, ...others.map(({ part, state }) => `the ${part} is ${state}`)]
  if (live.length === 0 && seen.lastDataMs === undefined) ready.push('no data yet')
  if (live.length === 0 && !seen.connections.some(({ state }) => state === 'live')) ready.push('no connection is live')
  return { live, ready }
}

function recordingTroubles({ parts, atMs, lastDataMs }: Observation, noDataMs: number): string[] {
  const recorder = parts.find(({ part }) => part === 'recorder')
  if (!recorder || recorder.state === 'never ran') return ['the recorder has never run here']
  if (recorder.state !== 'running') return [`the recorder is ${recorder.state}`]
  const troubles: string[] = []
  const silentMs = recorder.writtenAt === undefined ? Infinity : atMs - Date.parse(recorder.writtenAt)
  if (silentMs > STATUS_WITHIN_MS) troubles.push(`the recorder has written no status for ${seconds(silentMs)}`)
  const startedMs = recorder.since === undefined ? 0 : Date.parse(recorder.since)
  const quietMs = atMs - Math.max(startedMs, lastDataMs ?? 0)
  if (quietMs > noDataMs) troubles.push(`no data for ${seconds(quietMs)}`)
  return troubles
}

const seconds = (ms: number) => (Number.isFinite(ms) ? `${Math.round(ms / 1000)} s` : 'ever')
