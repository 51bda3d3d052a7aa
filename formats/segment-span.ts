/** When the lines of a segment may have been received, as its name says: the one home of how long a segment may be. Pure. */
import type { SegmentName } from './raw-path.js'

/** Lines may be stamped a little before the first of their segment, where the clock was set; µs. */
export const SLACK_US = 60_000_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

type Begun = Pick<SegmentName, 'startedMs' | 'ofDate'>

/** When the hour began in which a segment was begun, ms. */
export const segmentHourMs = ({ startedMs }: Begun) => Math.floor(startedMs / HOUR_MS) * HOUR_MS

/**
 * When a segment ends at the latest, ms: with the hour in which it was begun or, where its name says nothing of an hour,
 * with its date. What was on its way then is in it, too.
 */
export function segmentEndMs({ startedMs, ofDate }: Begun): number {
  const lengthMs = ofDate ? DAY_MS : HOUR_MS
  return (Math.floor(startedMs / lengthMs) + 1) * lengthMs
}

/** Whether a segment may hold lines that were received at a moment, or later, up to another; µs. */
export function mayHoldLinesOf(name: Begun, { fromUs = -Infinity, toUs = Infinity }): boolean {
  return name.startedMs * 1000 - SLACK_US < toUs && segmentEndMs(name) * 1000 + SLACK_US > fromUs
}
