import { SIGNS } from '../platform/json-bytes.js'

/**
 * Whether bytes are one JSON value by RFC 8259, without building it: a raw line must be JSON, and a parse of every frame
 * would cost more than all else that the recorder does (figures: `npm run bench recorder`). Whole batches are looked at by
 * the same walk in WebAssembly (`json-lines.ts`), which must change with this one.
 *
 * Written for speed: positions are checked against the end before a byte is read, since a read beyond it makes the
 * engine give up its fast path for good. `as number` says that this was done.
 */

/** Deeper nesting than this counts as no JSON: several readers of our files recurse and would give up on the whole file. */
export const MAX_DEPTH = 512

const { QUOTE, BACKSLASH, COMMA, COLON, OPEN_LIST, OPEN_OBJECT } = SIGNS
/** Both closing brackets stand two places behind their opening ones. */
const TO_CLOSING = 2

const bytesIn = (characters: string) => {
  const table = new Uint8Array(256)
  for (const character of characters) table[character.charCodeAt(0)] = 1
  return table
}

/** Bytes that stand for themselves inside a string. */
const PLAIN = new Uint8Array(256).fill(1, 0x20)
PLAIN[QUOTE] = 0
PLAIN[BACKSLASH] = 0
const ESCAPABLE = bytesIn('"\\/bfnrt')
const HEX = bytesIn('0123456789abcdefABCDEF')

/** The opening bracket of each container that is open; no allocation per frame. */
const stack = new Uint8Array(MAX_DEPTH)

/**
 * True when the bytes from `from` up to `end` are one JSON object or array, in one line: no white space that would break
 * a line of JSONL. The encoding (UTF-8) is the caller's to check.
 */
export function isJsonLine(bytes: Uint8Array, from = 0, end = bytes.length): boolean {
  if (end - from < 2 || (bytes[from] !== OPEN_OBJECT && bytes[from] !== OPEN_LIST)) return false
  let at = from
  let depth = 0
  // A value is due at the top of the loop; behind it, the inner loop closes containers until the next value is due.
  for (;;) {
    at = skipBlanks(bytes, at, end)
    if (at >= end) return false
    const byte = bytes[at] as number
    if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      if (depth === MAX_DEPTH) return false
      stack[depth++] = byte
      at = skipBlanks(bytes, at + 1, end)
      if (at >= end) return false
      if (bytes[at] !== byte + TO_CLOSING) {
        if (byte === OPEN_OBJECT && (at = skipKey(bytes, at, end)) < 0) return false
        continue
      }
    } else if ((at = skipScalar(bytes, at, end)) < 0) return false

    for (;;) {
      at = skipBlanks(bytes, at, end)
      if (at >= end) return false
      const container = stack[depth - 1] as number
      if (bytes[at] === COMMA) {
        at = skipBlanks(bytes, at + 1, end)
        if (container === OPEN_OBJECT && (at = skipKey(bytes, at, end)) < 0) return false
        break
      }
      if (bytes[at] !== container + TO_CLOSING) return false
      at++
      if (--depth === 0) return skipBlanks(bytes, at, end) === end
    }
  }
}

/** Spaces and tabs only: a line feed or carriage return inside a frame would end our line. */
function skipBlanks(bytes: Uint8Array, from: number, end: number): number {
  // Exchanges send none: this one look costs a tenth less than the loop.
  if (from < end && (bytes[from] as number) > 0x20) return from
  let at = from
  while (at < end && (bytes[at] === 0x20 || bytes[at] === 0x09)) at++
  return at
}

/** A string and the colon behind it; -1 where there is none. Returns where the value starts. */
function skipKey(bytes: Uint8Array, from: number, end: number): number {
  if (from >= end || bytes[from] !== QUOTE) return -1
  const closed = skipString(bytes, from + 1, end)
  if (closed < 0) return -1
  const colon = skipBlanks(bytes, closed, end)
  return colon < end && bytes[colon] === COLON ? colon + 1 : -1
}

/** From behind the opening quote to behind the closing one; -1 for a string that does not end or is spelled wrongly. */
function skipString(bytes: Uint8Array, from: number, end: number): number {
  let at = from
  for (;;) {
    while (at < end && PLAIN[bytes[at] as number] === 1) at++
    if (at >= end) return -1
    if (bytes[at] === QUOTE) return at + 1
    if (bytes[at] !== BACKSLASH || (at = skipEscape(bytes, at + 1, end)) < 0) return -1
  }
}

function skipEscape(bytes: Uint8Array, from: number, end: number): number {
  if (from >= end) return -1
  if (bytes[from] !== 0x75) return ESCAPABLE[bytes[from] as number] === 1 ? from + 1 : -1
  if (from + 5 > end) return -1
  for (let digit = from + 1; digit < from + 5; digit++) if (HEX[bytes[digit] as number] !== 1) return -1
  return from + 5
}

/** A string, number, true, false or null; -1 for anything else. `from` is before the end. */
function skipScalar(bytes: Uint8Array, from: number, end: number): number {
  switch (bytes[from]) {
    case QUOTE:
      return skipString(bytes, from + 1, end)
    case 0x74:
      return skipWord(bytes, from, end, TRUE)
    case 0x66:
      return skipWord(bytes, from, end, FALSE)
    case 0x6e:
      return skipWord(bytes, from, end, NULL)
    default:
      return skipNumber(bytes, from, end)
  }
}

const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')
const NULL = Buffer.from('null')

function skipWord(bytes: Uint8Array, from: number, end: number, word: Uint8Array): number {
  if (from + word.length > end) return -1
  for (let index = 1; index < word.length; index++) if (bytes[from + index] !== word[index]) return -1
  return from + word.length
}

function skipNumber(bytes: Uint8Array, from: number, end: number): number {
  let at = bytes[from] === 0x2d ? from + 1 : from
  if (at < end && bytes[at] === 0x30) at++
  else if ((at = skipDigits(bytes, at, end)) < 0) return -1
  if (at < end && bytes[at] === 0x2e && (at = skipDigits(bytes, at + 1, end)) < 0) return -1
  if (at < end && (bytes[at] === 0x65 || bytes[at] === 0x45)) {
    at++
    if (at < end && (bytes[at] === 0x2b || bytes[at] === 0x2d)) at++
    at = skipDigits(bytes, at, end)
  }
  return at
}

/** At least one digit, else -1. */
function skipDigits(bytes: Uint8Array, from: number, end: number): number {
  let at = from
  while (at < end && (bytes[at] as number) >= 0x30 && (bytes[at] as number) <= 0x39) at++
  return at === from ? -1 : at
}
