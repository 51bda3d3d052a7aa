import { parseLineHead } from '../../recorder/segment-format.js'

/** The lines of one segment, not opened before its turn. */
export interface MergeInput {
  /** No line of it was received before; -Infinity where that is not known. */
  notBeforeUs: number
  open: () => Iterator<Buffer, void>
}

interface Reader {
  lines: Iterator<Buffer, void>
  line: Buffer
  recvUs: number
}

/**
 * Lines of many segments in the order of receive time; those of one segment stay in its order. A segment is opened when
 * its time has come, so that memory holds one line and the decoder of each segment that was written at that time.
 */
export function* mergeByTime(inputs: readonly MergeInput[]): Generator<Buffer, void> {
  const waiting = [...inputs].sort((a, b) => a.notBeforeUs - b.notBeforeUs)
  const readers: Reader[] = []
  for (;;) {
    openDue(waiting, readers)
    const [first, ...others] = readers
    if (!first) return
    const earliest = others.reduce((best, reader) => (reader.recvUs < best.recvUs ? reader : best), first)
    const untilUs = Math.min(
      waiting[0]?.notBeforeUs ?? Infinity,
      ...readers.filter(r => r !== earliest).map(r => r.recvUs),
    )
    do {
      yield earliest.line
      if (!advance(earliest)) {
        readers.splice(readers.indexOf(earliest), 1)
        break
      }
    } while (earliest.recvUs <= untilUs)
  }
}

/** Opens what may hold a line before the earliest one at hand. */
function openDue(waiting: MergeInput[], readers: Reader[]): void {
  for (;;) {
    const [next] = waiting
    const earliestUs = Math.min(...readers.map(({ recvUs }) => recvUs))
    if (!next || next.notBeforeUs > earliestUs) return
    waiting.shift()
    const reader = { lines: next.open(), line: Buffer.alloc(0), recvUs: -Infinity }
    if (advance(reader)) readers.push(reader)
  }
}

/** A line that is not ours goes with the one before it. */
function advance(reader: Reader): boolean {
  const next = reader.lines.next()
  if (next.done === true) return false
  reader.line = next.value
  reader.recvUs = parseLineHead(reader.line.subarray(0, 160).toString('latin1'))?.recvUs ?? reader.recvUs
  return true
}
