import { wholeNumberAt } from '../../platform/json-bytes.js'
import { parsedObject } from '../../platform/json-object.js'
import type { BookIds } from '../book-chain.js'

const UPDATE = Buffer.from('"u":')
const TYPE = Buffer.from('"type":"')
const DELTA = Buffer.from('delta"')
/** The type stands in the head of a frame, `u` right behind the levels. */
const HEAD_BYTES = 250
const TAIL_BYTES = 160

/**
 * What a frame of a book says of its place in the sequence, found in its bytes; parsed where it is spelled otherwise.
 * `u` rises by 1; 1 says that the service began anew, whatever the frame calls itself.
 */
export function bookIdsIn(frame: Buffer): BookIds | undefined {
  const from = Math.max(0, frame.length - TAIL_BYTES)
  const at = frame.lastIndexOf(UPDATE)
  const type = frame.subarray(0, HEAD_BYTES).indexOf(TYPE)
  if (at < from || type < 0) return parsedIds(frame)
  const update = wholeNumberAt(frame, at + UPDATE.length)
  if (!(update >= 0)) return parsedIds(frame)
  const start = type + TYPE.length
  return idsOf(update, frame.subarray(start, start + DELTA.length).equals(DELTA))
}

function parsedIds(frame: Buffer): BookIds | undefined {
  const { type, data } = parsedObject(frame) ?? {}
  if (typeof data !== 'object' || data === null || !('u' in data) || typeof data.u !== 'number') return undefined
  return idsOf(data.u, type === 'delta')
}

function idsOf(update: number, isDelta: boolean): BookIds {
  const isSnapshot = !isDelta || update === 1
  return { isSnapshot, changeId: update, prevChangeId: isSnapshot ? undefined : update - 1 }
}

const ID = Buffer.from('"i":"')
const QUOTE = 0x22
/** A UUID has 36 letters. */
const ID_BYTES_MAX = 64

/** Calls `visit` with a number for the id of each trade of a frame: hashes, of 53 bits, of texts. */
export function eachTradeId(frame: Buffer, visit: (id: number) => void): void {
  for (let at = frame.indexOf(ID); at >= 0; at = frame.indexOf(ID, at + 1)) {
    const from = at + ID.length
    const end = frame.indexOf(QUOTE, from)
    if (end > from && end - from <= ID_BYTES_MAX) visit(hashOf(frame, from, end))
  }
}

/** The same of a text. */
export function tradeIdOf(text: string): number {
  const bytes = Buffer.from(text, 'latin1')
  return hashOf(bytes, 0, bytes.length)
}

/** Two FNV-1a of 32 bits, of which 53 bits are kept. */
function hashOf(bytes: Uint8Array, from: number, end: number): number {
  let high = 0x811c9dc5 | 0
  let low = 0x2545f491 | 0
  for (let at = from; at < end; at++) {
    const byte = bytes[at] as number
    high = Math.imul(high ^ byte, 0x01000193)
    low = Math.imul(low ^ byte, 0x01000193) + at - from
  }
  return (high >>> 11) * 0x1_0000_0000 + (low >>> 0)
}
