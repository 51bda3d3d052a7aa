import { lstatSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { folderEntries } from '../platform/folder-entries.js'
import { parseSegmentPath } from '../formats/raw-path.js'
import { segmentHourMs } from '../formats/segment-span.js'
import { parseShippedName, type ShippedName } from './shipped-name.js'

/** A file that may be shipped, as it is here now. */
export interface LocalFile extends ShippedName {
  /** Below `dataDir`, with forward slashes. */
  path: string
  bytes: number
  /** Whole ms since the epoch. */
  mtimeMs: number
}

/** What lies here for one date. */
export interface LocalDate {
  files: LocalFile[]
  /** Everything in the folders of the date, open segments included. */
  bytes: number
  /** When the first hour begins of which a segment is open, ms since the epoch; undefined where none is. */
  openFromMs: number | undefined
  /** Links under names of ours, relative: what they stand for is left out. */
  links: string[]
  /** The `date=` folders, relative. */
  tops: readonly string[]
  /** All folders of the date, relative. */
  folders: string[]
  /** Those of them that hold no file themselves, deepest first, relative. */
  bareFolders: string[]
}

/** What lies behind a link may be on another disk, or be changed by others: nothing of it is shipped, verified or deleted. */
export const linkProblem = (path: string) => ({
  path,
  reason:
    'found a link here, under a name of ours: what it stands for is neither shipped nor deleted; put the folder itself ' +
    'here, mount it here (mount --bind), or set dataDir to where it is',
})

const ROOTS: readonly string[] = ['raw', 'parquet', 'quarantine', 'superseded', 'lists', 'reports']
const PARTITION = /^[a-z]+=[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/
const DATE_FOLDER = /^date=(\d{4}-\d\d-\d\d)$/

/**
 * The dates that have folders here, with those folders (relative), oldest first. Looks at folder names only: its cost
 * is that of the partitions, not of the files. Symbolic links are not followed.
 * @param onLink called for a link where a folder of ours should be, relative: what lies behind it is left out
 */
export function listDates(dataDir: string, onLink: (path: string) => void = () => undefined): Map<string, string[]> {
  const found = new Map<string, string[]>()
  const descend = (folder: string) => {
    for (const entry of folderEntries(join(dataDir, folder))) {
      if (!PARTITION.test(entry.name)) continue
      const child = `${folder}/${entry.name}`
      if (entry.isSymbolicLink()) onLink(child)
      if (!entry.isDirectory()) continue
      const date = DATE_FOLDER.exec(entry.name)?.[1]
      if (date === undefined) descend(child)
      else found.set(date, [...(found.get(date) ?? []), child])
    }
  }
  for (const root of ROOTS) {
    const there = lstatSync(join(dataDir, root), { throwIfNoEntry: false })
    if (there?.isSymbolicLink()) onLink(root)
    if (there?.isDirectory()) descend(root)
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/**
 * Lists the files of one date in `folders` (from `listDates`), ordered by path. A file that vanishes meanwhile is left
 * out; links and whatever else is no regular file too.
 */
export function readDate(dataDir: string, folders: readonly string[]): LocalDate {
  const nothing = { files: [], bytes: 0, openFromMs: undefined, links: [], folders: [], bareFolders: [] }
  const date: LocalDate = { ...nothing, tops: folders }
  for (const folder of folders) readFolder(dataDir, folder, date)
  date.files.sort((a, b) => (a.path < b.path ? -1 : 1))
  return date
}

function readFolder(dataDir: string, folder: string, into: LocalDate): void {
  into.folders.push(folder)
  let holdsFile = false
  for (const entry of folderEntries(join(dataDir, folder))) {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) {
      if (PARTITION.test(entry.name)) readFolder(dataDir, path, into)
      continue
    }
    holdsFile = true
    if (entry.isSymbolicLink() && (PARTITION.test(entry.name) || parseShippedName(path))) into.links.push(path)
    if (!entry.isFile()) continue
    const found = lstatSync(join(dataDir, path), { throwIfNoEntry: false })
    if (!found?.isFile()) continue
    into.bytes += found.size
    const name = parseShippedName(path)
    if (name) into.files.push({ ...name, path, bytes: found.size, mtimeMs: Math.floor(found.mtimeMs) })
    else noteOpen(path, into)
  }
  if (!holdsFile) into.bareFolders.push(folder)
}

function noteOpen(path: string, into: LocalDate): void {
  const parsed = parseSegmentPath(path)
  if (parsed?.state === 'open') into.openFromMs = Math.min(into.openFromMs ?? Infinity, segmentHourMs(parsed.name))
}

/** The folders of ours in one of them, relative; the trees where none is named. Links are none. */
export function foldersIn(dataDir: string, folder?: string): string[] {
  if (folder === undefined)
    return ROOTS.filter(root => lstatSync(join(dataDir, root), { throwIfNoEntry: false })?.isDirectory())
  return folderEntries(join(dataDir, folder)).flatMap(entry =>
    entry.isDirectory() && PARTITION.test(entry.name) ? [`${folder}/${entry.name}`] : [],
  )
}

/** True where a relative path may be one of a folder of ours. */
export function isFolderOfOurs(path: string): boolean {
  const [root = '', ...partitions] = path.split('/')
  return ROOTS.includes(root) && partitions.every(name => PARTITION.test(name))
}

export function isDateFolder(path: string): boolean {
  return DATE_FOLDER.test(basename(path))
}

/** The folder of its date that a file of ours lies in, relative. */
export function dateFolderOf(path: string): string {
  return /^.*?\/date=[^/]+(?=\/)/.exec(path)?.[0] ?? dirname(path)
}

/** All that files of ours may lie in, or that may be mounted for them, relative: the trees, their partitions, the dates. */
export function foldersOf(dataDir: string): string[] {
  return [...new Set([...foldersIn(dataDir), ...withThoseAbove([...listDates(dataDir).values()].flat())])].sort()
}

/** Folders below `dataDir`, and each that they lie in below it, once. */
export function withThoseAbove(folders: readonly string[]): string[] {
  const found = new Set<string>()
  for (const folder of folders) for (let above = folder; above !== '.'; above = dirname(above)) found.add(above)
  return [...found]
}
