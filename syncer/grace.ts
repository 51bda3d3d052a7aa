import type { Config } from '../config/schema.js'
import type { Target } from './targets/target.js'

/** How long what was brought is left to reach the disk there, ms. A target that cannot sync to disk is given twice the time. */
export function graceOf(sync: Pick<Config['sync'], 'graceMinutes'>, target: Pick<Target, 'syncsToDisk'>): number {
  return sync.graceMinutes * 60_000 * (target.syncsToDisk ? 1 : 2)
}
