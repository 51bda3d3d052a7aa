/**
 * ms since the epoch, of a clock that nobody sets: setting the wall clock must neither refresh all books at once nor none
 * for hours.
 */
export function refreshClockMs(): number {
  return performance.timeOrigin + performance.now()
}

/**
 * The channels of books whose moment of the period lies after `fromMs` and not after `toMs` (since the epoch). Every book of a
 * connection has one moment in each period, spread evenly, the same in each period; the two copies of a book on two
 * connections have different ones.
 */
export function booksDue(
  books: Iterable<string>,
  conn: string,
  periodMs: number,
  fromMs: number,
  toMs: number,
): string[] {
  if (toMs <= fromMs) return []
  return [...books].filter(channel => {
    const moment = momentOf(`${conn} ${channel}`, periodMs)
    const sinceFrom = (((moment - fromMs) % periodMs) + periodMs) % periodMs
    return (sinceFrom === 0 ? periodMs : sinceFrom) <= toMs - fromMs
  })
}

/** FNV-1a, which spreads names that differ little. */
function momentOf(name: string, periodMs: number): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < name.length; index++) hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193)
  return (hash >>> 0) % periodMs
}
