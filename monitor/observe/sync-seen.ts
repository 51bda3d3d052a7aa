import type { SyncerStatus } from '../../formats/part-status.js'
import type { PartReport } from './parts.js'

export interface SyncSeen {
  target: string | undefined
  state: string | undefined
  files: number | undefined
  bytes: number | undefined
  /** Age of the oldest file that is not verified at the target. */
  behindMinutes: number | undefined
  verifiedThroughMs: number | undefined
  lastError: string | undefined
}

/** Undefined where no syncer ever ran: nothing is to be shipped. */
export function syncOf(syncer: SyncerStatus, parts: readonly PartReport[], atMs: number): SyncSeen | undefined {
  if (!parts.some(({ part, state }) => part === 'syncer' && state !== 'never ran')) return undefined
  const { written_at: writtenMs, unverified_files: unverified, oldest_unverified_age_s: ageS } = syncer
  // A syncer that is gone, or waits for its target, falls behind while its status stands still.
  const sinceMs = writtenMs === undefined || !unverified ? 0 : Math.max(0, atMs - writtenMs)
  return {
    target: syncer.target,
    state: syncer.state,
    files: syncer.backlog_files,
    bytes: syncer.backlog_bytes,
    behindMinutes: ageS === undefined ? undefined : (ageS + sinceMs / 1000) / 60,
    verifiedThroughMs: syncer.verified_through,
    lastError: (syncer.failures_in_a_row ?? 0) > 0 ? syncer.last_error : undefined,
  }
}
