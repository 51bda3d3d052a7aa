import { existsSync, statSync, type Dirent } from 'node:fs'
import { folderEntries, folderNames, namesLately } from '../platform/folder-entries.js'
import { datesBetween, isDate } from '../platform/utc-date.js'
import { SAFE_PATH_VALUE } from './raw-path.js'

/** A level of folders `key=value`, from the top; one that is optional is missing in some layouts. */
export interface Level {
  key: string
  isOptional?: true
}

/** A folder that holds files, and what the names above it say. */
export interface PartitionFolder {
  /** Below the root, with forward slashes. */
  path: string
  values: Readonly<Record<string, string>>
}

export interface FolderQuery {
  /** Says of each folder whether it is wanted: nothing below others is listed. */
  accept?: ((key: string, value: string) => boolean) | undefined
  /** Only what lies at or below this path, or on the way there; of the root, with forward slashes. */
  below?: string | undefined
  /** Of dates those alone are wanted that `accept` says, from this one to that one: few among many. */
  dates?: { first: string; last: string } | undefined
  /** Called with what is no name of ours: a file, or a folder (with `/` behind it), below which nothing is looked at. */
  onStranger?: ((path: string) => void) | undefined
}

const HOUR = /^(?:[01]\d|2[0-3])$/
const isSpelled = (key: string, value: string) =>
  key === 'date' ? isDate(value) : (key === 'hour' ? HOUR : SAFE_PATH_VALUE).test(value)

/** Folders on the last level that lie in one folder. */
export interface FoldersWithin {
  parent: PartitionFolder
  /** What their names say, sorted. */
  values: readonly string[]
}

/**
 * The folders on the last of the levels below `top`, sorted, found while they are asked for. Whatever stands in the
 * tree and is not spelled as we spell it is a stranger.
 */
export function* partitionFolders(
  root: string,
  top: PartitionFolder,
  levels: readonly Level[],
  query: FolderQuery,
): Generator<PartitionFolder, void> {
  const key = levels.at(-1)?.key ?? ''
  for (const { parent, values } of foldersWithin(root, top, levels, query))
    for (const value of values)
      yield { path: `${parent.path}/${key}=${value}`, values: { ...parent.values, [key]: value } }
}

/** The same by the folder that they lie in: years of days have few, and are asked for often. */
export function* foldersWithin(
  root: string,
  top: PartitionFolder,
  levels: readonly Level[],
  query: FolderQuery,
): Generator<FoldersWithin, void> {
  let found: string[] = []
  for (const name of namesIn(root, top.path, levels, query)) {
    const path = `${top.path}/${name}`
    if (!isOnTheWay(path, query.below)) continue
    const { key, value, rest } = levelOf(name, levels)
    if (!rest) query.onStranger?.(`${path}/`)
    else if (query.accept?.(key, value) !== false) {
      if (rest.length === 0) {
        found.push(value)
        continue
      }
      if (found.length > 0) yield { parent: top, values: found }
      found = []
      yield* foldersWithin(root, { path, values: { ...top.values, [key]: value } }, rest, query)
    }
  }
  if (found.length > 0) yield { parent: top, values: found }
}

/** So few dates, a week with what lies beside it, are looked for one by one. */
const FEW_DATES = 12

/** Names of folders in a folder, sorted; of few dates, where nobody asks for strangers, also names of files that are spelled like one. */
function namesIn(
  root: string,
  top: string,
  [level, ...rest]: readonly Level[],
  { dates, onStranger }: FolderQuery,
): readonly string[] {
  if (!dates || onStranger) {
    const { folders, files } = listFolder(root, top)
    for (const file of files) onStranger?.(`${top}/${file}`)
    return folders
  }
  const few = rest.length === 0 && level?.key === 'date' ? datesBetween(dates.first, dates.last, FEW_DATES) : undefined
  if (few) return few.map(date => `date=${date}`).filter(name => existsSync(`${root}/${top}/${name}`))
  // Years of names, of which few are wanted: what each is shows when it is listed.
  const [first, last] = [`date=${dates.first}`, `date=${dates.last}`]
  return listNames(root, top).filter(name => !name.startsWith('date=') || (name >= first && name <= last))
}

/** The level that a folder's name stands for, and those that follow; `rest` is undefined where it stands for none. */
function levelOf(name: string, levels: readonly Level[]) {
  const end = name.indexOf('=')
  const [key, value] = [name.slice(0, Math.max(0, end)), name.slice(end + 1)]
  const at = levels.findIndex(level => level.key === key)
  const isReached = at >= 0 && levels.slice(0, at).every(({ isOptional }) => isOptional)
  return { key, value, rest: isReached && isSpelled(key, value) ? levels.slice(at + 1) : undefined }
}

/** What names of folders say, from the top down to the last of the levels; undefined where one is none of ours. */
export function partitionValues(
  names: readonly string[],
  levels: readonly Level[],
): Readonly<Record<string, string>> | undefined {
  const [name, ...further] = names
  if (name === undefined) return levels.length === 0 ? {} : undefined
  const { key, value, rest } = levelOf(name, levels)
  const below = rest && partitionValues(further, rest)
  return below && { [key]: value, ...below }
}

/** Whether a path is `below`, lies in it, or leads there. */
export function isOnTheWay(path: string, below: string | undefined): boolean {
  return below === undefined || below === path || path.startsWith(`${below}/`) || below.startsWith(`${path}/`)
}

/** Names of the folders and files in a folder, sorted; none for one that is not there, or went away meanwhile. */
export function listFolder(root: string, path: string): { folders: string[]; files: string[] } {
  const folders: string[] = []
  const files: string[] = []
  for (const entry of folderEntries(`${root}/${path}`, 'ENOTDIR')) {
    if (isFolder(entry, `${root}/${path}`)) folders.push(entry.name)
    else files.push(entry.name)
  }
  return { folders: folders.sort(), files: files.sort() }
}

/** Names of whatever lies in a folder, in no order: the cheapest that can be asked. */
export const namesOf = (root: string, path: string): readonly string[] => folderNames(`${root}/${path}`)

/** Names of whatever lies in a folder, sorted: cheaper where what each is shows when it is listed. */
export const listNames = (root: string, path: string): readonly string[] => namesLately(`${root}/${path}`)

/** A link counts as what it leads to: part of a tree may lie on another disk. */
function isFolder(entry: Dirent, folder: string): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory()
  return statSync(`${folder}/${entry.name}`, { throwIfNoEntry: false })?.isDirectory() ?? false
}
