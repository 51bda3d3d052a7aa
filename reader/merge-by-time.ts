import type { LineFrame } from './frame.js'

/** The frames of one segment, not opened before its turn. */
export interface MergeInput {
  /** No frame of it was received before, µs; -Infinity where that is not known. */
  notBeforeUs: number
  open: () => Iterator<LineFrame[], void>
}

/** Frames in one batch. */
const BATCH_MAX = 1024

interface Reader {
  blocks: Iterator<LineFrame[], void>
  frames: LineFrame[]
  at: number
  /** The frame at hand: `frames[at]`. */
  frame: LineFrame
}

/**
 * Frames of many segments in the order of receive time, in batches; those of one segment stay in its order. A segment is
 * opened when its time has come, so that memory holds a block and the decoder of each segment that was written at that
 * time, however long the recording. An empty batch says that a block was read in which nothing was wanted: a caller can
 * let other work run.
 * @param inputs by `notBeforeUs`; asked for one ahead
 */
export function* mergeByTime(inputs: Iterable<MergeInput>): Generator<LineFrame[], void> {
  const waiting = inputs[Symbol.iterator]()
  /** A heap: the reader with the earliest frame is the first. */
  const readers: Reader[] = []
  const opened = new Set<Iterator<LineFrame[], void>>()
  let next = waiting.next()
  let batch: LineFrame[] = []
  try {
    for (;;) {
      // Opens what may hold a frame before the earliest one at hand.
      while (next.done !== true && (readers[0] === undefined || next.value.notBeforeUs <= readers[0].frame.recvUs)) {
        const blocks = next.value.open()
        opened.add(blocks)
        const frames = yield* nextBlock(blocks)
        if (frames?.[0]) insert(readers, { blocks, frames, at: 0, frame: frames[0] })
        else opened.delete(blocks)
        next = waiting.next()
      }
      const [first] = readers
      if (!first) break
      const openUs = next.done === true ? Infinity : next.value.notBeforeUs
      const rival = rivalOf(readers)
      do {
        batch.push(first.frame)
        if (batch.length === BATCH_MAX) {
          yield batch
          batch = []
        }
        let frame = first.frames[++first.at]
        if (frame === undefined) {
          first.frames = (yield* nextBlock(first.blocks)) ?? []
          first.at = 0
          frame = first.frames[0]
        }
        if (frame === undefined) {
          opened.delete(first.blocks)
          removeFirst(readers)
          break
        }
        first.frame = frame
      } while (first.frame.recvUs < openUs && (rival === undefined || precedes(first.frame, rival.frame)))
      if (readers[0] === first) sink(readers)
    }
    if (batch.length > 0) yield batch
  } finally {
    for (const blocks of opened) blocks.return?.()
  }
}

/** The next block that has a frame; undefined at the end of the segment. */
function* nextBlock(blocks: Iterator<LineFrame[], void>): Generator<LineFrame[], LineFrame[] | undefined> {
  for (let next = blocks.next(); next.done !== true; next = blocks.next()) {
    if (next.value.length > 0) return next.value
    yield []
  }
  return undefined
}

/** Frames of one moment: those of one connection by their count, others by where they come from. */
function precedes(one: LineFrame, other: LineFrame): boolean {
  if (one.recvUs !== other.recvUs) return one.recvUs < other.recvUs
  const run = one.segment?.run ?? ''
  const otherRun = other.segment?.run ?? ''
  if (run !== otherRun) return run < otherRun
  if (one.conn !== other.conn) return one.conn < other.conn
  return one.seq < other.seq
}

/** The reader whose frame comes next after the first one's. */
function rivalOf(readers: readonly Reader[]): Reader | undefined {
  const [, left, right] = readers
  if (!left || !right) return left
  return precedes(right.frame, left.frame) ? right : left
}

function insert(readers: Reader[], reader: Reader): void {
  let at = readers.length
  readers.push(reader)
  while (at > 0) {
    const parent = (at - 1) >> 1
    const above = readers[parent]
    if (!above || !precedes(reader.frame, above.frame)) break
    readers[at] = above
    at = parent
  }
  readers[at] = reader
}

function removeFirst(readers: Reader[]): void {
  const last = readers.pop()
  if (!last || readers.length === 0) return
  readers[0] = last
  sink(readers)
}

/** Moves the first reader down to its place. */
function sink(readers: Reader[]): void {
  const [reader] = readers
  if (!reader) return
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    let below = readers[child]
    const right = readers[child + 1]
    if (below && right && precedes(right.frame, below.frame)) {
      below = right
      child++
    }
    if (!below || !precedes(below.frame, reader.frame)) break
    readers[at] = below
    at = child
  }
  readers[at] = reader
}
