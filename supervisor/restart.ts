/** A part that ran this long had started well: its next death counts as the first. */
export const STABLE_MS = 60_000
const FIRST_DELAY_MS = 500
export const LONGEST_DELAY_MS = 30_000

/** What to do after a part died by itself: how long to wait before the next start, and how many deaths in a row that was. */
export function afterDeath(deathsBefore: number, ranMs: number): { deaths: number; delayMs: number } {
  const deaths = ranMs >= STABLE_MS ? 1 : deathsBefore + 1
  // The exponent is bounded so that no number of deaths overflows.
  const delayMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(deaths - 1, 16))
  return { deaths, delayMs }
}
