import { lstat, mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { EdgeError, hasErrno } from '../../platform/edge-error.js'

/** Stands at the top of a target folder, so that an empty mount point is never taken for it. */
export const TARGET_MARKER = '.edgetape-target'

/**
 * Makes the folders of `relative` below `root`. New names are durable once the caller has synced the folders they are in.
 * @returns those folders, full paths
 * @throws EdgeError SYNC_TARGET_UNMARKED something has to be made, but the marker is gone: unmounted meanwhile
 */
export async function makeFolders(root: string, relative: string): Promise<string[]> {
  const parts = relative.split('/')
  const missing: string[] = []
  for (let depth = parts.length; depth > 0; depth--) {
    const folder = join(root, ...parts.slice(0, depth))
    if (await isPresent(folder)) break
    missing.unshift(folder)
  }
  if (missing.length > 0 && !(await isPresent(join(root, TARGET_MARKER)))) throw unmarked(root)
  for (const folder of missing) {
    await mkdir(folder).catch(unless('EEXIST'))
  }
  return missing.map(folder => dirname(folder))
}

/** The complaint about a target folder that has lost its marker. */
export function unmarked(root: string): EdgeError {
  return new EdgeError(
    'SYNC_TARGET_UNMARKED',
    `${root} has no ${TARGET_MARKER}, but it had one when it was last used`,
    {
      path: root,
      retry: true,
      hint: `is it mounted? If it is to be used as an empty target from now on: touch ${join(root, TARGET_MARKER)}`,
    },
  )
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

async function isPresent(path: string): Promise<boolean> {
  return (await lstat(path).catch(unless('ENOENT'))) !== undefined
}

function unless(...codes: string[]): (error: unknown) => undefined {
  return error => {
    if (!hasErrno(error, ...codes)) throw error
    return undefined
  }
}
