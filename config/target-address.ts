import { resolve } from 'node:path'
import { EdgeError } from '../platform/edge-error.js'
import { expandHome, pathComplaint } from './paths.js'

/**
 * Whether days may become one file each: readers of the target must not see the hours beside the day. A folder can be
 * changed in one step; through rsync nothing is deleted, so there readers have to be informed.
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

/** `sync.target`, understood. `destination` is what rsync or rclone is given, with a slash at its end. */
export type TargetAddress =
  | { kind: 'folder'; path: string }
  | { kind: 'ssh'; destination: string }
  | { kind: 'daemon'; destination: string }
  | { kind: 'rclone'; destination: string }

/** What distinguishes a remote of rclone from a host of that name. */
const RCLONE_SCHEME = 'rclone:'
const HOST = String.raw`(?:[A-Za-z0-9_][A-Za-z0-9_.-]*@)?(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*)`
/** Letters and digits apart, what a remote path is spelled with: anything else a remote shell or rsync might take for what it is not. */
const SIGNS = './_-~@%+=,'
const SPELLING = `A-Za-z0-9${SIGNS.replace('-', String.raw`\-`)}`
const REMOTE_PATH = `[${SPELLING}]+`
const SSH = new RegExp(`^${HOST}:(?![:-]|//)${REMOTE_PATH}$`)
const DAEMON = new RegExp(String.raw`^rsync://${HOST}(?::\d{1,5})?/(?!-)${REMOTE_PATH}$`)

const RCLONE = new RegExp(String.raw`^${RCLONE_SCHEME}[A-Za-z0-9_][A-Za-z0-9_.+@-]*:${REMOTE_PATH}$`)

const LOCAL = /^\.{0,2}\//

/**
 * Decides which kind of target an address is. A folder is an absolute path, or begins with `./` or `../`: anything else could be
 * a machine whose colon was forgotten. Addresses that a remote shell or rsync could take for anything but a host and a path
 * are refused. Relative folders are taken from the working directory; those of a config are absolute already.
 * @throws EdgeError SYNC_TARGET_INVALID
 */
export function parseTarget(text: string): TargetAddress {
  const complaint = targetComplaint(text)
  if (complaint !== undefined) {
    throw new EdgeError('SYNC_TARGET_INVALID', `sync.target: found ${JSON.stringify(text)}, wanted ${complaint}`)
  }
  const destination = text.endsWith('/') ? text : `${text}/`
  if (RCLONE.test(text)) return { kind: 'rclone', destination: destination.slice(RCLONE_SCHEME.length) }
  if (DAEMON.test(text)) return { kind: 'daemon', destination }
  if (SSH.test(text)) return { kind: 'ssh', destination }
  return { kind: 'folder', path: resolve(expandHome(text)) }
}

const WANTED = 'a folder (/path, ./path or ~/path), user@host:/path, rsync://host/module/path or rclone:remote:path'

/** Where ssh goes for the `destination` of a target: the login, the machine alone, and the folder there. Pure. */
export function sshPlaceOf(destination: string): { login: string; host: string; path: string } {
  const [, user = '', host = '', path = ''] = /^([^@:]*@)?\[?([^\]]*?)\]?:([^:\]]*)$/.exec(destination) ?? []
  return { login: `${user}${host}`, host, path }
}

/** Why a text is no target, and what was probably meant; undefined where it is one. Pure. */
export function targetComplaint(text: string): string | undefined {
  if (text.startsWith(RCLONE_SCHEME))
    return RCLONE.test(text) ? undefined : withSpelling('rclone:remote:path, such as rclone:s3:bucket/edgetape', text)
  if (DAEMON.test(text) || SSH.test(text)) return undefined
  const meant = meantBy(text)
  if (meant === undefined && (LOCAL.test(text) || text.startsWith('~'))) return pathComplaint(text)
  return meant === undefined || meant === text ? withSpelling(WANTED, text) : `${WANTED}; did you mean ${meant}?`
}

/** An address, as far as its signs go: hosts have colons, and brackets about some. */
const SPELLED = new RegExp(String.raw`^[${SPELLING}:[\]]*$`)

const withSpelling = (wanted: string, text: string) =>
  SPELLED.test(text) ? wanted : `${wanted}; remote paths are spelled with letters, digits and ${SIGNS} only`

/** What a text that is no target was probably meant to be. */
function meantBy(text: string): string | undefined {
  const [, scheme = '', rest = ''] = /^([a-z]+):\/\/(.*)$/.exec(text) ?? []
  if (scheme === 'file') return rest
  if (scheme === 'ssh' || scheme === 'sftp' || scheme === 'scp') return rest.replace(/^([^/]+)\/?/, '$1:/')
  if (scheme === 'rsync') return /^[^/]+\/?$/.test(rest) ? `${text.replace(/\/$/, '')}/module/path` : undefined
  if (scheme !== '') return 'the folder where you mounted it, such as /mnt/nas'
  if (text.startsWith('//') || text.startsWith('\\\\')) return 'the folder where you mounted it, such as /mnt/nas'
  if (LOCAL.test(text) || text.startsWith('~')) return undefined
  const bracketed = /^((?:[^/:@\s]+@)?\[[0-9A-Fa-f:.]+\]):?(\/.*)?$/.exec(text)
  if (bracketed) return `${bracketed[1] ?? ''}:${bracketed[2] ?? '/path'}`
  const module = /^([^/:]+)::(.+)$/.exec(text)
  if (module) return `rsync://${module[1] ?? ''}/${module[2] ?? ''}`
  if (/^[^/:]+:$/.test(text)) return `${text}/path`
  // The colons of a bare address would be taken for the one before the path.
  const bare = /^([^/:@\s]+@)?([0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f.]*)(\/.*)?$/.exec(text)
  if (bare) return `${bare[1] ?? ''}[${bare[2] ?? ''}]:${bare[3] ?? '/path'}`
  const user = /^([^/:@\s]+@[^/:\s]+)(\/.*)?$/.exec(text)
  if (user) return `${user[1] ?? ''}:${user[2] ?? '/path'}`
  return /^[^:\s]+$/.test(text) ? `./${text} for a folder here, or host:/path for another machine` : undefined
}

/** How a target is called in ledgers, status and messages: its address, spelled in one way. */
export function targetLabel(text: string): string {
  const address = parseTarget(text)
  if (address.kind === 'folder') return address.path
  return `${address.kind === 'rclone' ? RCLONE_SCHEME : ''}${address.destination.replace(/\/$/, '')}`
}
