import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../platform/package-info.js'
import { canTrace, needs, needsThat } from '../fixtures/needs.js'
import { filesBelow, sha256, ShippedTree, visibleBelow } from '../fixtures/shipped-tree.js'

/** System calls on which the syncer is killed, counted by thread: copying is done by several, the ledger and retention by the main one. */
const POINTS: [call: string, ...when: number[]][] = [
  ['unlink', 1, 3],
  ['rename', 1, 2],
  ['fsync', 2, 4, 6, 8],
]

t.test('killed at any step, what is gone here is whole there', t => {
  if (!needs(t, 'strace') || !needsThat(t, canTrace(), 'needs the right to trace processes')) {
    t.end()
    return
  }
  const folder = t.testdir()
  const fresh = new ShippedTree(join(folder, 'fresh'))
  const segment = fresh.segment(1)
  fresh.compacted(segment, 1)
  fresh.quarantine(1)
  const made = new Map([...filesBelow(fresh.dataDir)].filter(([path]) => !path.startsWith('state/')))
  t.equal(made.size, 4)

  for (const [call, ...times] of POINTS) {
    for (const when of times) {
      const name = `${call}-${when}`
      const dataDir = join(folder, name)
      cpSync(fresh.dataDir, dataDir, { recursive: true, preserveTimestamps: true })
      const config = join(folder, `${name}.yaml`)
      const settings = {
        exchange: { name: 'deribit' },
        dataDir,
        sync: { target: join(folder, `${name}-nas`), graceMinutes: 0 },
        retention: { keepHours: 0, minFreeGiB: 0 },
      }
      writeFileSync(config, JSON.stringify(settings))
      const command = [process.execPath, join(packageRoot, 'dist/cli/main.js'), 'sync', '--once', '--config', config]
      const inject = `inject=${call}:signal=SIGKILL:when=${when}`
      const killed = spawnSync(
        'strace',
        ['-f', '-qq', '-o', '/dev/null', '-e', `trace=${call}`, '-e', inject, ...command],
        { stdio: 'ignore' },
      )
      t.equal(killed.signal ?? killed.status, 'SIGKILL', `${name}: was killed`)
      const there = existsSync(settings.sync.target) ? visibleBelow(settings.sync.target) : new Map<string, string>()
      const lost = [...made].filter(
        ([path, content]) => !existsSync(join(dataDir, path)) && sha256(there.get(path) ?? '') !== sha256(content),
      )
      t.same(lost, [], `${name}: nothing is lost`)
      for (const [path, content] of there) t.equal(content, made.get(path), `${name}: ${path} is whole`)
    }
  }

  // One of them is taken up again.
  const again = spawnSync(process.execPath, [
    ...[join(packageRoot, 'dist/cli/main.js'), 'sync', '--once', '--json'],
    ...['--config', join(folder, 'unlink-1.yaml')],
  ])
  t.equal(again.status, 0, again.stderr.toString())
  t.match(JSON.parse(again.stdout.toString()), { retiredFiles: 4, problemFiles: 0, error: null })
  t.same([...visibleBelow(join(folder, 'unlink-1-nas'))], [...made])
  t.end()
})
