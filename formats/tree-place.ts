import { existsSync } from 'node:fs'
import { join, resolve, sep } from 'node:path'
import { EdgeError } from '../platform/edge-error.js'
import { listFolder } from './partition-folders.js'
import { datesIn, parentsOfDays, parquetFiles } from './parquet-tree.js'
import { quarantineFiles } from './quarantine-tree.js'
import { rawFiles } from './raw-tree.js'
import { dateOf } from '../platform/utc-date.js'

/** The folders of a tree that hold what was recorded and what was made of it. */
export const TREE_TOPS = ['raw', 'parquet', 'quarantine'] as const

/** A tree of ours, or a part of one. */
export interface TreePlace {
  /** The folder that holds `raw/`, `parquet/` …; absolute. */
  root: string
  /** What was asked for, below `root`, with forward slashes; undefined for all of it. */
  below: string | undefined
}

/** The tree that a path names, or lies in, whether or not there is anything at the path; undefined for a path of no tree. */
export function treePlaceOf(path: string): TreePlace | undefined {
  const full = resolve(path)
  if (TREE_TOPS.some(top => existsSync(join(full, top)))) return { root: full, below: undefined }
  const parts = full.split(sep)
  const isTop = (part: string, at: number) =>
    TREE_TOPS.some(top => top === part) && (parts[at + 1] ?? 'exchange=').startsWith('exchange=')
  const at = parts.findLastIndex(isTop)
  return at < 1 ? undefined : { root: parts.slice(0, at).join(sep) || sep, below: parts.slice(at).join('/') }
}

/**
 * What holds for whoever asks about a tree: that there is one, and something in it. Nothing is not the same as lost.
 * @throws EdgeError TREE_NOT_FOUND, TREE_EMPTY
 */
export function requireTree(root: string): void {
  const hint = 'wanted a dataDir or a copy of one: the folder that holds raw/ and parquet/'
  if (!existsSync(root)) throw new EdgeError('TREE_NOT_FOUND', `${root} is not there`, { path: root, hint })
  if (holdsFiles(root)) return
  throw new EdgeError('TREE_EMPTY', `${root} holds no file that edgetape wrote`, {
    path: root,
    hint: `a recorder that was just started writes its first within seconds; else ${hint}`,
  })
}

/** Whether there is any file of ours below a root; looks only as far as the first. */
export function holdsFiles(root: string): boolean {
  // The order of days wants all of their names.
  return [parquetFiles(root), rawFiles(root), quarantineFiles(root)].some(files => files.next().done === false)
}

/** Whether anything of a date is here, as far as its list or a journal says: looks at two names. */
export function holdsDate(root: string, date: string): boolean {
  if (existsSync(join(root, 'lists', `date=${date}`))) return true
  const exchanges = listFolder(root, 'raw').folders.filter(name => name.startsWith('exchange='))
  return exchanges.some(exchange => existsSync(join(root, 'raw', exchange, 'channel=journal', `date=${date}`)))
}

/** The first and the last date of which anything is there; undefined where there is nothing. Lists few files. */
export function datesOfTree(root: string): { first: string; last: string } | undefined {
  const dates = datesIn(
    root,
    parentsOfDays(root, () => true),
  )
  const firstOf = (files: ReturnType<typeof rawFiles>) => {
    const file = files.next()
    return file.done === true ? [] : [dateOf(file.value.name.startedMs)]
  }
  const all = [...dates, ...firstOf(rawFiles(root)), ...firstOf(rawFiles(root, { newestFirst: true }))].sort()
  const [first] = all
  const last = all.at(-1)
  return first === undefined || last === undefined ? undefined : { first, last }
}
