import t from 'tap'
import { parseItem, verdictOf } from '../../syncer/targets/rsync-lines.js'
import {
  markArguments,
  shipArguments,
  sshCommand,
  verifyArguments,
  type RsyncSettings,
} from '../../syncer/targets/rsync-options.js'
import { parseTarget } from '../../config/target-address.js'
import { rsyncEnvironment } from '../../syncer/targets/rsync-run.js'

const settings: RsyncSettings = {
  destination: 'recorder@nas:/volume1/edgetape/',
  daemon: false,
  ssh: { key: '/etc/edgetape/key', port: 2222, knownHosts: '/etc/edgetape/known_hosts' },
  bandwidthKiBps: 500,
  timeoutSeconds: 60,
}
const abilities = { fsync: true, checksumChoice: true, backup: true }

t.test('nothing that loses data is ever asked for', t => {
  const all = [
    ...shipArguments(settings, abilities, false),
    ...shipArguments(settings, abilities, true),
    ...verifyArguments(settings, abilities),
    ...markArguments(settings, abilities, 'new'),
    ...markArguments(settings, abilities, 'over'),
  ]
  const forbidden = /^--(delete|remove-source|partial|inplace|append|size-only|delay-updates|temp-dir)/
  t.same(
    all.filter(argument => forbidden.test(argument)),
    [],
  )
  t.same(
    all.filter(argument => /^-a|^--archive|^-r$|--recursive/.test(argument)),
    [],
  )
  t.end()
})

t.test('shipping', t => {
  const ship = shipArguments(settings, abilities, false)
  for (const wanted of ['--files-from=-', '--from0', '--times', '--fsync', '--bwlimit=500', '--chmod=D755,F644']) {
    t.ok(ship.includes(wanted), wanted)
  }
  t.ok(ship.includes('--ignore-existing'), 'what is there and was not brought by us stays')
  t.notOk(ship.includes('--ignore-times'))
  t.ok(markArguments(settings, abilities, 'over').includes('--existing'), 'no mark where there was none')
  t.ok(
    shipArguments(settings, abilities, true).includes('--ignore-times'),
    'a known wrong copy is sent whatever it looks like',
  )
  t.notOk(shipArguments(settings, { ...abilities, fsync: false }, false).includes('--fsync'))
  t.end()
})

t.test('verifying changes nothing', t => {
  const verify = verifyArguments(settings, abilities)
  for (const wanted of ['--dry-run', '--checksum', '--checksum-choice=md5', '-ii', '--out-format=%i|%l|%C|%n']) {
    t.ok(verify.includes(wanted), wanted)
  }
  t.end()
})

t.test('ssh never asks and never trusts', t => {
  const command = sshCommand(settings.ssh, 60)
  t.match(command, /^ssh -F none -i \/etc\/edgetape\/key -o IdentitiesOnly=yes -p 2222 /)
  t.match(command, /StrictHostKeyChecking=yes/)
  t.match(command, /BatchMode=yes/)
  t.notMatch(sshCommand({}, 60), /-F none| -i /)
  t.throws(() => sshCommand({ key: '/a key -oProxyCommand=x' }, 60), { code: 'CONFIG_INVALID' })
  const daemon = shipArguments({ ...settings, daemon: true, passwordFile: '/p' }, abilities, false)
  t.ok(daemon.includes('--password-file=/p'))
  t.notOk(daemon.includes('-e'))
  t.end()
})

t.test('the environment does not change what rsync does', t => {
  const environment = rsyncEnvironment({
    PATH: '/bin',
    RSYNC_RSH: 'x',
    RSYNC_PARTIAL_DIR: 'y',
    RSYNC_PASSWORD: 'p',
    LC_ALL: 'de',
  })
  t.same(environment, { PATH: '/bin', RSYNC_PASSWORD: 'p', LC_ALL: 'C' })
  t.end()
})

const md5 = 'b1946ac92492d2347c6235b4d2611184'
const verdicts = [
  { line: `.f         |6|${md5}|x/a`, verdict: 'same' },
  { line: `.f..t......|6|${md5}|x/a`, verdict: 'same' },
  { line: `<fc........|6|${md5}|x/a`, verdict: 'wrong' },
  { line: `<fcst......|6|${md5}|x/a`, verdict: 'wrong' },
  { line: `<f+++++++++|6|${md5}|x/a`, verdict: 'missing' },
  { line: `.f         |7|${md5}|x/a`, verdict: undefined },
  { line: `.f         |6|${md5.replace('b', 'c')}|x/a`, verdict: undefined },
  { line: '.f         |6|                                |x/a', verdict: undefined },
]
t.test('lines of the verify pass', t => {
  for (const { line, verdict } of verdicts) {
    const item = parseItem(line)
    t.equal(item && verdictOf(item, { bytes: 6, md5 }), verdict, line)
  }
  t.equal(parseItem(`.d         |4096|${' '.repeat(32)}|x/`), undefined)
  t.equal(parseItem('     32,768   0%    0.00kB/s    0:00:00'), undefined)
  t.end()
})

t.test('addresses', t => {
  t.match(parseTarget('recorder@nas:/volume1/edgetape'), {
    kind: 'ssh',
    destination: 'recorder@nas:/volume1/edgetape/',
  })
  t.match(parseTarget('nas:edgetape'), { kind: 'ssh' })
  t.match(parseTarget('rsync://edge@nas:8730/tape/x'), { kind: 'daemon', destination: 'rsync://edge@nas:8730/tape/x/' })
  t.match(parseTarget('/mnt/nas'), { kind: 'folder', path: '/mnt/nas' })
  t.match(parseTarget('./nas'), { kind: 'folder' })
  t.match(parseTarget('/mnt/nas:1'), { kind: 'folder', path: '/mnt/nas:1' })
  for (const bad of [
    '-oProxyCommand=x:/y',
    'nas:/a b',
    'nas:/$(x)',
    'nas:-e',
    'nas::module',
    'rsync://nas/',
    'rsync://nas',
    's3://x/y',
    'a@b@c:/x;y',
    '-x',
  ]) {
    t.throws(() => parseTarget(bad), { code: 'SYNC_TARGET_INVALID' }, bad)
  }
  t.end()
})
