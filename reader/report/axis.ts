/** A mark on an axis, and what stands there. */
export interface Tick {
  at: number
  label: string
}

/** What one direction of a chart goes over. */
export interface Axis {
  from: number
  to: number
  ticks: readonly Tick[]
  /** Where a value stands between both ends; straight where nothing is said. */
  bend?: (value: number) => number
}

const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 2 })

/** An axis over values, its ends on round numbers; from 0 where that is asked. Pure. */
export function valueAxis(values: Iterable<number>, fromZero = false): Axis {
  let [low, high] = [fromZero ? 0 : Infinity, fromZero ? 0 : -Infinity]
  for (const value of values) {
    low = Math.min(low, value)
    high = Math.max(high, value)
  }
  if (low > high) [low, high] = [0, 1]
  if (low === high)
    [low, high] = fromZero ? [low, low + 1] : [low - (Math.abs(low) / 1000 || 1), high + (Math.abs(high) / 1000 || 1)]
  const step = roundStep((high - low) / 3)
  // A hair beyond a round number makes no further step.
  const first = Math.floor(low / step + 0.02)
  const last = Math.max(first + 1, Math.ceil(high / step - 0.02))
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => {
    const at = (first + index) * step
    return { at, label: numberText(at, step) }
  })
  return { from: first * step, to: last * step, ticks }
}

/** The next of 1, 2, 5, 10, … that is not smaller. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  const factor = [1, 2, 5, 10].find(factor => factor * power >= least * (1 - 1e-9)) ?? 10
  return factor * power
}

/** `86,250`, `0.025`, `90K`: with as many digits as steps of that width need. */
export function numberText(value: number, step: number): string {
  if (step >= 1e4) return compact.format(value)
  const digits = Math.min(10, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)))
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const TIME_STEPS_MS = [
  ...[1, 2, 5, 10, 30].map(seconds => seconds * SECOND_MS),
  ...[1, 2, 5, 10, 30].map(minutes => minutes * MINUTE_MS),
  ...[1, 2, 4, 6].map(hours => hours * HOUR_MS),
]
const TIME_TICKS_MAX = 5

/** An axis over a span of one day, ms since the epoch, with times of day in UTC. Pure. */
export function timeAxis(fromMs: number, toMs: number): Axis {
  const step = TIME_STEPS_MS.find(step => (toMs - fromMs) / step <= TIME_TICKS_MAX) ?? 6 * HOUR_MS
  const ticks: Tick[] = []
  for (let at = Math.ceil(fromMs / step) * step; at <= toMs; at += step) {
    const isMidnight = at % (24 * HOUR_MS) === 0 && at > fromMs
    const text = new Date(at).toISOString().slice(11, step < MINUTE_MS ? 19 : 16)
    ticks.push({ at, label: isMidnight ? '24:00' : text })
  }
  return { from: fromMs, to: toMs, ticks }
}
