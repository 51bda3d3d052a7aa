/** A file may be written in the moment between a look at the clock and one at the file, ms. */
const AHEAD_MS_MAX = 60_000

/**
 * The last of several signs, ms since the epoch; 0 where there was none. One that lies ahead was given before the clock was
 * set back, nobody knows how long ago: it counts as none, as does one
 * that is no time, or what died then would be waited for as long. Pure.
 */
export function lastSignMs(nowMs: number, signs: readonly (number | undefined)[]): number {
  return Math.max(0, ...signs.flatMap(ms => (ms !== undefined && ms <= nowMs + AHEAD_MS_MAX ? ms : [])))
}
