import { join } from 'node:path'
import { decodedLines } from '../../../formats/decode-segment.js'
import { parseJournalEvent, type JournalEvent } from '../../../formats/journal/entry.js'
import { parseSegmentPath, type SegmentName } from '../../../formats/raw-path.js'
import { parseLine } from '../../../formats/raw-line.js'
import { segmentEndMs } from '../../../formats/segment-span.js'
import { unionOf, type Span } from '../../../platform/spans.js'
import { hasErrno } from '../../../platform/edge-error.js'
import { ASKED_CONNECTIONS } from '../../../formats/asked-connections.js'
import type { SegmentFile } from './find-segments.js'

/** What the journal of a run says that bears on `seq`. */
export interface Declared {
  /** The recorder said that it ended; else it was killed, is at work, or that part of the journal is not here. */
  stopped: boolean
  /** Frames that were taken and are in no file. */
  lost: Span[]
  /** Longest time between a frame's arrival and its being safe, and longest span of a segment, µs. */
  unsafeUs: number
  slotUs: number
  /** Segments that went on beyond their slot, by number, and until when. */
  long: Map<number, { name: SegmentName; toUs: number }>
  /** Stamps that came twice, since the wall clock was set back from the end of a span to its begin. */
  setBack: Span[]
}

/** The recorder compares its clocks about once a second, and journals a step right after it found it. */
const STEP_NEAR_US = 2_000_000

/** Reads the journal of one run; what cannot be read there is said by the proof of its segments. */
export function readDeclared(root: string, segments: readonly SegmentFile[]): Declared {
  const declared: Declared = {
    stopped: false,
    lost: [],
    unsafeUs: 2_000_000,
    slotUs: 3_600_000_000,
    long: new Map(),
    setBack: [],
  }
  for (const segment of segments) {
    if (segment.name.channel !== 'journal') continue
    for (const line of linesOf(root, segment)) {
      const parsed = parseLine(line)
      const event = parseJournalEvent(parsed?.frame.toString('utf8') ?? '')
      if (parsed && event) takeEvent(event, parsed.recvUs, declared)
    }
  }
  return declared
}

function* linesOf(root: string, { path, isOpen, bytes }: SegmentFile): Generator<Buffer, void> {
  try {
    yield* decodedLines(join(root, path), isOpen ? bytes : Infinity)
  } catch (error) {
    // Sealed or deleted since it was listed; what it said is then missing here, and the proof says more, not less.
    if (!hasErrno(error, 'ENOENT')) throw error
  }
}

function takeEvent({ event, detail }: JournalEvent, recvUs: number, declared: Declared): void {
  if (event === 'stopped') declared.stopped = true
  else if (event === 'lost') {
    const { from_us: fromUs, to_us: toUs } = detail
    if (fromUs !== undefined && toUs !== undefined) declared.lost.push({ fromUs, toUs })
  } else if (event === 'clock_step') {
    const { step_us: stepUs = 0 } = detail
    const again = { fromUs: recvUs - STEP_NEAR_US, toUs: recvUs - stepUs + STEP_NEAR_US }
    if (stepUs < 0) declared.setBack = unionOf([...declared.setBack, again])
  } else if (event === 'goes_on') {
    const name = parseSegmentPath(detail.path ?? '')?.name
    if (name) declared.long.set(name.number, { name, toUs: detail.to_us ?? segmentEndMs(name) * 1000 })
  } else if (event === 'started') {
    const { flush_ms: flushMs, fsync_ms: fsyncMs, rotate_minutes: minutes } = detail
    if (flushMs === undefined || fsyncMs === undefined || minutes === undefined) return
    declared.unsafeUs = (flushMs + fsyncMs) * 1000
    declared.slotUs = minutes * 60_000_000
  }
}

/**
 * Whether receive times may go back from one to another: where the clock was set back, stamps of what came by no WebSocket
 * follow it. A WebSocket is renewed instead, so that its own never go back.
 */
export function mayGoBack(conn: string, lateUs: number, earlyUs: number, { setBack }: Declared): boolean {
  if (conn !== 'journal' && !ASKED_CONNECTIONS.includes(conn)) return false
  return setBack.some(({ fromUs, toUs }) => earlyUs >= fromUs && lateUs <= toUs)
}
