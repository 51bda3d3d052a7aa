import pretty from 'pretty-bytes'

/** Figures as people are shown them, the same wherever they stand. */

/** `12,345`. By hand: to load the tables of `Intl` takes longer than all else that `status` writes. */
export const countText = (count: number): string => String(count).replace(/\B(?<!\.\d*)(?=(\d{3})+(?!\d))/g, ',')

/** `1,234.5` */
export const tenthsText = (value: number): string => countText(Math.round(10 * value) / 10)

/** `1.2 GiB` */
export const sizeText = (bytes: number): string => pretty(Math.max(0, Math.round(bytes)), { binary: true })

/** `3.4 days`, `1 hour`, `more than a year`. */
export function daysText(days: number): string {
  if (days > 365) return 'more than a year'
  const hours = Math.max(0, Math.floor(24 * days))
  if (hours < 24) return `${hours} hour${hours === 1 ? '' : 's'}`
  return `${days < 10 ? (Math.floor(10 * days) / 10).toFixed(1) : Math.floor(days)} days`
}

/** `3 s`, `12 min`, `5 h`, `4 days`. */
export function ageText(ms: number): string {
  const seconds = Math.max(0, ms / 1000)
  if (seconds < 10) return `${Math.round(10 * seconds) / 10} s`
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} days`
}
