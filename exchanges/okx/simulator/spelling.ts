/** A number as the exchange writes it: a text without exponent, without zeros that say nothing. */
export function spelled(value: number): string {
  if (!Number.isFinite(value)) return ''
  const plain = String(value)
  if (!plain.includes('e')) return plain
  const digits = value.toFixed(18).replace(/\.?0+$/, '')
  return digits === '-0' ? '0' : digits
}

/** The same, rounded to so many decimals. */
export function rounded(value: number, decimals: number): string {
  return spelled(Number(value.toFixed(decimals)))
}
