const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const OPEN = new Set([0x5b, 0x7b])
const CLOSE = new Set([0x5d, 0x7d])

/**
 * The elements of the JSON array that starts at `from`, each as it is spelled: ids beyond 2^53 keep their digits.
 * @param text must be valid JSON
 */
export function elementsAt(text: Buffer, from: number): Buffer[] {
  const elements: Buffer[] = []
  let depth = 0
  let start = from + 1
  for (let at = from; at < text.length; at++) {
    const byte = text[at] ?? 0
    if (byte === QUOTE) at = closingQuote(text, at + 1)
    else if (OPEN.has(byte)) depth++
    else if (byte === COMMA && depth === 1) {
      elements.push(text.subarray(start, at))
      start = at + 1
    } else if (CLOSE.has(byte) && --depth === 0) {
      if (at > start) elements.push(text.subarray(start, at))
      return elements
    }
  }
  return elements
}

function closingQuote(text: Buffer, from: number): number {
  let at = from
  while (at < text.length && text[at] !== QUOTE) at += text[at] === BACKSLASH ? 2 : 1
  return at
}
