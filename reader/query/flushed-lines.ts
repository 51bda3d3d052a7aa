import { setImmediate as nextTurn } from 'node:timers/promises'
import { APPEND_LEVEL } from '../../platform/zstd.js'
import { ZstdFile } from '../../platform/zstd-file.js'
import { decodeSegment } from '../../formats/decode-segment.js'
import { firstFrameFrom } from '../../formats/first-frame.js'
import { LineHeadReader } from '../../formats/line-head.js'
import { isOpenPath } from '../../formats/raw-path.js'
import { endOfLine } from '../../formats/stored-line.js'

const LINE_FEED = 0x0a

/** Which lines can matter; others may be among what is copied. */
export interface WantedLines {
  /** Received at this time or later, µs since the epoch. */
  fromUs?: number | undefined
  /** Holding one of these texts. */
  names?: readonly string[] | undefined
}

/** Texts may be spelled with escapes, or stand in a message that is no JSON: such lines are kept. */
const SPELLED_OTHERWISE = ['\\', ',"text":', ',"base64":']

/**
 * Copies the whole lines of a segment, open or sealed, to a zstd file of one frame: what an open one holds up to its
 * last flush. Of an open one, only zstd frames are read that may hold what is wanted. Memory: a chunk, and the longest line.
 * @returns how many lines
 */
export async function copyLines(path: string, target: string, wanted: WantedLines = {}): Promise<number> {
  const { fromUs } = wanted
  const file = new ZstdFile(target, APPEND_LEVEL)
  try {
    let lines = 0
    let rest: Buffer[] = []
    const from = fromUs !== undefined && isOpenPath(path) ? firstFrameFrom(path, fromUs) : 0
    const chosen = choiceOf(wanted)
    for (const { bytes } of decodeSegment(path, from)) {
      // A copy: the decoder's memory is used again for the next chunk.
      const chunk = Buffer.from(bytes)
      const end = chunk.lastIndexOf(LINE_FEED) + 1
      if (end > 0) {
        const whole = rest.length > 0 ? Buffer.concat([...rest, chunk.subarray(0, end)]) : chunk.subarray(0, end)
        for (const piece of chosen(whole)) {
          for (let at = endOfLine(piece, 0); at >= 0; at = endOfLine(piece, at + 1)) lines++
          file.write(piece)
        }
        await nextTurn()
        rest = []
      }
      if (end < chunk.length) rest.push(chunk.subarray(end))
    }
    file.end()
    return lines
  } finally {
    file.close()
  }
}

/** What is kept of a block of whole lines, in pieces of whole lines; lines are looked for by their bytes, not one by one. */
function choiceOf({ fromUs = -Infinity, names }: WantedLines): (block: Buffer) => Buffer[] {
  const heads = new LineHeadReader()
  const isLate = (block: Buffer, from: number, to: number) => {
    const head = heads.read(block, from, to)
    return head === undefined || head.recvUs >= fromUs
  }
  if (names === undefined && fromUs === -Infinity) return block => [block]
  const needles = names && [...names, ...SPELLED_OTHERWISE].map(text => Buffer.from(text))
  return block => {
    const kept: Buffer[] = []
    const next = needles?.map(needle => block.indexOf(needle))
    for (let at = 0; at < block.length;) {
      const from = next && needles ? lineWith(block, at, needles, next) : at
      if (from < 0) break
      const to = endOfLine(block, from)
      if (isLate(block, from, to)) kept.push(block.subarray(from, to + 1))
      at = to + 1
    }
    return kept.length > 0 ? [Buffer.concat(kept)] : []
  }
}

/** Where the first line from `at` on begins that holds a needle; -1: there is none. `next`: where each stands next. */
function lineWith(block: Buffer, at: number, needles: readonly Buffer[], next: number[]): number {
  let first = Infinity
  for (const [index, needle] of needles.entries()) {
    if (next[index] !== -1 && (next[index] ?? -1) < at) next[index] = block.indexOf(needle, at)
    if (next[index] !== -1) first = Math.min(first, next[index] ?? Infinity)
  }
  return first === Infinity ? -1 : block.lastIndexOf(LINE_FEED, first) + 1
}
