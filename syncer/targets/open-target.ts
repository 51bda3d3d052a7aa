import type { Config } from '../../config/schema.js'
import { EdgeError } from '../../platform/edge-error.js'
import { parseTarget } from '../../config/target-address.js'
import { FolderTarget } from './folder.js'
import { RcloneTarget } from './rclone.js'
import { RsyncTarget } from './rsync.js'
import type { Target } from './target.js'

/** Some stalls escape rsync's own timeout; after so many of them whatever hangs is given up. */
const IDLE_TIMEOUTS = 5

/**
 * The target that the config names. Nothing is touched yet.
 * @throws EdgeError SYNC_NO_TARGET, SYNC_TARGET_INVALID
 */
export function createTarget(sync: Config['sync']): Target {
  const idleMs = IDLE_TIMEOUTS * sync.timeoutSeconds * 1000
  if (sync.target === undefined) {
    throw new EdgeError('SYNC_NO_TARGET', 'sync.target is not set, so there is nowhere to bring files to', {
      hint: 'set it to a folder, user@host:/path, rsync://host/module/path or rclone:remote:path',
    })
  }
  const address = parseTarget(sync.target)
  if (address.kind === 'folder') return new FolderTarget(address.path, idleMs)
  if (address.kind === 'rclone')
    return new RcloneTarget({ destination: address.destination, bandwidthKiBps: sync.bandwidthKiBps, idleMs })
  return new RsyncTarget({
    program: 'rsync',
    destination: address.destination,
    daemon: address.kind === 'daemon',
    ssh: { key: sync.sshKey, port: sync.sshPort, knownHosts: sync.knownHosts },
    passwordFile: sync.passwordFile,
    bandwidthKiBps: sync.bandwidthKiBps,
    timeoutSeconds: sync.timeoutSeconds,
    idleMs,
  })
}
