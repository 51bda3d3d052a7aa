import { isJsonObject } from '../platform/json-object.js'

/** Keys that had another name in an earlier version: section, name then, name now. Files that say the old one are still read. */
const RENAMED = [
  ['segments', 'giveWay', 'dropOrder'],
  ['compact', 'doubles', 'duplicates'],
  ['compact', 'doublesWindowMs', 'duplicatesWindowMs'],
] as const

/** The values of a config file by the names of today. Where both names are given, the old one stays, and is complained of. */
export function byTodaysKeys(values: unknown): unknown {
  if (!isJsonObject(values)) return values
  const renamed: Record<string, unknown> = { ...values }
  for (const [section, then, now] of RENAMED) {
    const held = renamed[section]
    if (!isJsonObject(held) || !(then in held) || now in held) continue
    renamed[section] = Object.fromEntries(Object.entries(held).map(([key, value]) => [key === then ? now : key, value]))
  }
  return renamed
}
