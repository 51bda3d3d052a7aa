const MONTHS = 'JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC'
const DAY = /-(\d{1,2})([A-Z]{3})(\d\d)(?:[-_.]|$)/

/** 08:00 UTC of the first day that stands in a name, as `-26DEC25`, ms since the epoch; `Infinity` where none does. */
export function expiryMsIn(name: string): number {
  const [, day = '', month = '', year = ''] = DAY.exec(name) ?? []
  const index = MONTHS.indexOf(month) / 3
  const isDay = day !== '' && Number.isInteger(index) && index >= 0
  return isDay ? Date.UTC(2000 + Number(year), index, Number(day), 8) : Infinity
}
