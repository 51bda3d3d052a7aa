import { endOfString, endOfValue, isText, SIGNS, skipBlanks } from '../../platform/json-bytes.js'

/**
 * A value's place in a frame, found in its bytes: what is before it is skipped, not parsed. A frame is whatever came off
 * the wire, so any bytes are taken; what is not there, or no JSON up to there, is not found.
 */

const { QUOTE, COMMA, COLON, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT } = SIGNS

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
    else if (frame[at] === OPEN_LIST && step.index >= 0) at = elementOf(frame, at + 1, step.index)
    else return undefined
    if (at < 0) return undefined
  }
  if (pointer.length === 0) return { from: 0, to: frame.length }
  const to = endOfValue(frame, at)
  return to > at ? { from: at, to } : undefined
}

/** The text that a pointer leads to: a string without its quotes, escapes as they are; a number as it is written. */
export function textAt(frame: Buffer, pointer: Pointer, bytesMax: number): string | undefined {
  const span = find(frame, pointer)
  if (!span) return undefined
  const { from, to } = span
  if (to - from > bytesMax + 2) return undefined
  if (frame[from] === QUOTE) return to - from > 1 ? frame.toString('utf8', from + 1, to - 1) : undefined
  if (pointer.length > 0 && (frame[from] === OPEN_OBJECT || frame[from] === OPEN_LIST)) return undefined
  return frame.toString('utf8', from, to)
}

function memberOf(frame: Uint8Array, from: number, key: Buffer): number {
  for (let at = from; ;) {
    at = skipBlanks(frame, at)
    const end = endOfString(frame, at)
    if (end < 0) return -1
    const found = isText(frame, at + 1, end - 1, key)
    at = skipBlanks(frame, end)
    if (at >= frame.length || frame[at] !== COLON) return -1
    at = skipBlanks(frame, at + 1)
    if (found) return at
    if ((at = commaBehind(frame, at)) < 0) return -1
    at++
  }
}

function elementOf(frame: Uint8Array, from: number, index: number): number {
  let at = skipBlanks(frame, from)
  for (let passed = 0; passed < index; passed++) {
    if ((at = commaBehind(frame, at)) < 0) return -1
    at = skipBlanks(frame, at + 1)
  }
  return at < frame.length && frame[at] !== CLOSE_LIST ? at : -1
}

/** The comma behind the value that starts at `from`; -1 where there is none. */
function commaBehind(frame: Uint8Array, from: number): number {
  const end = endOfValue(frame, from)
  if (end < 0) return -1
  const at = skipBlanks(frame, end)
  return at < frame.length && frame[at] === COMMA ? at : -1
}
