import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { RcloneTarget } from '../../syncer/targets/rclone.js'

t.test('an rclone that has started once is not asked for with each pass; one that is missing is', async t => {
  const folder = t.testdir({})
  const [rclone, log] = [join(folder, 'rclone'), join(folder, 'started')]
  const install = () => {
    writeFileSync(rclone, `#!/bin/sh\necho "$1" >> '${log}'\n`)
    chmodSync(rclone, 0o755)
  }
  const path = process.env['PATH']
  process.env['PATH'] = folder
  t.teardown(() => (process.env['PATH'] = path))
  const target = new RcloneTarget({ destination: 'nas:', bandwidthKiBps: 0, idleMs: 30_000 })
  for (let pass = 0; pass < 2; pass++) await t.rejects(target.prepare(), { code: 'SYNC_RCLONE_MISSING' })
  install()
  for (let pass = 0; pass < 3; pass++) await target.prepare()
  t.equal(readFileSync(log, 'utf8'), 'version\n')
  rmSync(rclone)
  await t.rejects(
    target.compareMarks([{ name: 'mark', content: '' }], new AbortController().signal),
    { code: 'SYNC_RCLONE_MISSING' },
    'one that has gone is told by the next command',
  )
})
