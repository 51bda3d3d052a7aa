/**
 * How Deribit spells numbers. The same field changes its spelling from frame to frame (`2000.0`, `2.0e3`, `2000`), so
 * the simulator rotates through the ways and a reader that compares text is found out.
 */

/** plain: `2000.0`, `0.000031`. short: `2.0e3`, `3.1e-5`. whole: like plain, but whole values bare: `2000`. */
export type Spelling = 'plain' | 'short' | 'whole'

const ROTATION: readonly Spelling[] = ['plain', 'short', 'plain', 'whole', 'plain', 'short', 'plain', 'plain']

/** The spelling of one frame, from any number that differs between frames. */
export function spellingFor(frameNumber: number): Spelling {
  return ROTATION[Math.abs(frameNumber) % ROTATION.length] ?? 'plain'
}

/** Text of a finite float; every spelling of a value parses back to exactly that value. */
export function spellFloat(value: number, spelling: Spelling): string {
  const size = Math.abs(value)
  if (Number.isInteger(value)) {
    if (size >= EXPONENT_FROM) return scientific(value)
    const text = String(value)
    if (spelling === 'whole') return text
    if (spelling === 'short' && value !== 0 && value % 100 === 0) {
      const short = scientific(value)
      if (short.length < text.length + 2) return short
    }
    return `${text}.0`
  }
  if (size < EXPONENT_BELOW || (spelling === 'short' && size < 1e-3)) return scientific(value)
  return String(value)
}

/** JavaScript itself writes exponents from here on, and below. */
const EXPONENT_FROM = 1e21
const EXPONENT_BELOW = 1e-6

/** `1e-7` is `1.0e-7` here: the mantissa always has a fraction, the exponent never a plus. */
function scientific(value: number): string {
  const text = value.toExponential().replace('e+', 'e')
  return text.includes('.') ? text : text.replace('e', '.0e')
}
