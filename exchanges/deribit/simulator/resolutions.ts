import type { BarWidth } from '../../../simulator/market/candles.js'
import { EXPIRY_HOUR_MS } from './calendar.js'

/** Resolutions of candles as channels and calls spell them. */
export const RESOLUTIONS: ReadonlyMap<string, BarWidth> = new Map([
  ...[1, 3, 5, 10, 15, 30, 60, 120, 180, 360, 720].map((minutes): [string, BarWidth] => [
    String(minutes),
    { minutes, opensAtMs: 0 },
  ]),
  // A day is one of the exchange, from settlement to settlement.
  ['1D', { minutes: 1440, opensAtMs: EXPIRY_HOUR_MS }],
])
