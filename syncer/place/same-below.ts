import { lstatSync, type Dirent, type Stats } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { hasErrno } from '../../platform/edge-error.js'
import { folderEntries } from '../../platform/folder-entries.js'
import { foldersIn, foldersOf, isDateFolder, isFolderOfOurs } from '../local-tree.js'
import type { MountPoint } from './mount-table.js'
import { isSameFolder, realAsFarAsThere } from './own-place.js'

/** From so many names on a folder at the target is listed, which over a network costs as much as some looks. */
const LISTED_FROM = 16

/**
 * A folder of ours, relative, that is one and the same here and at a target of which neither lies in the other. A folder has one
 * parent: two ways down that come to the same one have been one from the top, or from a mount or a link on the way. So
 * only those are compared, and all folders where nobody says what is mounted.
 */
export function sameBelow(dataDir: string, target: string, mounts: readonly MountPoint[]): string | undefined {
  const folders =
    mounts.length === 0
      ? foldersOf(dataDir)
      : [...mountedBelow(dataDir, mounts), ...mountedBelow(target, mounts), ...linksBelow(dataDir, target)].sort()
  return folders.find(folder => isSameFolder(join(dataDir, folder), join(target, folder)))
}

/** Where something is mounted for a folder of ours, relative. */
function mountedBelow(top: string, mounts: readonly MountPoint[]): string[] {
  const start = `${realAsFarAsThere(top).replace(/\/$/, '')}/`
  return mounts.flatMap(({ path }) => {
    const folder = path.startsWith(start) ? path.slice(start.length) : ''
    return isFolderOfOurs(folder) ? [folder] : []
  })
}

/** Folders that are here for which there is a link at the target, relative, down to those of the dates. */
function* linksBelow(dataDir: string, target: string, folder?: string): Generator<string> {
  const ours = foldersIn(dataDir, folder)
  const there = whatIsThere(target, ours)
  for (const path of ours) {
    const found = there.get(basename(path))
    if (found?.isSymbolicLink()) yield path
    if (found && !isDateFolder(path)) yield* linksBelow(dataDir, target, path)
  }
}

/** What stands at the target under the names of folders in one. */
function whatIsThere(target: string, paths: readonly string[]): ReadonlyMap<string, Dirent | Stats> {
  const [first] = paths
  if (first === undefined) return new Map()
  if (paths.length < LISTED_FROM) return lookedAt(target, paths)
  try {
    const entries = folderEntries(join(target, dirname(first)), 'ENOTDIR', 'ELOOP')
    return new Map(entries.map(entry => [entry.name, entry]))
  } catch (error) {
    // One may pass through it, not list it.
    if (hasErrno(error, 'EACCES')) return lookedAt(target, paths)
    throw error
  }
}

function lookedAt(target: string, paths: readonly string[]): Map<string, Stats> {
  const found = new Map<string, Stats>()
  for (const path of paths) {
    const there = lookAt(join(target, path))
    if (there) found.set(basename(path), there)
  }
  return found
}

function lookAt(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch (error) {
    if (hasErrno(error, 'EACCES', 'ENOTDIR', 'ELOOP')) return undefined
    throw error
  }
}
