import type { Gap } from '../../formats/journal/gap.js'

/** How many gaps a family has within a span, and how long they are together; what healed is none. Pure. */
export function gapsWithin(gaps: readonly Gap[], family: string | undefined, fromUs: number, toUs: number) {
  const inside = gaps
    .filter(
      gap =>
        gap.healed !== true &&
        gap.fromUs < toUs &&
        (gap.toUs ?? toUs) >= fromUs &&
        (family === undefined || gap.families.length === 0 || gap.families.includes(family)),
    )
    .sort((a, b) => a.fromUs - b.fromUs)
  let us = 0
  let end = fromUs
  for (const gap of inside) {
    const gapEnd = Math.min(toUs, gap.toUs ?? toUs)
    us += Math.max(0, gapEnd - Math.max(end, gap.fromUs))
    end = Math.max(end, gapEnd)
  }
  return { count: inside.length, seconds: us / 1e6 }
}
