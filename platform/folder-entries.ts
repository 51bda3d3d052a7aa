import { readdirSync, statSync, type Dirent } from 'node:fs'
import { hasErrno } from './edge-error.js'

/**
 * What lies in a folder; nothing in one that is not there, or went away meanwhile.
 * @param alsoNone codes of further errors that stand for nothing
 */
export function folderEntries(folder: string, ...alsoNone: string[]): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if (hasErrno(error, 'ENOENT', ...alsoNone)) return []
    throw error
  }
}

/** Names of what lies there, whatever it is; none in what is no folder. */
export function folderNames(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}

/** What changed within the tick of a file system's clock may change again unnoticed. */
const SETTLES_MS = 2000
/** Not every file system shows when a folder changed. */
const REMEMBERED_MS = 3000
const FOLDERS_MAX = 256
const remembered = new Map<string, { modifiedMs: number; untilMs: number; names: readonly string[] }>()

/** The same, sorted, for who asks of a folder again and again within seconds: of one that did not change since. */
export function namesLately(folder: string): readonly string[] {
  const modifiedMs = statSync(folder, { throwIfNoEntry: false })?.mtimeMs
  const nowMs = Date.now()
  const known = remembered.get(folder)
  if (known && known.modifiedMs === modifiedMs && nowMs < known.untilMs) return known.names
  const names = folderNames(folder).sort()
  if (remembered.size >= FOLDERS_MAX) remembered.clear()
  if (modifiedMs !== undefined && nowMs - modifiedMs > SETTLES_MS)
    remembered.set(folder, { modifiedMs, untilMs: nowMs + REMEMBERED_MS, names })
  return names
}

/** All below a folder that is no folder, relative to it and with forward slashes, while it is asked for. */
export function* filesBelow(folder: string, isWanted: (name: string) => boolean = () => true): Generator<string, void> {
  for (const entry of folderEntries(folder)) {
    if (!isWanted(entry.name)) continue
    if (!entry.isDirectory()) yield entry.name
    else for (const path of filesBelow(`${folder}/${entry.name}`, isWanted)) yield `${entry.name}/${path}`
  }
}
