import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { freeOfDf, nasFinding, targetSpace } from '../../../monitor/doctor/nas.js'
import { otherRecorders } from '../../../monitor/doctor/other-recorders.js'
import { recorderName } from '../../../formats/recorder-name.js'
import { dataIdentity } from '../../../platform/data-identity.js'
import { ShippedTree, testConfig } from '../../fixtures/shipped-tree.js'
import { startTarget } from '../../fixtures/sync-targets.js'
import { matchAll } from '../../fixtures/match-all.js'

const { signal } = new AbortController()

t.test('a NAS over ssh, and all that may be wrong with its keys', async t => {
  const folder = t.testdir()
  const target = await startTarget(t, 'ssh', folder)
  if (!target) return
  const { knownHosts = '', sshKey = '', sshPort = 0 } = target.sync
  const known = readFileSync(knownHosts, 'utf8')
  const look = (sync: object = {}) =>
    nasFinding(testConfig(join(folder, 'data'), { ...target.sync, timeoutSeconds: 20, ...sync }), signal)

  t.match(await look(), { outcome: 'ok', message: /rsync answers.*bytes written.*checksum/ })
  const config = testConfig(join(folder, 'data'), target.sync)
  t.ok(((await targetSpace(config.sync, signal)) ?? 0) > 0, 'a key that may run df tells how much is free')

  writeFileSync(knownHosts, '')
  t.match(await look(), {
    outcome: 'failed',
    message: /not a known one/,
    hint: new RegExp(`ssh-keyscan -p ${sshPort} -t ed25519 127\\.0\\.0\\.1 >> ${knownHosts}`),
    facts: { code: 'SYNC_TARGET_SUSPECT' },
  })
  writeFileSync(knownHosts, `[127.0.0.1]:${sshPort} ${readFileSync(join(folder, 'client.pub'), 'utf8')}`)
  t.match(await look(), {
    outcome: 'failed',
    message: /has changed/,
    hint: new RegExp(`ssh-keygen -R '\\[127\\.0\\.0\\.1\\]:${sshPort}' -f ${knownHosts}`),
  })
  writeFileSync(knownHosts, known)

  const authorized = readFileSync(join(folder, 'authorized_keys'), 'utf8')
  writeFileSync(join(folder, 'authorized_keys'), '# none\n')
  t.match(await look(), { outcome: 'failed', message: /refuses our ssh key/, hint: /authorized_keys[^]*rrsync/ })
  writeFileSync(join(folder, 'authorized_keys'), authorized)

  chmodSync(sshKey, 0o644)
  t.match(await look(), { outcome: 'failed', message: /others may read/, hint: `chmod 600 ${sshKey}` })
  t.match(await look({ sshKey: join(folder, 'nowhere') }), { outcome: 'failed', hint: /ssh-keygen -t ed25519/ })
})

t.test('a folder that is not there yet is not called good', async t => {
  const folder = t.testdir({ mnt: {} })
  const nas = join(folder, 'mnt', 'nas')
  const config = testConfig(join(folder, 'data'), { target: nas })
  t.match(await nasFinding(config, signal), { outcome: 'warning', message: /nothing was tried/, hint: /mount/ })
  t.ok(((await targetSpace(config.sync, signal)) ?? 0) > 0)
})

t.test('files of another recorder of the same host name at the target are told', t => {
  const folder = t.testdir({})
  const [dataDir, nas] = [join(folder, 'data'), join(folder, 'nas')]
  const config = testConfig(dataDir, { target: nas })
  const journal = (host: string) =>
    new ShippedTree(nas).write(
      `raw/exchange=deribit/channel=journal/date=2026-11-20/hour=14/20261120T140000Z-${host}-abc-1.jsonl.zst`,
      'x',
    )
  t.same(otherRecorders(config), [], 'there is nothing yet')
  journal(recorderName('h', dataIdentity(dataDir)))
  journal('h')
  journal('other_k3f9a2bx')
  t.same(otherRecorders(config), [], 'its own, from before there were identities, and of other hosts')
  journal('h_zzzzzzzz')
  matchAll(t, otherRecorders(config), [
    { check: 'host', outcome: 'warning', message: /another recorder that is called h, too: h_zzzzzzzz/, hint: /host/ },
  ])
  t.end()
})

t.test('what df says', t => {
  const text =
    'Filesystem     1024-blocks       Used  Available Capacity Mounted on\n/dev/md0         100  40  60      40% /volume1\n'
  t.equal(freeOfDf(text), 60 * 1024)
  t.equal(freeOfDf('rrsync: SSH_ORIGINAL_COMMAND is not rsync'), undefined)
  t.end()
})
