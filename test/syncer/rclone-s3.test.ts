/** A real rclone to a real server of S3's protocol. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import pino from 'pino'
import t from 'tap'
import { runSyncer } from '../../syncer/main.js'
import { withEnvironment } from '../fixtures/environment.js'
import { matchAll } from '../fixtures/match-all.js'
import { needs } from '../fixtures/needs.js'
import { s3Server } from '../fixtures/s3-server.js'
import { flipByte, handClock, HOUR_14, HOUR_MS, ShippedTree, testConfig, passOnce } from '../fixtures/shipped-tree.js'

t.test('files go to a bucket, are proven by the checksums it computed, and only then deleted here', async t => {
  const s3 = await s3Server(t)
  if (!s3) return
  withEnvironment(t, s3.env)
  // Its client cannot be told of other authorities.
  delete process.env['AWS_CA_BUNDLE']
  const rclone = async (...args: string[]) => (await execa('rclone', args)).stdout
  await rclone('mkdir', 's3:tape')
  const tree = new ShippedTree(join(t.testdir({}), 'data'))
  mkdirSync(tree.dataDir, { recursive: true })
  const clock = handClock(HOUR_14 + 2 * HOUR_MS)
  const sync = { target: 'rclone:s3:tape/edgetape', graceMinutes: 15 }
  const config = testConfig(tree.dataDir, sync, { keepHours: 1000 })
  const once = () => passOnce(config, clock)

  const segment = tree.segment(1, 'x'.repeat(300_000))
  const parquet = tree.compacted(segment, 1)
  t.match(await once(), { error: undefined, shippedFiles: 3, verifiedFiles: 0, problemFiles: 0 })
  clock.advance(HOUR_MS)
  t.match(await once(), { error: undefined, verifiedFiles: 3, unverifiedFiles: 0, wrongFiles: 0 })
  const there = (await rclone('lsf', '-R', '--files-only', 's3:tape/edgetape')).split('\n')
  t.ok(there.includes(segment) && there.includes(parquet), there.join(' '))
  t.equal(await rclone('cat', `s3:tape/edgetape/${segment}`), tree.read(segment).toString())

  const other = join(t.testdirName, 'other')
  writeFileSync(other, 'y'.repeat(300_000))
  await rclone('copyto', other, `s3:tape/edgetape/${segment}`)
  await rclone('deletefile', `s3:tape/edgetape/${parquet}`)
  config.retention.keepHours = 0
  clock.advance(24 * HOUR_MS)
  t.match(await once(), { wrongFiles: 1, missingFiles: 1 }, 'what was damaged and what is gone there is found')
  t.ok(existsSync(join(tree.dataDir, segment)), 'and nothing of it is deleted here')
  t.match(await once(), { error: undefined, problemFiles: 0 })
  clock.advance(HOUR_MS)
  t.match(await once(), { error: undefined, backlogFiles: 0, unverifiedFiles: 0 })
  t.notOk(existsSync(join(tree.dataDir, segment)), 'proven anew it is')
  t.match(await rclone('cat', `s3:tape/edgetape/.edgetape-replaced/${segment}`), /^y+$/, 'the bad copy is kept aside')

  await rclone('purge', 's3:tape/edgetape')
  tree.segment(2)
  const replaced = await once()
  t.match(
    replaced.error,
    { code: 'SYNC_TARGET_UNMARKED' },
    'an empty bucket in its place is not the target that is known',
  )
  t.match(replaced, { shippedFiles: 0, retiredFiles: 0 })
})

t.test('a store without checksums is read back', async t => {
  if (!needs(t, 'rclone')) return
  const folder = t.testdir({})
  const there = join(folder, 'there')
  const { stdout: password } = await execa('rclone', ['obscure', 'not-a-secret'])
  withEnvironment(t, {
    ...{ RCLONE_CONFIG: '/dev/null', RCLONE_CONFIG_SEALED_TYPE: 'crypt', RCLONE_CONFIG_SEALED_REMOTE: there },
    ...{ RCLONE_CONFIG_SEALED_PASSWORD: password, RCLONE_CONFIG_SEALED_FILENAME_ENCRYPTION: 'off' },
  })
  const tree = new ShippedTree(join(folder, 'data'))
  const clock = handClock(HOUR_14 + 2 * HOUR_MS)
  const config = testConfig(tree.dataDir, { target: 'rclone:sealed:x', graceMinutes: 15 }, { keepHours: 1000 })
  const { signal } = new AbortController()
  const once = () => runSyncer({ config, log: pino({ level: 'silent' }), once: true, signal, clock })
  const segment = tree.segment(1)
  t.match(await once(), { error: undefined, shippedFiles: 2 })
  flipByte(join(there, 'x', `${segment}.bin`))
  clock.advance(HOUR_MS)
  t.match(await once(), { error: undefined, verifiedFiles: 1, problemFiles: 1, retiredFiles: 0 })
})

t.test('a remote that rclone does not know is told with what makes it', async t => {
  if (!needs(t, 'rclone')) return
  withEnvironment(t, { RCLONE_CONFIG: '/dev/null' })
  const tree = new ShippedTree(join(t.testdir({}), 'data'))
  tree.segment(1)
  const config = testConfig(tree.dataDir, { target: 'rclone:nosuch:tape' }, {})
  const { signal } = new AbortController()
  const report = await runSyncer({ config, log: pino({ level: 'silent' }), once: true, signal })
  matchAll(t, [report.error], [{ code: 'SYNC_TARGET_REFUSED', message: /knows no such remote/, hint: /rclone config/ }])
})
