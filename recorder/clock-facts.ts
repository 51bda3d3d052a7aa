import type { ReceiveClock } from './receive-clock.js'

/** The exchange's clock against receive stamps: how far it is ahead, and how long question and answer took, µs. */
export interface Measured {
  offsetUs: number
  roundTripUs: number
}

/** What the journal says of clocks each minute: the wall clock against receive stamps, its drift since the last time, and the exchange's. */
export function clockFacts(clock: Pick<ReceiveClock, 'wallAheadUs' | 'takeDriftUs'>, measured: Measured | undefined) {
  return {
    offset_us: clock.wallAheadUs,
    drift_us: clock.takeDriftUs(),
    exchange_offset_us: measured?.offsetUs ?? null,
    round_trip_us: measured?.roundTripUs ?? null,
  }
}
