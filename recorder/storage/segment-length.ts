/**
 * How long a segment goes on: families of little keep one for several hours, so that a year leaves fewer files. Decided
 * when a segment is begun, and again at each turn of an hour, by what the last hours brought. Pure.
 */
const HOUR_MS = 3_600_000

export interface LongSegments {
  /** A segment goes on for so many hours at most; they divide the day, and are counted from midnight. */
  hours: number
  /** … and while it comes to no more than this, compressed. */
  bytes: number
}

/**
 * Where a segment ends that is begun in an hour, ms. More than one hour is only for what is known to be little: for what
 * comes to no more than half of the bound in an hour.
 * @param bytesAnHour that are to be reckoned with; undefined: nobody knows
 */
export function endOfSegmentMs(
  hourMs: number,
  bytesAnHour: number | undefined,
  { hours, bytes }: LongSegments,
): number {
  const isLittle = bytesAnHour !== undefined && bytesAnHour * 2 <= bytes
  const lengthMs = isLittle ? hours * HOUR_MS : HOUR_MS
  return (Math.floor(hourMs / lengthMs) + 1) * lengthMs
}

/** At the turn of an hour: whether a segment that holds so much takes the next one, too. */
export const goesOn = (heldBytes: number, bytesAnHour: number | undefined, { bytes }: LongSegments): boolean =>
  heldBytes + (bytesAnHour ?? 0) <= bytes
