import { EdgeError } from '../../platform/edge-error.js'

/**
 * What the end of an rsync means. ok: all done. partial: some files were not; which ones has to be looked up. option: the
 * other side does not know `option`. The rest concerns the target as a whole: busy is over in a moment, retry heals by
 * itself, full and config need a person but may be tried now and then, security is not tried again.
 */
export type ExitKind = 'ok' | 'partial' | 'option' | 'busy' | 'retry' | 'full' | 'config' | 'security'

export interface ExitFacts {
  /** Undefined when a signal ended it. */
  code: number | undefined
  stderr: string
}

export interface ExitMeaning {
  kind: ExitKind
  /** In words; for `option` its name, where the other side said it. */
  message: string
  hint?: string
}

interface Rule {
  /** Exit codes it is about; all when left out. */
  codes?: readonly number[]
  says?: RegExp
  kind: ExitKind
  message: string
  hint?: string
}

const SECURITY_HINT =
  'if the key of the target really changed, compare its fingerprint on the target itself (ssh-keygen -lf) and put it into known_hosts'

/** Read from the top, the first that fits counts: what stderr says is more exact than the code. */
const RULES: readonly Rule[] = [
  { codes: [0], kind: 'ok', message: 'done' },
  {
    says: /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    kind: 'security',
    message: 'the host key of the target has changed',
    hint: SECURITY_HINT,
  },
  {
    says: /Host key verification failed|REVOKED HOST KEY/,
    kind: 'security',
    message: 'the host key of the target is not a known one',
    hint: SECURITY_HINT,
  },
  {
    says: /No space left on device|Disk quota exceeded|disk full/i,
    kind: 'full',
    message: 'no space left on the target',
    hint: 'free some space there; nothing is deleted here meanwhile',
  },
  {
    says: /Permission denied \((?:publickey|password|keyboard)|Load key .*: (?:Permission denied|invalid format)/,
    kind: 'config',
    message: 'the target refuses our ssh key',
    hint: 'check sync.sshKey and authorized_keys on the target; some NAS boxes need their rsync service switched on as well',
  },
  {
    codes: [5],
    says: /max connections|try again later/,
    kind: 'busy',
    message: 'the rsync daemon has no connection left',
  },
  {
    codes: [5],
    says: /Unknown module/,
    kind: 'config',
    message: 'the rsync daemon has no such module',
    hint: 'check the module in sync.target',
  },
  {
    codes: [5],
    kind: 'config',
    message: 'the rsync daemon refuses us',
    hint: 'check the user in sync.target and sync.passwordFile',
  },
  {
    codes: [1, 2, 4, 12],
    says: /unknown option|invalid rsync-command syntax or options|option .* (?:has been disabled|is not allowed)|refus\w+ (?:by|to).*option|configured to refuse/i,
    kind: 'option',
    message: '',
  },
  {
    says: /(?:rsync|remote command): (?:command )?not found|rsync: No such file or directory/,
    kind: 'config',
    message: 'there is no rsync on the target',
    hint: 'install rsync there, or switch on its rsync service',
  },
  {
    says: /Failed to exec .*No such file|exec .*ssh.*: No such file/,
    kind: 'config',
    message: 'there is no ssh here',
    hint: 'apt-get install openssh-client',
  },
  {
    says: /Could not resolve hostname|Name or service not known|getaddrinfo/,
    kind: 'retry',
    message: 'the name of the target is not known',
  },
  {
    codes: [11],
    says: /No such file or directory/,
    kind: 'config',
    message: 'the folder above the target is not there',
    hint: 'is its disk mounted? else make the folder there',
  },
  {
    codes: [3],
    says: /Not a directory/,
    kind: 'config',
    message: 'the target is not a folder',
    hint: 'check the path in sync.target; something else stands there',
  },
  {
    codes: [1, 2, 3, 4],
    kind: 'config',
    message: 'rsync does not accept what it was asked for',
    hint: 'check the path in sync.target, and what the key or the daemon there allows',
  },
  { codes: [5, 10], kind: 'retry', message: 'the connection was refused or cut' },
  { codes: [11], says: /\(\d+\)$/m, kind: 'retry', message: 'the target cannot write' },
  {
    // The last words of a receiver on a full disk do not always get through.
    codes: [11],
    kind: 'full',
    message: 'the target cannot write, and did not say why',
    hint: 'see there whether the disk is full or fails; nothing is deleted here meanwhile',
  },
  { codes: [12, 30], kind: 'retry', message: 'the connection was cut' },
  { codes: [14, 19, 20, 21, 22], kind: 'retry', message: 'rsync was interrupted' },
  { codes: [23, 24], kind: 'partial', message: 'some files could not be uploaded' },
  { codes: [35], kind: 'retry', message: 'the rsync daemon did not answer in time' },
  { codes: [127], kind: 'config', message: 'a program is missing', hint: 'rsync must be installed on both sides' },
  { codes: [255], kind: 'retry', message: 'ssh could not connect' },
]

/** Judges by exit code and what was said on stderr. Pure. */
export function classifyExit({ code, stderr }: ExitFacts): ExitMeaning {
  const rule = RULES.find(
    ({ codes, says }) => (!codes || (code !== undefined && codes.includes(code))) && (!says || says.test(stderr)),
  )
  if (rule?.kind === 'option') return { kind: 'option', message: /(--[a-z][a-z-]+)/.exec(stderr)?.[1] ?? '' }
  const said = lastWords(stderr)
  const facts = rule ?? { kind: 'retry', message: code === undefined ? 'rsync was killed' : 'rsync failed' }
  return {
    kind: facts.kind,
    message: `${facts.message}${code === undefined ? '' : ` (rsync ${code})`}${said === '' ? '' : `: ${said}`}`,
    ...(facts.hint === undefined ? {} : { hint: facts.hint }),
  }
}

/** The line of stderr that says most: the first that is not rsync's closing remark. */
function lastWords(stderr: string): string {
  const lines = stderr.split('\n').filter(line => line.trim() !== '' && !/^(rsync error:|@{5})/.test(line))
  return (lines[0] ?? '').slice(0, 300)
}

const CODES: Record<Exclude<ExitKind, 'ok'>, string> = {
  partial: 'SYNC_PARTIAL',
  option: 'SYNC_TARGET_TOO_OLD',
  busy: 'SYNC_TARGET_UNREACHABLE',
  retry: 'SYNC_TARGET_UNREACHABLE',
  full: 'SYNC_TARGET_FULL',
  config: 'SYNC_TARGET_REFUSED',
  security: 'SYNC_TARGET_SUSPECT',
}

/** The error for an end that concerns the target as a whole. */
export function exitError(label: string, meaning: ExitMeaning): EdgeError {
  const kind = meaning.kind === 'ok' ? 'retry' : meaning.kind
  return new EdgeError(CODES[kind], `${label}: ${meaning.message}`, {
    retry: kind !== 'security',
    ...(meaning.hint === undefined ? {} : { hint: meaning.hint }),
  })
}

/** True where rsync's words are about the right to write. */
export function mayNotWrite(message: string): boolean {
  return /Permission denied \(13\)|Operation not permitted \(1\)|Read-only file system \(30\)/.test(message)
}

/** For a target where not one file could be written for want of the right to. */
export function refusedToWrite(label: string, message: string): EdgeError {
  return new EdgeError('SYNC_TARGET_REFUSED', `may not write to ${label}: ${message}`, {
    retry: true,
    hint: 'check owner, permissions and mount options of the target folder, for the user that rsync runs as there',
  })
}
