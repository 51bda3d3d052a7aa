import { isDate } from '../../platform/utc-date.js'

/** Units in which other programs write times. */
export const TIME_UNITS = ['s', 'ms', 'us', 'ns', 'iso'] as const

export type TimeUnit = (typeof TIME_UNITS)[number]

/** How far the decimal point of µs lies to the right of that of the unit. */
const SHIFT = { s: 6, ms: 3, us: 0, ns: -3 } as const

const ISO = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)$/
const NUMBER = /^(\d+)(?:\.(\d+))?$/

/** µs since the epoch of a time as text, by its digits alone: what is finer is cut off; undefined for what is no time. */
export function receiveTimeUs(text: string, unit: TimeUnit): number | undefined {
  return unit === 'iso' ? isoUs(text) : unitUs(text, SHIFT[unit])
}

function isoUs(text: string): number | undefined {
  const match = ISO.exec(text)
  if (!match) return undefined
  const [, date = '', time = '', fraction = '', zone = ''] = match
  const ms = isDate(date) ? Date.parse(`${date}T${time}${zone}`) : NaN
  return Number.isNaN(ms) ? undefined : inRange(ms * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6)))
}

function unitUs(text: string, shift: number): number | undefined {
  const match = NUMBER.exec(text)
  if (!match) return undefined
  const [, whole = '', fraction = ''] = match
  const digits = shift >= 0 ? whole + fraction.padEnd(shift, '0').slice(0, shift) : whole.slice(0, shift)
  return inRange(Number(digits))
}

/** From 2001 on, when no exchange of today existed, to where a line cannot hold it: what lies outside is another unit. */
const EARLIEST_US = 978_307_200_000_000
const inRange = (us: number) => (us >= EARLIEST_US && us <= Number.MAX_SAFE_INTEGER ? us : undefined)
