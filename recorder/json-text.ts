/**
 * Whether bytes are one JSON value by RFC 8259, without building it: a raw line must be JSON, and a parse of every frame
 * would cost more than all else that the recorder does (figures: `npm run bench recorder`).
 */

/** Deeper nesting than this counts as no JSON: several readers of our files recurse and would give up on the whole file. */
export const MAX_DEPTH = 512

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** Bytes that stand for themselves inside a string. */
const PLAIN = new Uint8Array(256).fill(1, 0x20)
PLAIN[QUOTE] = 0
PLAIN[BACKSLASH] = 0

const ESCAPABLE = new Uint8Array(256)
for (const character of '"\\/bfnrt') ESCAPABLE[character.charCodeAt(0)] = 1

const HEX = new Uint8Array(256)
for (const character of '0123456789abcdefABCDEF') HEX[character.charCodeAt(0)] = 1

const isDigit = (byte: number | undefined) => byte !== undefined && byte >= 0x30 && byte <= 0x39

/** One open container a bit: 1 for an object. A stack of bits needs no allocation per frame. */
const stack = new Uint8Array(MAX_DEPTH)

/**
 * True when `bytes` hold one JSON object or array, in one line: no white space that would break a line of JSONL.
 * The encoding (UTF-8) is the caller's to check.
 */
export function isJsonLine(bytes: Uint8Array): boolean {
  const end = bytes.length
  const first = bytes[0]
  if (first !== OPEN_OBJECT && first !== OPEN_ARRAY) return false
  let at = 0
  let depth = 0
  // A value is due at the top of the loop; after it, the inner loop closes containers until the next value is due.
  for (;;) {
    const byte = bytes[at]
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      if (depth === MAX_DEPTH) return false
      const isObject = byte === OPEN_OBJECT
      stack[depth++] = isObject ? 1 : 0
      at = skipBlanks(bytes, at + 1)
      if (bytes[at] !== (isObject ? CLOSE_OBJECT : CLOSE_ARRAY)) {
        if (isObject && (at = skipKey(bytes, at)) < 0) return false
        continue
      }
    } else {
      at = skipScalar(bytes, at)
      if (at < 0) return false
    }
    for (;;) {
      at = skipBlanks(bytes, at)
      const next = bytes[at]
      const inObject = stack[depth - 1] === 1
      if (next === COMMA) {
        at = skipBlanks(bytes, at + 1)
        if (inObject && (at = skipKey(bytes, at)) < 0) return false
        break
      }
      if (next !== (inObject ? CLOSE_OBJECT : CLOSE_ARRAY)) return false
      at++
      if (--depth === 0) return skipBlanks(bytes, at) === end
    }
  }
}

/** Spaces and tabs only: a line feed or carriage return inside a frame would end our line. */
function skipBlanks(bytes: Uint8Array, from: number): number {
  let at = from
  while (bytes[at] === 0x20 || bytes[at] === 0x09) at++
  return at
}

/** A string and the colon behind it; -1 where there is none. Returns where the value starts. */
function skipKey(bytes: Uint8Array, from: number): number {
  const end = skipString(bytes, from)
  if (end < 0) return -1
  const colon = skipBlanks(bytes, end)
  return bytes[colon] === COLON ? skipBlanks(bytes, colon + 1) : -1
}

function skipString(bytes: Uint8Array, from: number): number {
  if (bytes[from] !== QUOTE) return -1
  let at = from + 1
  for (;;) {
    while (PLAIN[bytes[at] ?? 0] === 1) at++
    const byte = bytes[at]
    if (byte === QUOTE) return at + 1
    if (byte !== BACKSLASH) return -1
    const escaped = bytes[at + 1] ?? 0
    if (escaped === 0x75) {
      for (let digit = 2; digit < 6; digit++) if (HEX[bytes[at + digit] ?? 0] !== 1) return -1
      at += 6
    } else if (ESCAPABLE[escaped] === 1) at += 2
    else return -1
  }
}

const WORDS = ['true', 'false', 'null'].map(word => Buffer.from(word))

/** A string, number, true, false or null; -1 for anything else. */
function skipScalar(bytes: Uint8Array, from: number): number {
  const byte = bytes[from]
  if (byte === QUOTE) return skipString(bytes, from)
  if (isDigit(byte) || byte === 0x2d) return skipNumber(bytes, from)
  const word = WORDS.find(candidate => candidate.every((letter, index) => bytes[from + index] === letter))
  return word === undefined ? -1 : from + word.length
}

function skipNumber(bytes: Uint8Array, from: number): number {
  let at = bytes[from] === 0x2d ? from + 1 : from
  if (bytes[at] === 0x30) at++
  else if ((at = skipDigits(bytes, at)) < 0) return -1
  if (bytes[at] === 0x2e && (at = skipDigits(bytes, at + 1)) < 0) return -1
  const byte = bytes[at]
  if (byte === 0x65 || byte === 0x45) {
    const sign = bytes[at + 1]
    at = skipDigits(bytes, sign === 0x2b || sign === 0x2d ? at + 2 : at + 1)
  }
  return at
}

/** At least one digit, else -1. */
function skipDigits(bytes: Uint8Array, from: number): number {
  let at = from
  while (isDigit(bytes[at])) at++
  return at === from ? -1 : at
}
