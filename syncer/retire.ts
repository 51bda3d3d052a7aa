import { lstatSync, realpathSync, rmdirSync, unlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fsyncFolder } from '../platform/durable-file.js'
import { EdgeError, hasErrno } from '../platform/edge-error.js'
import type { LocalFile } from './local-tree.js'
import type { FileProblem } from './targets/target.js'

export interface Retired {
  files: number
  bytes: number
  gone: LocalFile[]
  problems: FileProblem[]
}

/**
 * Deletes here what retention decided, in its order; that each file is verified is durable already. A file that is no
 * longer the one decided about, or whose folder turns out to be a link to somewhere else, stays.
 * `dataDir` must be a real path. Afterwards the deletions are durable.
 */
export function retire(dataDir: string, files: readonly LocalFile[]): Retired {
  const done: Retired = { files: 0, bytes: 0, gone: [], problems: [] }
  const folders = new Map<string, boolean>()
  for (const file of files) {
    const folder = dirname(file.path)
    try {
      const isOurs = folders.get(folder) ?? realpathSync(join(dataDir, folder)) === join(dataDir, folder)
      folders.set(folder, isOurs)
      if (!isOurs) throw new EdgeError('RETENTION_OUTSIDE', `${folder} is a link; nothing is deleted behind links`)
      requireUnchanged(dataDir, file)
      unlinkSync(join(dataDir, file.path))
      done.files++
      done.bytes += file.bytes
      done.gone.push(file)
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) continue
      if (!(error instanceof Error)) throw error
      done.problems.push({ path: file.path, reason: error.message })
    }
  }
  for (const [folder, isOurs] of folders) if (isOurs) fsyncFolder(join(dataDir, folder))
  return done
}

function requireUnchanged(dataDir: string, file: LocalFile): void {
  const found = lstatSync(join(dataDir, file.path))
  if (found.isFile() && found.size === file.bytes && Math.floor(found.mtimeMs) === file.mtimeMs) return
  throw new EdgeError('RETENTION_CHANGED', `${file.path} is not the file that was verified; it stays`, {
    path: file.path,
  })
}

/** Removes those of `folders` that are empty, deepest first as given; a folder with anything in it stays. */
export function removeEmptyFolders(dataDir: string, folders: readonly string[]): void {
  for (const folder of folders) {
    try {
      rmdirSync(join(dataDir, folder))
    } catch (error) {
      if (!hasErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR')) throw error
    }
  }
}

/**
 * The folders of a date that nobody will write to again, so that they may go when they are empty: those under `raw/` an
 * hour after its end; those of other trees only when no raw data of the date is left to be converted. Pure.
 */
export function finishedFolders(folders: readonly string[], date: string, nowMs: number, hasRaw: boolean): string[] {
  if (Date.parse(date) + DAY_MS + GRACE_MS > nowMs) return []
  return folders.filter(folder => folder.startsWith('raw/') || !hasRaw)
}

const DAY_MS = 86_400_000
const GRACE_MS = 3_600_000
