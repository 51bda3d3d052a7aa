import { lstat, mkdir, open, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { EdgeError, hasErrno } from '../../platform/edge-error.js'
import { MARK_PREFIX } from '../place/mark.js'

/**
 * Makes the folders of `relative` below `root`. New names are durable once the caller has synced the folders they are in.
 * @returns those folders, full paths
 * @throws EdgeError SYNC_LINK_AT_TARGET as `requireRealFolders`; SYNC_TARGET_UNMARKED something has to be made, but no mark
 *         is there: unmounted meanwhile
 */
export async function makeFolders(root: string, relative: string): Promise<string[]> {
  const folders = foldersOf(root, relative)
  const missing = folders.slice(await requireRealFolders(root, relative))
  if (missing.length > 0 && !(await hasMark(root))) throw unmarked(root)
  for (const folder of missing) {
    await mkdir(folder).catch(unless('EEXIST'))
  }
  if (missing.length > 0) await requireRealFolders(root, relative)
  return missing.map(folder => dirname(folder))
}

/**
 * Requires that whatever is there of the folders of `relative` below `root` is a folder and no link, which might lead out
 * of the target.
 * @returns how many of them are there
 * @throws EdgeError SYNC_LINK_AT_TARGET
 */
export async function requireRealFolders(root: string, relative: string): Promise<number> {
  let there = 0
  for (const folder of foldersOf(root, relative)) {
    const found = await lstat(folder).catch(unless('ENOENT'))
    if (!found) break
    if (!found.isDirectory()) {
      throw new EdgeError(
        'SYNC_LINK_AT_TARGET',
        `found ${found.isSymbolicLink() ? 'a link' : 'a file'} at ${folder}, wanted a folder`,
        { path: folder, hint: 'links at the target are never followed: put a folder in its place' },
      )
    }
    there++
  }
  return there
}

/** The folders of a relative path, highest first, full paths. */
function foldersOf(root: string, relative: string): string[] {
  const parts = relative === '.' ? [] : relative.split('/')
  return parts.map((_, index) => join(root, ...parts.slice(0, index + 1)))
}

const hasMark = async (root: string) => (await markFile(root)) !== undefined

/** The file that marks a target, full path; undefined where it is gone, or the target. */
export async function markFile(root: string): Promise<string | undefined> {
  const names = await readdir(root).catch(unless('ENOENT'))
  const name = names?.find(name => name.startsWith(MARK_PREFIX))
  return name === undefined ? undefined : join(root, name)
}

/** The complaint about a target folder that has lost its mark while it was used. */
export function unmarked(root: string): EdgeError {
  return new EdgeError('SYNC_TARGET_UNMARKED', `${root} has lost its ${MARK_PREFIX} file`, {
    path: root,
    retry: true,
    hint: 'is its disk still mounted?',
  })
}

/** Makes names in `folder` durable; some network file systems cannot, and then nothing more can be done. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync().catch(unless('EINVAL', 'ENOTSUP', 'EPERM'))
  } finally {
    await handle.close()
  }
}

/** For `catch`: an error of one of these codes stands for nothing. */
export function unless(...codes: string[]): (error: unknown) => undefined {
  return error => {
    if (!hasErrno(error, ...codes)) throw error
    return undefined
  }
}
