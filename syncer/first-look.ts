import { mkdirSync, realpathSync } from 'node:fs'
import type { Config } from '../config/schema.js'
import { systemClock } from '../platform/clock.js'
import { EdgeError } from '../platform/edge-error.js'
import { readMemory } from './place/memory.js'
import { requireElsewhere, TargetPlace } from './place/target-place.js'
import { createTarget } from './targets/open-target.js'

/** A recorder that starts waits no longer for a target that does not answer, s. */
const TIMEOUT_SECONDS_MAX = 10

/**
 * For whoever starts a recorder with a target: refuses one that is in truth `dataDir`. What is reached through rsync is asked
 * on first use only, and one that does not answer is no reason to record nothing.
 * @throws EdgeError SYNC_NO_TARGET, SYNC_TARGET_INVALID, SYNC_TARGET_NOT_ELSEWHERE
 */
export async function requireTargetElsewhere(
  config: Pick<Config, 'dataDir' | 'sync'>,
  signal: AbortSignal,
): Promise<void> {
  const timeoutSeconds = Math.min(TIMEOUT_SECONDS_MAX, config.sync.timeoutSeconds)
  const target = createTarget({ ...config.sync, timeoutSeconds })
  requireElsewhere(config.dataDir, target)
  if (target.folder !== undefined) return
  mkdirSync(config.dataDir, { recursive: true })
  const dataDir = realpathSync(config.dataDir)
  try {
    if (readMemory(dataDir, target.label)) return
    await new TargetPlace({ dataDir, target, clock: systemClock, graceMs: () => 0 }).prove(signal)
  } catch (error) {
    // Whatever else is wrong is told by the syncer.
    if (!(error instanceof EdgeError) || error.code === 'SYNC_TARGET_NOT_ELSEWHERE') throw error
  }
}
