import { lstatSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { EdgeError, hasErrno } from '../../platform/edge-error.js'
import { folderEntries } from '../../platform/folder-entries.js'
import { namesOf, parseMounts, type MountPoint } from './mount-table.js'

/** Looked at for a file; below the folder of a date nobody puts a target. */
const FOLDERS_LOOKED_AT = 20_000

/** How the target lies to the dataDir. */
export type Overlap = 'is' | 'lies within' | 'contains'

/**
 * Whether a folder is `dataDir`, lies within it or contains it, whatever it is called: by path, link, mount, device and
 * inode. Neither has to exist.
 */
export function overlapOf(dataDir: string, folder: string, mounts = mountsHere()): Overlap | undefined {
  const [ours, theirs] = [allNamesOf(dataDir, mounts), allNamesOf(folder, mounts)]
  const isSame = (a: readonly string[], b: readonly string[]) =>
    a.some(one => b.includes(one) || isSameFolder(one, b[0]))
  if (isSame(ours, theirs)) return 'is'
  const hasAbove = (low: readonly string[], high: readonly string[]) =>
    low.some(path => above(path).some(parent => high.some(top => top === parent) || isSameFolder(parent, high[0])))
  if (hasAbove(theirs, ours)) return 'lies within'
  return hasAbove(ours, theirs) ? 'contains' : undefined
}

/**
 * Where a file that was just written to a target is found here: then the target is the dataDir, lies within it or contains
 * it. `deep` looks into the folders below, too; `isIt` distinguishes it from another of that name.
 */
export function findHere(
  dataDir: string,
  name: string,
  { deep, isIt = () => true }: { deep: boolean; isIt?: (path: string) => boolean },
): { overlap: Overlap; path: string } | undefined {
  const names = allNamesOf(dataDir, mountsHere())
  const found = (overlap: Overlap, folders: readonly string[]) => {
    const path = folders.map(folder => `${folder}/${name}`).find(path => isThere(path) && isIt(path))
    return path === undefined ? undefined : { overlap, path }
  }
  return (
    found('is', names) ?? found('contains', names.flatMap(above)) ?? found('lies within', foldersBelow(dataDir, deep))
  )
}

/** The error for a target that overlaps with `dataDir`. */
export function notElsewhere(label: string, overlap: Overlap, dataDir: string): EdgeError {
  return new EdgeError('SYNC_TARGET_NOT_ELSEWHERE', `sync.target ${label} ${overlap} dataDir ${dataDir}`, {
    path: dataDir,
    hint: 'a copy in the same place is no copy: name a folder on another disk or machine, outside of dataDir',
  })
}

/** What is mounted on this machine; nothing where it does not say. */
export function mountsHere(): MountPoint[] {
  try {
    return parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'))
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'EACCES')) return []
    throw error
  }
}

/** A real path as far as it exists, and the same place under every other mount. */
function allNamesOf(path: string, mounts: readonly MountPoint[]): string[] {
  return namesOf(realAsFarAsThere(path), mounts)
}

/** A path without links and detours, down to where nothing is. */
export function realAsFarAsThere(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'ENOTDIR') || dirname(path) === path) throw error
    return join(realAsFarAsThere(dirname(path)), basename(path))
  }
}

/** The folders above, nearest first. */
function above(path: string): string[] {
  const parent = dirname(path)
  return parent === path ? [] : [parent, ...above(parent)]
}

/** By device and inode, whatever they are called; what is not there is nothing's same. */
export function isSameFolder(a: string, b: string | undefined): boolean {
  const [one, other] = [statOf(a), b === undefined ? undefined : statOf(b)]
  return one !== undefined && one.ino === other?.ino && one.dev === other.dev
}

function statOf(path: string) {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false })
  } catch (error) {
    if (hasErrno(error, 'EACCES', 'ENOTDIR', 'ELOOP')) return undefined
    throw error
  }
}

function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch (error) {
    if (hasErrno(error, 'EACCES', 'ENOTDIR')) return false
    throw error
  }
}

function foldersBelow(top: string, deep: boolean): string[] {
  const found: string[] = []
  const waiting = [top]
  for (
    let folder = waiting.shift();
    folder !== undefined && found.length < FOLDERS_LOOKED_AT;
    folder = waiting.shift()
  ) {
    for (const { name: entry } of folderEntries(folder, 'EACCES', 'ENOTDIR').filter(one => one.isDirectory())) {
      const path = `${folder}/${entry}`
      found.push(path)
      if (deep && !entry.startsWith('date=')) waiting.push(path)
    }
  }
  return found
}
