import { existsSync } from 'node:fs'
import { join, resolve, sep } from 'node:path'

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
