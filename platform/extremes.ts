/** The smallest of any number of values, Infinity of none: passed as arguments, some 100,000 are more than the stack takes. */
export function least(values: Iterable<number>): number {
  let found = Infinity
  for (const value of values) found = Math.min(found, value)
  return found
}

/** The largest of any number of values, -Infinity of none. */
export function greatest(values: Iterable<number>): number {
  let found = -Infinity
  for (const value of values) found = Math.max(found, value)
  return found
}
