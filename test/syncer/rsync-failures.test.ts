import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import t, { type Test } from 'tap'
import { runSyncer, type PassReport } from '../../syncer/main.js'
import { findProgram, needsThat } from '../fixtures/needs.js'
import {
  handClock,
  HOUR_14,
  HOUR_MS,
  ShippedTree,
  testConfig,
  visibleBelow,
  passOnce,
} from '../fixtures/shipped-tree.js'
import { startTarget, type TargetKind, type TestTarget } from '../fixtures/sync-targets.js'
import { matchAll } from '../fixtures/match-all.js'

// Mostly waits.

const log = pino({ level: 'silent' })

interface World {
  target: TestTarget
  tree: ShippedTree
  segment: string
  once: (sync?: object, signal?: AbortSignal) => Promise<PassReport>
}

/** One compacted segment that nothing but verification keeps here, and a real target. */
async function worldOf(t: Test, kind: TargetKind): Promise<World | undefined> {
  const folder = t.testdir()
  const target = await startTarget(t, kind, folder)
  if (!target) return undefined
  const tree = new ShippedTree(join(folder, 'data'))
  const segment = tree.segment(1)
  tree.compacted(segment, 1)
  const clock = handClock(HOUR_14 + 2 * HOUR_MS)
  const once = (sync: object = {}, signal = new AbortController().signal) => {
    const all = { ...target.sync, graceMinutes: 0, ...sync }
    return runSyncer({ config: testConfig(tree.dataDir, all, { keepHours: 0 }), log, once: true, signal, clock })
  }
  return { target, tree, segment, once }
}

