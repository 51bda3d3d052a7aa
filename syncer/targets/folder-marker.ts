import { randomUUID } from 'node:crypto'
import { lstat, mkdir, open, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { EdgeError, hasErrno } from '../../platform/edge-error.js'
import { syncFolder, TARGET_MARKER, unmarked } from './target-folders.js'

/**
 * Finds out whether `root` is the target it was. On first use (`known` is undefined) the folder is made where its parent
 * exists, and marked; later a folder without the marker is refused, because it is most likely a mount point with nothing
 * mounted on it, and copying there would fill the wrong disk. A marker made by hand may be empty.
 * @returns the id in the marker
 * @throws EdgeError SYNC_TARGET_MISSING, SYNC_TARGET_UNMARKED
 */
export async function openMarkedFolder(root: string, known: string | undefined): Promise<string> {
  await requireFolder(root, known === undefined)
  const marker = join(root, TARGET_MARKER)
  const id = await readMarker(marker)
  if (id !== undefined && id !== '') return id
  if (id === undefined && known !== undefined) throw unmarked(root)
  return await writeMarker(root, marker)
}

async function requireFolder(root: string, mayCreate: boolean): Promise<void> {
  const found = await orMissing(stat(root))
  if (found?.isDirectory()) return
  if (found) throw missing(root, `${root} is not a folder`, 'sync.target names a file; wanted a folder')
  if (!mayCreate) throw missing(root, `the target folder ${root} is not there`, 'is it mounted?')
  const parent = await orMissing(stat(dirname(root)))
  if (!parent?.isDirectory()) {
    throw missing(
      root,
      `neither the target folder ${root} nor the folder above it exists`,
      'is it mounted, and spelled right?',
    )
  }
  await mkdir(root).catch((error: unknown) => {
    if (!hasErrno(error, 'EEXIST')) throw error
  })
  await syncFolder(dirname(root))
}

function missing(root: string, message: string, hint: string): EdgeError {
  return new EdgeError('SYNC_TARGET_MISSING', message, { path: root, retry: true, hint })
}

/** The id; empty for a marker without one, undefined where there is no marker. */
async function readMarker(path: string): Promise<string | undefined> {
  const found = await orMissing(lstat(path))
  if (!found) return undefined
  return (await readFile(path, 'utf8')).trim()
}

async function writeMarker(root: string, path: string): Promise<string> {
  const id = randomUUID()
  const handle = await open(path, 'w', 0o644)
  try {
    await handle.writeFile(`${id}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await syncFolder(root)
  return id
}

async function orMissing<T>(pending: Promise<T>): Promise<T | undefined> {
  try {
    return await pending
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}
