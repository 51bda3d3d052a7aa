import { constants } from 'node:fs'
import { lstat, mkdir, open, readFile, rename, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { EdgeError } from '../../platform/edge-error.js'
import type { Mark } from '../place/mark.js'
import { syncFolder, unless } from './target-folders.js'
import type { Verdict } from './target.js'

/**
 * Requires that the folder is there; with `mayMake` it is made where the one above it exists.
 * @throws EdgeError SYNC_TARGET_MISSING
 */
export async function requireFolder(root: string, mayMake: boolean): Promise<void> {
  const found = await orMissing(stat(root))
  if (found?.isDirectory()) return
  if (found) throw missing(root, `${root} is not a folder`, 'sync.target names a file; wanted a folder')
  if (!mayMake) throw missing(root, `the target folder ${root} is not there`, 'is it mounted?')
  const parent = await orMissing(stat(dirname(root)))
  if (!parent?.isDirectory()) {
    throw missing(
      root,
      `neither the target folder ${root} nor the folder above it exists`,
      'is it mounted, and spelled right?',
    )
  }
  await mkdir(root).catch(unless('EEXIST'))
  await syncFolder(dirname(root))
}

function missing(root: string, message: string, hint: string): EdgeError {
  return new EdgeError('SYNC_TARGET_MISSING', message, { path: root, retry: true, hint })
}

/** What stands under a mark's name. */
export async function compareMark(root: string, { name, content }: Mark): Promise<Verdict> {
  const path = join(root, name)
  const found = await orMissing(lstat(path))
  if (!found) return 'missing'
  return found.isFile() && (await readFile(path, 'utf8')) === content ? 'same' : 'wrong'
}

/** Writes a mark, durably; `new` never over anything, `over` only over something. */
export async function writeMark(root: string, { name, content }: Mark, how: 'new' | 'over'): Promise<void> {
  const path = join(root, name)
  if (how === 'over') await lstat(path)
  const temporary = how === 'new' ? path : `${path}.edgetape-tmp`
  const { O_WRONLY, O_CREAT, O_EXCL, O_TRUNC, O_NOFOLLOW } = constants
  const handle = await open(temporary, O_WRONLY | O_CREAT | O_NOFOLLOW | (how === 'new' ? O_EXCL : O_TRUNC), 0o644)
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
  if (temporary !== path) await rename(temporary, path)
  await syncFolder(root)
}

/** Undefined for what is not there. */
export const orMissing = <T>(pending: Promise<T>): Promise<T | undefined> => pending.catch(unless('ENOENT', 'ENOTDIR'))
