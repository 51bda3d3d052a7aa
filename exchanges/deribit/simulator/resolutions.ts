/** Resolutions of candles as channels and calls spell them, in minutes. */
export const RESOLUTION_MINUTES: ReadonlyMap<string, number> = new Map([
  ...[1, 3, 5, 10, 15, 30, 60, 120, 180, 360, 720].map((minutes): [string, number] => [String(minutes), minutes]),
  ['1D', 1440],
])
