import { readdirSync, type Dirent } from 'node:fs'
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

/** All below a folder that is no folder, relative to it and with forward slashes, while it is asked for. */
export function* filesBelow(folder: string, isWanted: (name: string) => boolean = () => true): Generator<string, void> {
  for (const entry of folderEntries(folder)) {
    if (!isWanted(entry.name)) continue
    if (!entry.isDirectory()) yield entry.name
    else for (const path of filesBelow(`${folder}/${entry.name}`, isWanted)) yield `${entry.name}/${path}`
  }
}
