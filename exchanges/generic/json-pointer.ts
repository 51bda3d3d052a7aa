/**
 * A value's place in a frame, found in its bytes: what is before it is skipped, not parsed. A frame is whatever came off
 * the wire, so any bytes are taken; what is not there, or no JSON up to there, is not found.
 */

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** One step of a pointer: a member's name, which in a list may be an element's number. */
interface Step {
  key: Buffer
  /** -1 where the step can be no element's. */
  index: number
}

export type Pointer = readonly Step[]

/** Where a value starts and where it ends. */
export interface Span {
  from: number
  to: number
}

/** A JSON pointer by RFC 6901; '' is the whole frame. */
export function parsePointer(text: string): Pointer {
  return text
    .split('/')
    .slice(1)
    .map(step => ({
      key: Buffer.from(step.replaceAll('~1', '/').replaceAll('~0', '~')),
      index: /^(0|[1-9]\d{0,5})$/.test(step) ? Number(step) : -1,
    }))
}

/** The value that a pointer leads to, or undefined. */
export function find(frame: Uint8Array, pointer: Pointer): Span | undefined {
  let at = skipBlanks(frame, 0)
  for (const step of pointer) {
    if (at >= frame.length) return undefined
    if (frame[at] === OPEN_OBJECT) at = memberOf(frame, at + 1, step.key)
    else if (frame[at] === OPEN_ARRAY && step.index >= 0) at = elementOf(frame, at + 1, step.index)
    else return undefined
    if (at < 0) return undefined
  }
  if (pointer.length === 0) return { from: 0, to: frame.length }
  const to = skipValue(frame, at)
  return to > at ? { from: at, to } : undefined
}

/** The text that a pointer leads to: a string without its quotes, escapes as they are; a number as it is written. */
export function textAt(frame: Buffer, pointer: Pointer, bytesMax: number): string | undefined {
  const span = find(frame, pointer)
  if (!span) return undefined
  const { from, to } = span
  if (to - from > bytesMax + 2) return undefined
  if (frame[from] === QUOTE) return to - from > 1 ? frame.toString('latin1', from + 1, to - 1) : undefined
  if (pointer.length > 0 && (frame[from] === OPEN_OBJECT || frame[from] === OPEN_ARRAY)) return undefined
  return frame.toString('latin1', from, to)
}

function memberOf(frame: Uint8Array, from: number, key: Buffer): number {
  for (let at = from; ;) {
    at = skipBlanks(frame, at)
    if (at >= frame.length || frame[at] !== QUOTE) return -1
    const end = skipString(frame, at + 1)
    const found = isKey(frame, at + 1, end - 1, key)
    at = skipBlanks(frame, end)
    if (at >= frame.length || frame[at] !== 0x3a) return -1
    at = skipBlanks(frame, at + 1)
    if (found) return at
    at = skipBlanks(frame, skipValue(frame, at))
    if (at >= frame.length || frame[at] !== COMMA) return -1
    at++
  }
}

function elementOf(frame: Uint8Array, from: number, index: number): number {
  let at = skipBlanks(frame, from)
  for (let passed = 0; passed < index; passed++) {
    at = skipBlanks(frame, skipValue(frame, at))
    if (at >= frame.length || frame[at] !== COMMA) return -1
    at = skipBlanks(frame, at + 1)
  }
  return at < frame.length && frame[at] !== CLOSE_ARRAY ? at : -1
}

function isKey(frame: Uint8Array, from: number, to: number, key: Buffer): boolean {
  if (to - from !== key.length) return false
  for (let index = 0; index < key.length; index++) if (frame[from + index] !== key[index]) return false
  return true
}

function skipBlanks(frame: Uint8Array, from: number): number {
  let at = from
  while (
    at < frame.length &&
    ((frame[at] as number) === 0x20 || ((frame[at] as number) >= 9 && (frame[at] as number) <= 13))
  )
    at++
  return at
}

/** From behind the opening quote to behind the closing one, or to the end. */
function skipString(frame: Uint8Array, from: number): number {
  let at = from
  while (at < frame.length && frame[at] !== QUOTE) at += frame[at] === BACKSLASH ? 2 : 1
  return Math.min(at + 1, frame.length)
}

/** To behind a value: brackets are counted, not matched. */
function skipValue(frame: Uint8Array, from: number): number {
  let depth = 0
  let at = from
  while (at < frame.length) {
    const byte = frame[at]
    if (byte === QUOTE) {
      at = skipString(frame, at + 1)
      if (depth === 0) return at
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      depth++
      at++
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      if (depth === 0) return at
      at++
      if (--depth === 0) return at
    } else if (depth === 0 && (byte === COMMA || byte === 0x20)) return at
    else at++
  }
  return at
}
