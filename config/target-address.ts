import { resolve } from 'node:path'
import { EdgeError } from '../platform/edge-error.js'

/**
 * Whether days may become one file each: readers of the target must not see the hours beside the day. A folder can be
 * changed in one step; through rsync nothing is deleted, so there they have to be told.
 */
export function mayRollUp({
  target,
  superseded,
}: {
  target?: string | undefined
  superseded: 'keep' | 'list'
}): boolean {
  return target === undefined || parseTarget(target).kind === 'folder' || superseded === 'list'
}

/** `sync.target`, understood. `destination` is what rsync is given, with a slash at its end. */
export type TargetAddress =
  { kind: 'folder'; path: string } | { kind: 'ssh'; destination: string } | { kind: 'daemon'; destination: string }

const HOST = String.raw`(?:[A-Za-z0-9_][A-Za-z0-9_.-]*@)?(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*)`
const REMOTE_PATH = String.raw`[A-Za-z0-9_./~@%+=,-]+`
const SSH = new RegExp(`^${HOST}:(?![:-]|//)${REMOTE_PATH}$`)
const DAEMON = new RegExp(String.raw`^rsync://${HOST}(?::\d{1,5})?/(?!-)${REMOTE_PATH}$`)

/**
 * Tells the three kinds of target apart. Addresses that a remote shell or rsync could take for anything but a host and a
 * path are refused. Relative folders are taken from the working directory.
 * @throws EdgeError SYNC_TARGET_INVALID
 */
export function parseTarget(text: string): TargetAddress {
  const destination = text.endsWith('/') ? text : `${text}/`
  if (DAEMON.test(text)) return { kind: 'daemon', destination }
  if (SSH.test(text)) return { kind: 'ssh', destination }
  const colon = text.indexOf(':')
  const slash = text.indexOf('/')
  const isPlainPath = /^\.{0,2}\//.test(text) || colon === -1 || (slash !== -1 && slash < colon)
  if (!isPlainPath || text.includes('\0') || text.startsWith('-')) {
    throw new EdgeError(
      'SYNC_TARGET_INVALID',
      `sync.target: found ${JSON.stringify(text)}, wanted a folder, user@host:/path or rsync://host/module/path`,
      { hint: 'remote paths are spelled with letters, digits and ./_-~@%+=, only' },
    )
  }
  return { kind: 'folder', path: resolve(text) }
}

/** How a target is called in ledgers, status and messages: its address, spelled in one way. */
export function targetLabel(text: string): string {
  const address = parseTarget(text)
  return address.kind === 'folder' ? address.path : address.destination.replace(/\/$/, '')
}
