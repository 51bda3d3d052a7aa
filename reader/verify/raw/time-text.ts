/** µs since the epoch as `2026-11-22T14:00:00.000001Z`. */
export function timeText(us: number): string {
  const whole = new Date(Math.floor(us / 1000)).toISOString().slice(0, -1)
  return `${whole}${String(us % 1000).padStart(3, '0')}Z`
}
