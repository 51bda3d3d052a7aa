import { join } from 'node:path'
import { z } from 'zod'
import { hasErrno } from '../../../platform/edge-error.js'
import { parseLine } from '../../../formats/raw-line.js'
import { decodedLines } from '../../../formats/decode-segment.js'
import type { SegmentFile } from './find-segments.js'

export interface Span {
  fromUs: number
  toUs: number
}

/** What the journal of a run says that bears on `seq`. */
export interface Declared {
  /** The recorder said that it ended; else it was killed, is at work, or that part of the journal is not here. */
  stopped: boolean
  /** Frames that were taken and are in no file. */
  lost: Span[]
  /** Longest time between a frame's arrival and its being safe, and longest span of a segment, µs. */
  unsafeUs: number
  slotUs: number
}

const event = z.object({ event: z.string() })
const lost = z.object({ event: z.literal('lost'), from_us: z.number(), to_us: z.number() })
const started = z.object({
  event: z.literal('started'),
  flush_ms: z.number(),
  fsync_ms: z.number(),
  rotate_minutes: z.number(),
})

/** Reads the journal of one run; what cannot be read there is said by the proof of its segments. */
export function readDeclared(root: string, segments: readonly SegmentFile[]): Declared {
  const declared: Declared = { stopped: false, lost: [], unsafeUs: 2_000_000, slotUs: 3_600_000_000 }
  for (const segment of segments) {
    if (segment.name.channel !== 'journal') continue
    for (const line of linesOf(root, segment)) takeEvent(line, declared)
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

function takeEvent(line: Buffer, declared: Declared): void {
  const value = jsonIn(line)
  switch (event.safeParse(value).data?.event ?? '') {
    case 'stopped':
      declared.stopped = true
      break
    case 'lost': {
      const { data } = lost.safeParse(value)
      if (data) declared.lost.push({ fromUs: data.from_us, toUs: data.to_us })
      break
    }
    case 'started': {
      const { data } = started.safeParse(value)
      if (!data) break
      declared.unsafeUs = (data.flush_ms + data.fsync_ms) * 1000
      declared.slotUs = data.rotate_minutes * 60_000_000
    }
  }
}

function jsonIn(line: Buffer): unknown {
  try {
    return JSON.parse(parseLine(line)?.frame.toString('utf8') ?? 'null')
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
