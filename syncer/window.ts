import { dailyWindowPattern } from '../config/sections/sync.js'

/** A daily span of UTC time, minutes of the day; `to` before `from` goes over midnight, and from a minute to itself it is the whole day. */
export interface DailyWindow {
  fromMinute: number
  toMinute: number
}

/** Reads a window as the config has it, e.g. `22:00-06:30`; undefined for none. */
export function parseWindow(text: string | undefined): DailyWindow | undefined {
  const match = text === undefined ? null : dailyWindowPattern.exec(text)
  if (!match) return undefined
  const [fromHour, fromMinute, toHour, toMinute] = match.slice(1).map(Number) as [number, number, number, number]
  return { fromMinute: fromHour * 60 + fromMinute, toMinute: toHour * 60 + toMinute }
}

/** True where files may travel now; always without a window. */
export function isOpen(window: DailyWindow | undefined, nowMs: number): boolean {
  if (!window) return true
  const { fromMinute, toMinute } = window
  const minute = Math.floor(nowMs / 60_000) % 1440
  return fromMinute < toMinute ? minute >= fromMinute && minute < toMinute : minute >= fromMinute || minute < toMinute
}
