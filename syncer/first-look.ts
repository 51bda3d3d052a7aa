import { mkdirSync, realpathSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Config } from '../config/schema.js'
import { EdgeError } from '../platform/edge-error.js'
import { readMemory } from './place/memory.js'
import { placeOf } from './place/place-of.js'
import { requireElsewhere } from './place/target-place.js'
import { createTarget } from './targets/open-target.js'
import type { Target } from './targets/target.js'

/** A recorder that starts waits no longer for a target that does not answer, ms. */
const WITHIN_MS = 5000

/**
 * For whoever starts a recorder with a target: refuses one that is in truth `dataDir`. What is reached through rsync is asked
 * on first use only, and what does not answer in time is no reason to record nothing: the syncer asks for itself before it ships.
 * @throws EdgeError SYNC_NO_TARGET, SYNC_TARGET_INVALID, SYNC_TARGET_NOT_ELSEWHERE
 */
export async function requireTargetElsewhere(
  config: Pick<Config, 'dataDir' | 'sync'>,
  signal: AbortSignal,
): Promise<void> {
  const timeoutSeconds = Math.min(WITHIN_MS / 1000, config.sync.timeoutSeconds)
  const target = createTarget({ ...config.sync, timeoutSeconds })
  const inTime = new AbortController()
  const timer = setTimeout(() => inTime.abort(), WITHIN_MS)
  const stop = () => inTime.abort(signal.reason)
  signal.addEventListener('abort', stop)
  const over = new Promise<false>(resolve => inTime.signal.addEventListener('abort', () => resolve(false)))
  if (signal.aborted) stop()
  try {
    // A call that waits for a mount that does not answer would hang with it.
    if (target.folder !== undefined && !(await Promise.race([answers(target.folder), over]))) return
    requireElsewhere(config.dataDir, target)
    if (target.folder === undefined) await Promise.race([proveUnused(config, target, inTime.signal), over])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

/** An error is an answer, too. */
async function answers(folder: string): Promise<boolean> {
  return stat(folder).then(
    () => true,
    () => true,
  )
}

async function proveUnused(
  { dataDir: path, sync }: Pick<Config, 'dataDir' | 'sync'>,
  target: Target,
  signal: AbortSignal,
): Promise<void> {
  mkdirSync(path, { recursive: true })
  const dataDir = realpathSync(path)
  try {
    if (readMemory(dataDir, target.label)) return
    await placeOf({ sync, dataDir, target, signal }).prove(signal)
  } catch (error) {
    // The syncer reports whatever else is wrong.
    if (signal.aborted) return
    if (!(error instanceof EdgeError) || error.code === 'SYNC_TARGET_NOT_ELSEWHERE') throw error
  }
}
