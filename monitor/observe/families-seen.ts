import { familyOf } from '../../exchanges/exchange.js'
import { exchangeNamed } from '../../exchanges/registry.js'
import type { RecorderStatus } from '../../formats/part-status.js'
import type { Rates } from './rates.js'

/** A family of channels, by the recorder's status, the rates and the account. */
export interface FamilySeen {
  exchange: string
  family: string
  /** The exchange sends it by itself: it can fall silent. */
  isStreamed: boolean
  frames: number
  bytes: number
  framesPerSecond: number | undefined
  bytesPerSecond: number | undefined
  lastFrameMs: number | undefined
  /** It flows all the time while the exchange is open, and brings nothing now. */
  isQuiet: boolean
  /** Receive time less the exchange's time. */
  lagMs: number | undefined
  /** The same of a frame a second since the recorder's start. */
  lag: { sum: number; buckets: Readonly<Record<string, number>> } | undefined
  /** Since midnight, UTC, without what healed; undefined until the account is known. */
  gapsToday?: number
  gapSecondsToday?: number
}

/** A family that flows all the time and brings nothing for this long is marked, ms. */
const QUIET_MS = 60_000

/** @param rates undefined where the recorder does not run */
export function familiesOf(
  { exchange = '', families }: RecorderStatus,
  rates: Rates | undefined,
  atMs: number,
): FamilySeen[] {
  return Object.entries(families).map(([family, status]): FamilySeen => {
    const facts = familyOf(exchangeNamed(exchange), family)
    const rate = rates?.families.get(family)
    return {
      exchange,
      family,
      isStreamed: facts.comes === 'streamed',
      frames: status.frames ?? 0,
      bytes: status.bytes ?? 0,
      framesPerSecond: rate?.frames,
      bytesPerSecond: rate?.bytes,
      lastFrameMs: status.last_frame_at,
      isQuiet: rates !== undefined && facts.steady === true && atMs - (status.last_frame_at ?? 0) > QUIET_MS,
      lagMs: status.lag_ms,
      lag: status.lag,
    }
  })
}

export const byInterest = (a: FamilySeen, b: FamilySeen) =>
  Number(b.isStreamed) - Number(a.isStreamed) || b.frames - a.frames
