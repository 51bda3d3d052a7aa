import { resolve } from 'node:path'
import t from 'tap'
import { parseConfig } from '../../config/load.js'
import { parseTarget, targetLabel } from '../../config/target-address.js'

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

t.test('the three kinds of target', t => {
  const folder = (path: string) => ({ kind: 'folder' as const, path })
  t.same(parseTarget('/mnt/nas'), folder('/mnt/nas'))
  t.same(parseTarget('./nas'), folder(resolve('nas')))
  t.same(parseTarget('../nas'), folder(resolve('..', 'nas')))
  t.same(parseTarget('/mnt/n a:s [1]\\'), folder('/mnt/n a:s [1]\\'))
  for (const text of ['recorder@nas:/volume1/tape', 'nas:tape', 'me@[::1]:/tape', 'nas:~/tape'])
    t.same(parseTarget(text), { kind: 'ssh', destination: `${text}/` }, text)
  t.same(parseTarget('rsync://me@nas:873/tape/x'), { kind: 'daemon', destination: 'rsync://me@nas:873/tape/x/' })
  t.same(parseTarget('rclone:b2:tape/x'), { kind: 'rclone', destination: 'b2:tape/x/' })
  t.equal(targetLabel('rclone:b2:tape/x/'), 'rclone:b2:tape/x')
  for (const text of ['rclone:', 'rclone:b2', 'rclone:b2:', 'rclone:-x:y', 'rclone::local:/x', 'rclone:b2:a b'])
    t.throws(() => parseTarget(text), { code: 'SYNC_TARGET_INVALID', message: /wanted rclone:remote:path/ }, text)
  t.equal(targetLabel('/mnt/./nas/'), '/mnt/nas')
  t.equal(targetLabel('me@nas:/tape/'), 'me@nas:/tape')
  t.end()
})

t.test('an address without its colon was taken for a folder and made here', t => {
  for (const [text, meant] of [
    ['recorder@nas', 'recorder@nas:/path'],
    ['recorder@nas/volume1/tape', 'recorder@nas:/volume1/tape'],
    ['recorder@nas.example', 'recorder@nas.example:/path'],
    ['nas', './nas for a folder here, or host:/path'],
    ['nas/tape', './nas/tape for a folder here'],
    ['nas:', 'nas:/path'],
    ['recorder@nas:', 'recorder@nas:/path'],
    ['recorder@[::1]', 'recorder@[::1]:/path'],
    ['recorder@[fe80::1]/tape', 'recorder@[fe80::1]:/tape'],
    ['[::1]', '[::1]:/path'],
    ['[::1]:', '[::1]:/path'],
    ['recorder@2001:db8::7', 'recorder@[2001:db8::7]:/path'],
    ['2001:db8::7/tape', '[2001:db8::7]:/tape'],
    ['nas::module/tape', 'rsync://nas/module/tape'],
    ['ssh://recorder@nas/tape', 'recorder@nas:/tape'],
    ['rsync://nas', 'rsync://nas/module/path'],
    ['smb://nas/share', 'the folder where you mounted it'],
    ['//nas/share', 'the folder where you mounted it'],
    ['file:///mnt/nas', '/mnt/nas'],
  ] as const) {
    const config = () => parseConfig(JSON.stringify({ exchange: { name: 'deribit' }, sync: { target: text } }), 'x')
    const said = new RegExp(`sync.target: found .*, wanted a folder .*did you mean ${escaped(meant)}`)
    t.throws(config, { code: 'CONFIG_INVALID', message: said }, text)
    t.throws(() => parseTarget(text), { code: 'SYNC_TARGET_INVALID', message: said }, text)
  }
  for (const text of [
    '',
    '.',
    '..',
    ' /mnt/nas',
    '~other/nas',
    '-e sh',
    'nas:-x',
    'n as:/x',
    '/x\0',
    'nas:/x y',
    'C:\\tape',
  ])
    t.throws(() => parseTarget(text), { code: 'SYNC_TARGET_INVALID' }, JSON.stringify(text))
  t.end()
})

t.test('a sign that no remote path may have is named as the reason', t => {
  const said = /; remote paths are spelled with letters, digits and /
  for (const text of ['nas:/vol/my market', 'rsync://nas/market/my days', 'rclone:s3:my bucket'])
    t.throws(() => parseTarget(text), { message: said }, text)
  t.throws(() => parseTarget('rclone:s3'), { message: /edgetape$/ }, 'what lacks a part has no such sign')
  t.end()
})
