import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'

/** The machine that figures come from, and what else it was doing. */
export function machine(): string {
  const gib = (totalmem() / 1024 ** 3).toFixed(1)
  const load = loadavg()[0]?.toFixed(1) ?? '?'
  return `${availableParallelism()} x ${cpus()[0]?.model ?? 'unknown'}, ${gib} GiB, Linux ${release()}, Node ${process.version}, load before: ${load}`
}

/** The middle of several rounds, with the lowest and the highest. */
export function spread(values: readonly number[], digits: number): { middle: number; text: string } {
  const sorted = [...values].sort((one, other) => one - other)
  const middle = sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN
  const show = (value = NaN) =>
    value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return { middle, text: `${show(middle)} (${show(sorted[0])} to ${show(sorted.at(-1))})` }
}
