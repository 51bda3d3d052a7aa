import t from 'tap'
import { classifyExit, exitError, type ExitKind } from '../../syncer/targets/rsync-exit.js'

const cases: { name: string; code: number | undefined; stderr: string; kind: ExitKind; says?: RegExp }[] = [
  { name: 'all went well', code: 0, stderr: '', kind: 'ok' },
  { name: 'a warning with exit 0', code: 0, stderr: 'Connection to nas closed\n', kind: 'ok' },
  { name: 'syntax', code: 1, stderr: 'rsync error: syntax or usage error (code 1)', kind: 'config' },
  { name: 'protocol', code: 2, stderr: 'protocol version mismatch -- is your shell clean?', kind: 'config' },
  { name: 'bad source', code: 3, stderr: '', kind: 'config' },
  {
    name: 'a server that refuses an option',
    code: 4,
    stderr: 'The server is configured to refuse --fsync\nrsync error: requested action not supported (code 4)',
    kind: 'option',
    says: /^--fsync$/,
  },
  { name: 'daemon auth', code: 5, stderr: '@ERROR: auth failed on module tape', kind: 'config', says: /refuses us/ },
  { name: 'no module', code: 5, stderr: "@ERROR: Unknown module 'tapes'", kind: 'config', says: /no such module/ },
  {
    name: 'too many connections',
    code: 5,
    stderr: '@ERROR: max connections (4) reached -- try again later',
    kind: 'busy',
  },
  {
    name: 'refused',
    code: 10,
    stderr: 'rsync: [sender] failed to connect to 10.0.0.1: Connection refused (111)',
    kind: 'retry',
    says: /Connection refused/,
  },
  {
    name: 'target full',
    code: 11,
    stderr: 'rsync: [receiver] write failed on "/nas/raw/x": No space left on device (28)\n',
    kind: 'full',
  },
  {
    name: 'target full, words lost',
    code: 11,
    stderr: 'rsync error: error in file IO (code 11) at receiver.c(380) [receiver=3.5.0]\n',
    kind: 'full',
    says: /did not say why/,
  },
  {
    name: 'quota',
    code: 23,
    stderr: 'rsync: [receiver] mkstemp "/nas/.x" failed: Disk quota exceeded (122)',
    kind: 'full',
  },
  {
    name: 'parent missing',
    code: 11,
    stderr: 'rsync: [Receiver] mkdir "/no/where" failed: No such file or directory (2)',
    kind: 'config',
    says: /folder above/,
  },
  { name: 'read-only', code: 11, stderr: 'mkdir "/nas" failed: Read-only file system (30)', kind: 'retry' },
  {
    name: 'old server',
    code: 12,
    stderr: 'rsync: --fsync: unknown option\nrsync error: syntax or usage error (code 1) at main.c(1795)',
    kind: 'option',
    says: /^--fsync$/,
  },
  {
    name: 'old restricted key',
    code: 12,
    stderr: '/usr/bin/rrsync: invalid rsync-command syntax or options\nrsync: connection unexpectedly closed',
    kind: 'option',
    says: /^$/,
  },
  { name: 'no rsync there', code: 12, stderr: 'bash: line 1: rsync: command not found', kind: 'config' },
  { name: 'no rsync there, 127', code: 127, stderr: 'sh: 1: rsync: not found', kind: 'config', says: /no rsync on/ },
  { name: 'cut', code: 12, stderr: 'rsync: connection unexpectedly closed (0 bytes received so far)', kind: 'retry' },
  {
    name: 'killed by us',
    code: 20,
    stderr: 'rsync error: received SIGINT, SIGTERM, or SIGHUP (code 20)',
    kind: 'retry',
  },
  { name: 'killed', code: undefined, stderr: '', kind: 'retry', says: /killed/ },
  {
    name: 'a folder that may not be written to',
    code: 23,
    stderr: 'rsync: [receiver] mkstemp "/nas/raw/.x.Q3kd" failed: Permission denied (13)',
    kind: 'partial',
    says: /Permission denied/,
  },
  { name: 'vanished', code: 24, stderr: '', kind: 'partial' },
  { name: 'timeout', code: 30, stderr: 'rsync error: timeout in data send/receive (code 30)', kind: 'retry' },
  { name: 'connect timeout', code: 35, stderr: '', kind: 'retry' },
  {
    name: 'no ssh connection',
    code: 255,
    stderr: 'ssh: connect to host nas port 22: Connection timed out',
    kind: 'retry',
  },
  { name: 'no such host', code: 255, stderr: 'ssh: Could not resolve hostname nas', kind: 'retry', says: /not known/ },
  {
    name: 'key refused',
    code: 255,
    stderr: 'recorder@nas: Permission denied (publickey,password).',
    kind: 'config',
    says: /ssh key/,
  },
  {
    name: 'host key changed',
    code: 255,
    stderr: '@@@@@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.',
    kind: 'security',
    says: /changed/,
  },
  {
    name: 'host key unknown',
    code: 255,
    stderr:
      'No ED25519 host key is known for nas and you have requested strict checking.\nHost key verification failed.',
    kind: 'security',
    says: /not a known one/,
  },
  { name: 'a code from the future', code: 99, stderr: '', kind: 'retry' },
]

for (const { name, code, stderr, kind, says } of cases) {
  t.test(name, t => {
    const meaning = classifyExit({ code, stderr })
    t.equal(meaning.kind, kind)
    if (says) t.match(meaning.message, says)
    t.end()
  })
}

t.test('errors', t => {
  const error = (code: number, stderr: string) => exitError('nas', classifyExit({ code, stderr }))
  t.match(error(255, 'Host key verification failed.'), { code: 'SYNC_TARGET_SUSPECT', retry: false })
  t.match(error(11, 'No space left on device'), { code: 'SYNC_TARGET_FULL', retry: true })
  t.match(error(30, ''), { code: 'SYNC_TARGET_UNREACHABLE', message: 'nas: the connection was cut (rsync 30)' })
  t.end()
})