t.test('ssh', async t => {
  const world = await worldOf(t, 'ssh')
  if (!world) return
  const { target, tree, segment, once } = world
  const { sshKey = '', knownHosts = '' } = target.sync
  const beside = (name: string) => join(knownHosts, '..', name)
  const keygen = (name: string) => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', beside(name)])
    return beside(name)
  }

  await t.test('a host key that is not the known one stops it', async t => {
    const other = keygen('other-host')
    const { sshPort } = target.sync
    writeFileSync(
      beside('changed'),
      `[127.0.0.1]:${sshPort} ${execFileSync('cat', [`${other}.pub`], { encoding: 'utf8' })}`,
    )
    writeFileSync(beside('empty'), '')
    for (const name of ['changed', 'empty']) {
      const report = await once({ knownHosts: beside(name) })
      t.match(report.error, { code: 'SYNC_TARGET_SUSPECT', retry: false, hint: /fingerprint .* known_hosts/ }, name)
      t.match(report, { shippedFiles: 0, backlogFiles: 3, retiredFiles: 0 })
    }
    t.equal(execFileSync('cat', [beside('empty')], { encoding: 'utf8' }), '', 'and is never accepted by itself')
  })

  await t.test('a refused key', async t => {
    t.match((await once({ sshKey: keygen('stranger') })).error, {
      code: 'SYNC_TARGET_REFUSED',
      message: /ssh key/,
      hint: /sync\.sshKey and authorized_keys/,
    })
  })

  await t.test('nobody there', async t => {
    t.match((await once({ sshPort: 1 })).error, { code: 'SYNC_TARGET_UNREACHABLE', retry: true })
  })

  await t.test('a server whose rsync is old is asked for less', async t => {
    const old = beside('old-rsync')
    const rsync = findProgram('rsync') ?? 'rsync'
    writeFileSync(
      old,
      '#!/bin/sh\ncase "$SSH_ORIGINAL_COMMAND" in\n' +
        ' *--fsync*) echo "rsync: --fsync: unknown option" >&2; exit 1;;\n' +
        ' *--checksum-choice*) echo "rsync: --checksum-choice=md5: unknown option" >&2; exit 1;;\n' +
        // Old ones do not negotiate: they have md5 only.
        `esac\nRSYNC_CHECKSUM_LIST=md5 exec ${rsync} \${SSH_ORIGINAL_COMMAND#rsync }\n`,
    )
    chmodSync(old, 0o755)
    const restricted = keygen('restricted')
    const key = execFileSync('cat', [`${restricted}.pub`], { encoding: 'utf8' })
    writeFileSync(beside('authorized_keys'), `restrict,command="${old}" ${key}`, { flag: 'a' })
    const report = await once({ sshKey: restricted })
    t.match(report, { error: undefined, shippedFiles: 3, verifiedFiles: 3, retiredFiles: 3 })
    t.equal(visibleBelow(target.root).get(segment), 'segment 1\n')
    t.ok(sshKey !== restricted)
  })

  await t.test('a key that may only write: pushing and verifying work, pulling is refused', async t => {
    if (!needsThat(t, findProgram('rrsync') !== undefined, 'needs rrsync, which comes with rsync 3.2.5 and later'))
      return
    const confined = keygen('confined')
    const root = join(target.root, 'confined')
    mkdirSync(root)
    const key = execFileSync('cat', [`${confined}.pub`], { encoding: 'utf8' })
    const command = `${findProgram('rrsync') ?? ''} -wo -no-del ${root}`
    writeFileSync(beside('authorized_keys'), `restrict,command="${command}" ${key}`, { flag: 'a' })
    const own = new ShippedTree(join(tree.dataDir, '..', 'confined-data'))
    const lonely = own.segment(7)
    const { sshPort = 0 } = target.sync
    const address = `${userInfo().username}@127.0.0.1:`
    const config = testConfig(own.dataDir, { ...target.sync, target: `${address}/`, sshKey: confined, graceMinutes: 0 })
    const clock = handClock(HOUR_14 + 2 * HOUR_MS)
    const pass = () => passOnce(config, clock)
    t.match(await pass(), { error: undefined, shippedFiles: 2, verifiedFiles: 2, problemFiles: 0 })
    t.equal(visibleBelow(root).get(lonely), 'segment 7\n')

    const ssh = `ssh -F none -p ${sshPort} -i ${confined} -o BatchMode=yes -o UserKnownHostsFile=${knownHosts}`
    const pull = spawnSync('rsync', ['-e', ssh, `${address}${lonely}`, beside('pulled')], { encoding: 'utf8' })
    t.not(pull.status, 0)
    t.match(pull.stderr, /write-only|sending .* not allowed|disabled/i)
    t.notOk(existsSync(beside('pulled')))
    const shell = spawnSync('ssh', [...ssh.split(' ').slice(1), address.slice(0, -1), 'id'], { encoding: 'utf8' })
    t.not(shell.status, 0, 'and there is no shell')
    t.equal(shell.stdout, '')
  })

  await t.test('stopped in the middle of a file, it shows nothing of it', async t => {
    const big = tree.segment(2, 'x'.repeat(5_000_000))
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 1500)
    const startedMs = performance.now()
    const report = await once({ bandwidthKiBps: 200 }, stop.signal)
    // All of it takes 25 s.
    t.ok(performance.now() - startedMs < 20_000, 'it does not wait for the rest')
    t.match(report, { error: undefined, shippedFiles: 0, backlogFiles: 2 })
    t.notOk(visibleBelow(target.root).has(big))
    t.match(await once(), { error: undefined, verifiedFiles: 2 })
    t.equal(visibleBelow(target.root).get(big)?.length, 5_000_000)
  })
})

t.test('daemon', async t => {
  const world = await worldOf(t, 'daemon')
  if (!world) return
  const { target, tree, segment, once } = world

  await t.test('a wrong password', async t => {
    const file = join(tree.dataDir, 'wrong')
    writeFileSync(file, 'guess\n', { mode: 0o600 })
    t.match((await once({ passwordFile: file })).error, { code: 'SYNC_TARGET_REFUSED' })
  })

  await t.test('no such module', async t => {
    const other = target.sync.target.replace('/tape', '/tapes')
    t.match((await once({ target: other })).error, { code: 'SYNC_TARGET_REFUSED', message: /no such module/ })
  })

  await t.test('nobody there', async t => {
    t.match((await once({ target: 'rsync://127.0.0.1:1/tape/' })).error, { code: 'SYNC_TARGET_UNREACHABLE' })
  })

  await t.test('one file that cannot go does not hold up the others', async t => {
    new ShippedTree(target.root).write(`${segment}/in/the/way`, 'a folder where the file should be')
    const report = await once()
    t.match(report, { error: undefined, shippedFiles: 2, verifiedFiles: 2, backlogFiles: 1, problemFiles: 1 })
    matchAll(t, report.problems, [{ path: segment }])
    t.equal(report.retiredFiles, 0, 'and what belongs to it stays here')
  })
})
