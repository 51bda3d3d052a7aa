/**
 * Walks over JSON in its bytes, without building it. Any bytes are taken: what is not there is not found, and what is no
 * JSON ends nowhere.
 *
 * Written for speed: positions are checked against the end before a byte is read, since a read beyond it makes the engine
 * give up its fast path for good.
 */

/** To be taken apart into constants of a module's own: the engine folds those, but not what is imported. */
export const SIGNS = {
  QUOTE: 0x22,
  BACKSLASH: 0x5c,
  COMMA: 0x2c,
  COLON: 0x3a,
  OPEN_LIST: 0x5b,
  CLOSE_LIST: 0x5d,
  OPEN_OBJECT: 0x7b,
  CLOSE_OBJECT: 0x7d,
  ZERO: 0x30,
} as const
const { QUOTE, BACKSLASH, COMMA, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT, ZERO } = SIGNS

/** Whether these bytes stand at a place. */
export function standsAt(bytes: Uint8Array, at: number, text: Uint8Array): boolean {
  if (at < 0 || at + text.length > bytes.length) return false
  for (let index = 0; index < text.length; index++) if (bytes[at + index] !== text[index]) return false
  return true
}

/** Whether these bytes are all that stands between two places. */
export function isText(bytes: Uint8Array, from: number, to: number, text: Uint8Array): boolean {
  if (to - from !== text.length || to > bytes.length) return false
  for (let index = 0; index < text.length; index++) if (bytes[from + index] !== text[index]) return false
  return true
}

/** A whole number of so many digits at most, which a float always holds; -1 for anything else between two places. */
export function wholeNumber(bytes: Uint8Array, from: number, to: number): number {
  if (to <= from || to - from > DIGITS_MAX || to > bytes.length) return -1
  let value = 0
  for (let at = from; at < to; at++) {
    const digit = (bytes[at] as number) - ZERO
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

const DIGITS_MAX = 15

export function skipBlanks(bytes: Uint8Array, from: number): number {
  let at = from
  while (at < bytes.length && isBlank(bytes[at] as number)) at++
  return at
}

const isBlank = (byte: number) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)

/** Behind the closing quote of the string that starts at `from`; -1 where none starts, or it does not end. */
export function endOfString(bytes: Uint8Array, from: number): number {
  if (from >= bytes.length || bytes[from] !== QUOTE) return -1
  return stringEnd(bytes, from + 1)
}

function stringEnd(bytes: Uint8Array, from: number): number {
  let at = from
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1
  return at < bytes.length ? at + 1 : -1
}

/** The same of a string that stands for itself; -1 for one with escapes, too. */
export function endOfPlainString(bytes: Uint8Array, from: number): number {
  if (from >= bytes.length || bytes[from] !== QUOTE) return -1
  for (let at = from + 1; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) return at + 1
    if (byte === BACKSLASH) return -1
  }
  return -1
}

/** The whole number that is the value at a place; -1 for any other value, such as 1.5 or 1e3. */
export function wholeNumberAt(bytes: Uint8Array, from: number): number {
  return wholeNumber(bytes, from, scalarEnd(bytes, from))
}

/** Behind a number, true, false or null. */
function scalarEnd(bytes: Uint8Array, from: number): number {
  let at = from
  for (; at < bytes.length; at++) {
    const byte = bytes[at] as number
    if (byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_LIST || byte <= 0x20) break
  }
  return at
}

/** Behind the value that starts at `from`: brackets are counted, not matched; -1 where it does not end. */
export function endOfValue(bytes: Uint8Array, from: number): number {
  if (from >= bytes.length) return -1
  const first = bytes[from]
  if (first === QUOTE) return stringEnd(bytes, from + 1)
  if (first !== OPEN_LIST && first !== OPEN_OBJECT) return scalarEnd(bytes, from)
  let depth = 0
  for (let at = from; at < bytes.length;) {
    const byte = bytes[at]
    if (byte === QUOTE) {
      at = stringEnd(bytes, at + 1)
      if (at < 0) return -1
      continue
    }
    at++
    if (byte === OPEN_LIST || byte === OPEN_OBJECT) depth++
    else if ((byte === CLOSE_LIST || byte === CLOSE_OBJECT) && --depth === 0) return at
  }
  return -1
}

/** The elements of the list that starts at `from`, each as it is spelled: ids beyond 2^53 keep their digits. */
export function* elementsAt(text: Buffer, from: number): Generator<Buffer> {
  for (let at = skipBlanks(text, from + 1); at < text.length && text[at] !== CLOSE_LIST;) {
    const end = endOfValue(text, at)
    if (end <= at) return
    yield text.subarray(at, end)
    at = skipBlanks(text, end)
    if (text[at] === COMMA) at = skipBlanks(text, at + 1)
  }
}
