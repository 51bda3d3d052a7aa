import { InvalidArgumentError } from 'commander'

/** An option's number, not below 0. */
export function nonNegativeNumber(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) throw new InvalidArgumentError('not a number')
  return value
}

export function portNumber(text: string): number {
  const value = nonNegativeNumber(text)
  if (!Number.isInteger(value) || value > 65_535) throw new InvalidArgumentError('wanted 0 to 65535')
  return value
}
