import { EdgeError } from '../../platform/edge-error.js'

/** What an rsync pair is known to understand; the other side's limits are learnt from its complaints. */
export interface RsyncAbilities {
  fsync: boolean
  checksumChoice: boolean
  /** May set aside what it writes over; a key that forbids deletions forbids this, too. */
  backup: boolean
}

/** ssh settings from the config; what is left out, ssh decides by its own config. */
export interface SshSettings {
  key?: string | undefined
  port?: number | undefined
  knownHosts?: string | undefined
}

export interface RsyncSettings {
  /** With a slash at the end: `user@host:/path/` or `rsync://host/module/path/`. */
  destination: string
  daemon: boolean
  ssh: SshSettings
  passwordFile?: string | undefined
  /** 0: no limit. */
  bandwidthKiBps: number
  /** Silence of the connection after which rsync and ssh give up. */
  timeoutSeconds: number
}

/** The list of paths comes NUL-separated on stdin; it makes the folders on the way, and nothing else is touched. */
const LIST = ['--files-from=-', '--from0']

/** Only content and time travel: owners, groups and folder times are the target's own affair. */
const ATTRIBUTES = ['--times', '--omit-dir-times', '--no-perms', '--no-owner', '--no-group', '--chmod=D755,F644']

/** Where, below the target, a copy goes that is written over: out of every reader's way, for a person to look at. */
export const REPLACED_FOLDER = '.edgetape-replaced'

/** How `parseItem` wants the lines. */
const ITEMS = ['--outbuf=L', '-ii', '--out-format=%i|%l|%C|%n']

/**
 * Arguments that bring files. What is there already stays; `again` sends them whatever is there, and sets the copy aside.
 * There is no --partial, --inplace or --append: readers at the target see whole files only; no --delete and no
 * --remove-source-files: nothing is deleted by rsync on either side.
 */
export function shipArguments(settings: RsyncSettings, abilities: RsyncAbilities, again: boolean): string[] {
  return [
    ...LIST,
    ...ATTRIBUTES,
    ...(abilities.fsync ? ['--fsync'] : []),
    again ? '--ignore-times' : '--ignore-existing',
    ...(again && abilities.backup ? ['--backup', `--backup-dir=${REPLACED_FOLDER}`] : []),
    `--bwlimit=${settings.bandwidthKiBps}`,
    '--info=progress2',
    ...ITEMS,
    ...connection(settings),
  ]
}

/** Arguments that write a mark: `new` only where nothing has its name, `over` only where something has. */
export function markArguments(settings: RsyncSettings, abilities: RsyncAbilities, how: 'new' | 'over'): string[] {
  return [
    ...LIST,
    ...ATTRIBUTES,
    ...(abilities.fsync ? ['--fsync'] : []),
    ...(how === 'new' ? ['--ignore-existing'] : ['--existing', '--ignore-times']),
    ...ITEMS,
    ...connection(settings),
  ]
}

/** Arguments that change nothing and report, per file, whether the copy there has the content of the file here. */
export function verifyArguments(settings: RsyncSettings, abilities: RsyncAbilities): string[] {
  return [
    ...LIST,
    ...ATTRIBUTES,
    '--dry-run',
    '--checksum',
    ...(abilities.checksumChoice ? ['--checksum-choice=md5'] : []),
    ...ITEMS,
    ...connection(settings),
  ]
}

/** Arguments that bring copies here, where nothing is of that name. */
export function fetchArguments(settings: RsyncSettings): string[] {
  return [
    ...LIST,
    ...ATTRIBUTES,
    '--ignore-existing',
    `--bwlimit=${settings.bandwidthKiBps}`,
    ...ITEMS,
    ...connection(settings),
  ]
}

function connection(settings: RsyncSettings): string[] {
  const { timeoutSeconds } = settings
  const timeout = `--timeout=${timeoutSeconds}`
  if (!settings.daemon) return [timeout, '-e', sshCommand(settings.ssh, timeoutSeconds)]
  const password = settings.passwordFile === undefined ? [] : [`--password-file=${settings.passwordFile}`]
  return [timeout, `--contimeout=${connectSeconds(timeoutSeconds)}`, ...password]
}

/**
 * The ssh command for rsync's -e. It never asks, never accepts a host key it does not know, and with a key of its own
 * it leaves the user's ssh config alone.
 * @throws EdgeError CONFIG_INVALID a file name that rsync would split
 */
export function sshCommand({ key, port, knownHosts }: SshSettings, timeoutSeconds: number): string {
  return [
    'ssh',
    ...(key === undefined ? [] : ['-F', 'none', '-i', plain(key, 'sync.sshKey'), '-o', 'IdentitiesOnly=yes']),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(knownHosts === undefined ? [] : ['-o', `UserKnownHostsFile=${plain(knownHosts, 'sync.knownHosts')}`]),
    ...[
      'BatchMode=yes',
      'StrictHostKeyChecking=yes',
      `ConnectTimeout=${connectSeconds(timeoutSeconds)}`,
      `ServerAliveInterval=${Math.ceil(timeoutSeconds / 4)}`,
      'ServerAliveCountMax=4',
      'ControlMaster=no',
      'ControlPath=none',
      'Compression=no',
    ].flatMap(option => ['-o', option]),
  ].join(' ')
}

/** A target that is there answers at once. */
const connectSeconds = (timeoutSeconds: number) => Math.min(10, timeoutSeconds)

function plain(path: string, key: string): string {
  if (!/[\s'"\\%]/.test(path)) return path
  throw new EdgeError(
    'CONFIG_INVALID',
    `${key}: found ${JSON.stringify(path)}, wanted a path without spaces and quotes`,
  )
}
