import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { createFolderDurable } from '../platform/durable-file.js'
import { hasErrno } from '../platform/edge-error.js'

/**
 * Makes the folder that all segments of an exchange lie in. Where that is refused nothing can be stored, today or
 * tomorrow, and a recorder that connected would only lose what it takes. A full disk refuses no recorder: it may have
 * room again, and the storage knows how to wait for that.
 * @throws what the system says: a file in the way, a folder of another user, a file system mounted read-only
 */
export function requireStorable(dataDir: string, exchange: string): void {
  const folder = join(dataDir, 'raw', `exchange=${exchange}`)
  try {
    createFolderDurable(folder)
    accessSync(folder, constants.W_OK | constants.X_OK)
  } catch (error) {
    if (!hasErrno(error, 'ENOSPC', 'EDQUOT')) throw error
  }
}
