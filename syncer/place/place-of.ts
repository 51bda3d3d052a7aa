import type { Config } from '../../config/schema.js'
import { systemClock, type Clock } from '../../platform/clock.js'
import { graceOf } from '../grace.js'
import type { LedgerStore } from '../ledger-store.js'
import type { Target } from '../targets/target.js'
import { earlierTarget } from './earlier-target.js'
import { TargetPlace } from './target-place.js'

interface Asked {
  sync: Config['sync']
  /** Real path. */
  dataDir: string
  target: Target
  clock?: Pick<Clock, 'nowMs'>
  signal: AbortSignal
}

/**
 * The place at a target's address, for whoever asks whether it is the one of before.
 * @param ledgers of version 0.1.0 on; without them nothing shows a use before there were marks
 */
export function placeOf(
  { sync, dataDir, target, clock = systemClock, signal }: Asked,
  ledgers?: LedgerStore,
): TargetPlace {
  const earlier = ledgers && earlierTarget(dataDir, target, ledgers, signal)
  return new TargetPlace({ dataDir, target, clock, graceMs: () => graceOf(sync, target), earlier })
}
