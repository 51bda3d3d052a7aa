/** Places behind the point of NautilusTrader's fixed-point numbers. */
const SCALE = 16

/** A number's digits as a whole number of 10^-16, from its decimal text: binary noise stays out. */
export function fixedOf(value: number): bigint {
  const { digits, decimals } = decimalOf(value)
  return decimals <= SCALE ? digits * 10n ** BigInt(SCALE - decimals) : digits / 10n ** BigInt(decimals - SCALE)
}

/** How many places behind the point a number has. */
export const decimalsOf = (value: number) => decimalOf(value).decimals

/** Of a number as it is printed: 1.25e-7 is 125 with 9 decimals. */
function decimalOf(value: number): { digits: bigint; decimals: number } {
  const [mantissa = '0', exponent = '0'] = String(value).split('e')
  const [whole = '0', fraction = ''] = mantissa.split('.')
  const decimals = fraction.length - Number(exponent)
  const digits = BigInt(whole + fraction)
  return decimals >= 0 ? { digits, decimals } : { digits: digits * 10n ** BigInt(-decimals), decimals: 0 }
}

/** The same in 16 bytes, little-endian, two's complement. */
export function fixedBytes(value: number): Uint8Array {
  const bytes = Buffer.alloc(16)
  const fixed = BigInt.asUintN(128, fixedOf(value))
  bytes.writeBigUInt64LE(fixed & 0xffff_ffff_ffff_ffffn, 0)
  bytes.writeBigUInt64LE(fixed >> 64n, 8)
  return bytes
}
