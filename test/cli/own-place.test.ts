import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../platform/package-info.js'
import { unwrapped } from '../fixtures/cli.js'
import { mayMakeNamespaces, NEEDS_ROOT } from '../fixtures/nas-network.js'
import { needsThat } from '../fixtures/needs.js'
import { filesBelow, ShippedTree } from '../fixtures/shipped-tree.js'
import { startTarget } from '../fixtures/sync-targets.js'

const MAIN = join(packageRoot, 'dist/cli/main.js')
const COMMANDS: [command: string[], code: number][] = [
  [['sync', '--once'], 2],
  [['run'], 2],
  [['retention'], 2],
  [['doctor', '--only', 'nas'], 1],
]

/** A converted segment, and a config whose target is `sync`. */
function treeWith(folder: string, dataDir: string, sync: object) {
  const tree = new ShippedTree(dataDir)
  tree.compacted(tree.segment(1), 1)
  const config = join(folder, 'edgetape.yaml')
  const settings = {
    exchange: { name: 'deribit' },
    http: { enabled: false },
    ...{ host: 'h', dataDir, sync: { graceMinutes: 0, ...sync }, retention: { keepHours: 0, minFreeGiB: 0 } },
  }
  writeFileSync(config, JSON.stringify(settings))
  return { config, data: () => [...filesBelow(dataDir).keys()].filter(path => /^(raw|parquet)\//.test(path)) }
}

t.test('a mount of dataDir, or of a folder around or in it, is no other place', t => {
  if (!needsThat(t, mayMakeNamespaces(), NEEDS_ROOT)) {
    t.end()
    return
  }
  const folder = t.testdir({ around: {}, mnt: {} })
  const dataDir = join(folder, 'around/data')
  const mnt = join(folder, 'mnt')
  for (const [from, target] of [
    [dataDir, mnt],
    [join(folder, 'around'), mnt],
    [join(dataDir, 'raw'), join(mnt, 'new')],
  ] as const) {
    const { config, data } = treeWith(folder, dataDir, { target })
    for (const [command, code] of COMMANDS) {
      const call = [process.execPath, MAIN, ...command, '--config', config].map(word => `'${word}'`).join(' ')
      const script = `mount --bind '${from}' '${mnt}' && exec ${call}`
      const run = ['-m', '--propagation', 'private', 'sh', '-c', script]
      const { status, stdout, stderr } = spawnSync('unshare', run, { encoding: 'utf8', timeout: 60_000 })
      t.equal(status, code, `${command.join(' ')}: ${stdout}${stderr}`)
      t.match(unwrapped(stdout + stderr), /(is|contains|lies within) dataDir .*[\s\S]*outside of dataDir/)
    }
    t.equal(data().length, 3)
    t.same(readdirSync(mnt), [])
  }
  t.end()
})

for (const kind of ['ssh', 'daemon'] as const) {
  t.test(`${kind} to dataDir itself is no other place`, async t => {
    const folder = t.testdir()
    const target = await startTarget(t, kind, folder)
    if (!target) return
    mkdirSync(target.root, { recursive: true })
    const { config, data } = treeWith(folder, target.root, target.sync)
    for (const [command, code] of COMMANDS.filter(([[name]]) => name !== 'retention')) {
      const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...command, '--config', config], {
        encoding: 'utf8',
        timeout: 60_000,
      })
      t.equal(status, code, `${command.join(' ')}: ${stdout}${stderr}`)
      t.match(unwrapped(stdout + stderr), /is dataDir .*[\s\S]*outside of dataDir/)
    }
    t.equal(data().length, 3)
  })
}
