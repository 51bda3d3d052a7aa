import { segmentEndMs } from '../../../formats/segment-span.js'
import type { Declared } from './declared.js'
import type { SegmentFile } from './find-segments.js'
import type { Span } from '../../../platform/spans.js'

/** Segments of a run that are not here, and when they may have been written. */
export interface MissingSegments extends Span {
  fromNumber: number
  /** Infinity where nobody knows how many follow. */
  toNumber: number
}

/** A segment is named for its first frame; frames of other families may be stamped a little earlier. */
const SLACK_US = 60_000_000

/**
 * The holes in the numbers of a run's segments: gone by retention, not brought here yet, still open elsewhere, or never
 * written since the disk refused. Pure.
 * @param segments of one run
 * @param declared longest span of a segment, and those that went on beyond it
 * @param mayFollow whether there may be later ones than those here
 */
export function missingSegments(
  segments: readonly SegmentFile[],
  { slotUs, long }: Pick<Declared, 'slotUs' | 'long'>,
  mayFollow: boolean,
): MissingSegments[] {
  const known = [...segments].sort((a, b) => a.name.number - b.name.number)
  const missing: MissingSegments[] = []
  let number = 0
  let startedUs = 0
  for (const { name } of known) {
    const nextUs = name.startedMs * 1000
    if (name.number > number + 1) {
      const toUs = Math.max(startedUs, nextUs) + slotUs + SLACK_US
      missing.push({ fromNumber: number + 1, toNumber: name.number - 1, fromUs: startedUs - SLACK_US, toUs })
    }
    number = name.number
    startedUs = nextUs
  }
  const here = new Set(known.map(({ name }) => name.number))
  for (const { name, toUs } of long.values()) {
    const bounds = { fromUs: name.startedMs * 1000 - SLACK_US, toUs: toUs + SLACK_US }
    if (!here.has(name.number)) missing.push({ fromNumber: name.number, toNumber: name.number, ...bounds })
  }
  if (mayFollow)
    missing.push({ fromNumber: number + 1, toNumber: Infinity, fromUs: startedUs - SLACK_US, toUs: Infinity })
  return missing
}

/** A segment that is here, and whose frames nobody knows. */
export function unreadable({ name }: SegmentFile, slotUs: number): MissingSegments {
  const startedUs = name.startedMs * 1000
  const toUs = (name.ofDate ? segmentEndMs(name) * 1000 : startedUs + slotUs) + SLACK_US
  return { fromNumber: name.number, toNumber: name.number, fromUs: startedUs - SLACK_US, toUs }
}

export function numbersText({ fromNumber, toNumber }: MissingSegments): string {
  if (toNumber === Infinity) return `segments ${fromNumber} and later`
  return fromNumber === toNumber ? `segment ${fromNumber}` : `segments ${fromNumber} to ${toNumber}`
}
