import { constants, copyFileSync, linkSync, renameSync, rmSync } from 'node:fs'
import { localDisk } from '../../platform/disk.js'
import { hasErrno } from '../../platform/edge-error.js'

/**
 * Gives a sealed file a second name: it never changes, so one content may well have two. Where that cannot be, a copy.
 * @param check looks at a copy before it gets its name, and throws where it is not the same
 */
export async function linkOrCopy(from: string, to: string, check?: (copy: string) => Promise<void>): Promise<void> {
  try {
    linkSync(from, to)
    return
  } catch (error) {
    if (!hasErrno(error, 'EXDEV', 'EPERM', 'ENOTSUP', 'EMLINK', 'EEXIST')) throw error
  }
  const coming = `${to}.coming`
  rmSync(coming, { force: true })
  copyFileSync(from, coming, constants.COPYFILE_FICLONE)
  try {
    await check?.(coming)
  } catch (error) {
    rmSync(coming)
    throw error
  }
  const fd = localDisk.open(coming, 'append')
  try {
    localDisk.sync(fd)
  } finally {
    localDisk.close(fd)
  }
  renameSync(coming, to)
}
