/** Targets that are the dataDir in truth, lie in it or around it: nothing goes there, nothing is freed for it. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { cliMain, unwrapped } from '../fixtures/cli.js'
import { commandHere } from '../fixtures/command-here.js'
import { ConfiguredWorld, namesBelow } from '../fixtures/configured-world.js'
import { needsThat } from '../fixtures/needs.js'
import { HOUR_14, ShippedTree } from '../fixtures/shipped-tree.js'
import { startTarget } from '../fixtures/sync-targets.js'

/** Names of data, targets and configs; what a part keeps of its own lies in `state/`, beside the identity. */
const dataNames = (world: ConfiguredWorld) =>
  namesBelow(world.folder).filter(name => !/(?:^|\/)(?:state|targets)(?:\/|$)|\.edgetape-data$/.test(name))

const filesOfData = (world: ConfiguredWorld) =>
  namesBelow(world.folder).filter(name => /(?:^|\/)(?:raw|parquet)\//.test(name))

/** A dataDir at `real/tape/data` and a target by another name; what each of them is, is in the name. */
const FOLDERS: readonly (readonly [name: string, dataDir: string, target: string])[] = [
  ['the same path', './real/tape/data', './real/tape/data'],
  ['the same path, with a slash', './real/tape/data', './real/tape/data/'],
  ['the same path, spelled in a roundabout way', './real/tape/data', './real/../real/./tape//data'],
  ['the same path, from a link above', './real/tape/data', './link/data'],
  ['a link to it', './real/tape/data', './alias'],
  ['what a link of a dataDir leads to', './alias', './real/tape/data'],
  ['a link of a link', './link/data', './alias'],
  ['a folder inside', './real/tape/data', './real/tape/data/nas'],
  ['a folder inside that is one of ours', './real/tape/data', './real/tape/data/raw'],
  ['a folder inside, by a link', './real/tape/data', './alias/state/nas'],
  ['the folder around it', './real/tape/data', './real/tape'],
  ['a folder further around it, by a link', './real/tape/data', './top'],
]

function worldOf(t: Test): { world: ConfiguredWorld; dataDir: string } {
  const world = new ConfiguredWorld(t, realpathSync(t.testdir({ real: { tape: {} } })))
  const dataDir = world.place('real/tape/data')
  world.record(dataDir)
  for (const [link, to] of [
    ['link', 'real/tape'],
    ['alias', 'real/tape/data'],
    ['top', 'real'],
  ] as const)
    symlinkSync(join(world.folder, to), join(world.folder, link))
  return { world, dataDir }
}

for (const [name, dataDir, target] of FOLDERS) {
  t.test(`refused: the target is ${name}`, async t => {
    const { world } = worldOf(t)
    const config = world.config({ dataDir, sync: { target } })
    const before = dataNames(world)
    const error = await world.passes(config)
    t.match(error, { code: 'SYNC_TARGET_NOT_ELSEWHERE', hint: /outside of dataDir/ })
    t.same(dataNames(world), before, 'nothing was written')
  })
}

t.test('refused by sync, run and doctor, with what to do', async t => {
  const { world } = worldOf(t)
  const config = world.config({ dataDir: './link/data', sync: { target: './alias' }, http: { port: 0 } })
  const before = dataNames(world)
  for (const args of [['sync', '--once'], ['run']]) {
    const { exitCode, stderr } = await commandHere([...args, '--config', config])
    t.equal(exitCode, 2, `${args.join(' ')}: ${stderr}`)
    t.match(stderr, /is dataDir.*[^]*outside of dataDir/)
  }
  const doctor = await commandHere(['doctor', '--only', 'nas', '--config', config])
  t.equal(doctor.exitCode, 1)
  t.match(unwrapped(doctor.stdout), /is dataDir[^]*outside of dataDir/)
  t.same(dataNames(world), before)
})

function needsMount(t: Test): boolean {
  const mayMount = spawnSync('unshare', ['-m', 'true'], { stdio: 'ignore' }).status === 0
  return needsThat(t, mayMount, 'needs root, for a mount of its own')
}

/** Under a mount of its own, which ends with it. */
async function underMount(from: string, to: string, args: readonly string[]) {
  const script = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'
  const command = ['sh', '-c', script, 'sh', from, to, process.execPath, cliMain, ...args]
  return execa('unshare', ['-m', '--propagation', 'private', ...command], { reject: false, stdin: 'ignore' })
}

t.test('refused: a bind mount', async t => {
  if (!needsMount(t)) return
  for (const [name, of, target] of [
    ['of the dataDir', 'real/tape/data', './mnt'],
    ['of a folder inside', 'real/tape/data/raw', './mnt'],
    ['of the folder around it', 'real/tape', './mnt'],
    ['of the folder around it, down to it', 'real/tape', './mnt/data'],
    ['of the folder around it, and further down', 'real/tape', './mnt/data/nas'],
  ] as const) {
    await t.test(name, async t => {
      const { world } = worldOf(t)
      mkdirSync(join(world.folder, 'mnt'))
      const config = world.config({ dataDir: './real/tape/data', sync: { target } })
      const before = dataNames(world)
      const done = await underMount(join(world.folder, of), join(world.folder, 'mnt'), [
        'sync',
        '--once',
        '--config',
        config,
      ])
      t.equal(done.exitCode, 2, done.stderr)
      t.match(done.stderr, /dataDir[^]*outside of dataDir/)
      t.same(dataNames(world), before, 'nothing was written')
    })
  }
})

/** Seen from the folder in which the server has its own, and the target is `nas`. */
const SERVED = [
  ['is the dataDir', 'nas'],
  ['lies in it', '.'],
  ['lies around it', 'nas/data'],
  ['lies further around it', 'nas/one/two/data'],
] as const

for (const kind of ['ssh', 'daemon'] as const) {
  for (const [name, place] of SERVED) {
    t.test(`refused: over ${kind} to this machine, the target ${name}`, async t => {
      const world = new ConfiguredWorld(t)
      const dataDir = join(world.folder, place)
      const target = await startTarget(t, kind, world.folder)
      if (!target) return
      world.record(dataDir)
      const config = world.config({ dataDir, sync: target.sync })
      const before = filesOfData(world)
      t.match(await world.passes(config), { code: 'SYNC_TARGET_NOT_ELSEWHERE', hint: /outside of dataDir/ })
      t.same(filesOfData(world), before, 'no file of data came or went')
    })
  }
}

for (const kind of ['folder', 'ssh', 'daemon'] as const) {
  t.test(
    `refused: over ${kind}, a folder of the target is mounted into the dataDir, as its folder of that name`,
    async t => {
      if (!needsMount(t)) return
      const world = new ConfiguredWorld(t)
      const dataDir = join(world.folder, 'data')
      const target = await startTarget(t, kind, world.folder)
      if (!target) return
      world.record(dataDir)
      const [here, there] = [join(dataDir, 'raw'), join(world.folder, 'nas', 'raw')]
      mkdirSync(dirname(there), { recursive: true })
      renameSync(here, there)
      mkdirSync(here)
      const config = world.config({ dataDir, sync: target.sync })
      const before = namesBelow(there)
      for (const pass of ['first', 'second']) {
        const done = await underMount(there, here, ['sync', '--once', '--config', config])
        t.match(done.stderr, /raw\S* at .* is the folder of that name in dataDir/, `${pass}: ${done.stdout}`)
        t.equal(done.exitCode, 2)
        t.same(namesBelow(there), before, 'what is in one place only is still there')
        t.same(readdirSync(join(world.folder, 'nas')), ['raw'], 'nothing was written there')
      }
      const doctor = await underMount(there, here, ['doctor', '--only', 'nas', '--config', config])
      t.equal(doctor.exitCode, 1)
      t.match(unwrapped(doctor.stdout), /raw\S* at .* is the folder of that name in dataDir/)
      t.same(namesBelow(there), before)
    },
  )
}

const OF_OURS = [
  'raw',
  'raw/exchange=deribit/channel=trades',
  'raw/exchange=deribit/channel=trades/date=2026-11-20',
  'raw/exchange=deribit/channel=trades/date=2026-11-20/hour=14',
] as const

for (const folder of OF_OURS) {
  for (const way of ['from here there', 'from there here'] as const) {
    t.test(`refused: ${folder} is mounted ${way}`, async t => {
      if (!needsMount(t)) return
      const world = new ConfiguredWorld(t)
      const [dataDir, nas] = [join(world.folder, 'data'), join(world.folder, 'nas')]
      world.record(dataDir)
      new ShippedTree(dataDir).segment(9, undefined, HOUR_14, { inHourFolder: true })
      const config = world.config({ dataDir, sync: { target: nas } })
      const [here, there] = [join(dataDir, folder), join(nas, folder)]
      mkdirSync(there, { recursive: true })
      if (way === 'from there here') {
        rmdirSync(there)
        renameSync(here, there)
        mkdirSync(here)
      }
      const [from, to] = way === 'from here there' ? [here, there] : [there, here]
      const before = [...namesBelow(from), ...namesBelow(nas)]
      t.ok(namesBelow(from).length > 0)
      const done = await underMount(from, to, ['sync', '--once', '--config', config])
      t.match(done.stderr, `${folder} at ${nas} is the folder of that name in dataDir`, done.stdout)
      t.equal(done.exitCode, 2)
      t.same([...namesBelow(from), ...namesBelow(nas)], before, 'nothing was written there, nothing freed')
    })
  }
}

for (const folder of OF_OURS.slice(0, 3)) {
  t.test(`refused: a link at the target leads to ${folder} here`, async t => {
    const world = new ConfiguredWorld(t)
    const [dataDir, nas] = [join(world.folder, 'data'), join(world.folder, 'nas')]
    world.record(dataDir)
    mkdirSync(join(nas, dirname(folder)), { recursive: true })
    symlinkSync(join(dataDir, folder), join(nas, folder))
    const before = [...filesOfData(world), ...namesBelow(nas)]
    t.match(await world.passes(world.config({ dataDir, sync: { target: nas } })), {
      code: 'SYNC_TARGET_NOT_ELSEWHERE',
      path: folder,
    })
    t.same([...filesOfData(world), ...namesBelow(nas)], before, 'nothing was written there, nothing freed')
  })
}

for (const kind of ['ssh', 'daemon'] as const) {
  t.test(`refused: over ${kind}, what was brought there is mounted here before it was compared`, async t => {
    if (!needsMount(t)) return
    const world = new ConfiguredWorld(t)
    const dataDir = join(world.folder, 'data')
    const target = await startTarget(t, kind, world.folder)
    if (!target) return
    world.record(dataDir)
    const config = world.config({ dataDir, sync: { ...target.sync, graceMinutes: 60 } })
    t.equal((await commandHere(['sync', '--once', '--config', config])).exitCode, 0)
    const here = join(dataDir, OF_OURS[2])
    const there = join(world.folder, 'nas', OF_OURS[2])
    const before = filesOfData(world)
    const hasty = world.config({ dataDir, sync: { ...target.sync, graceMinutes: 0 } })
    const done = await underMount(there, here, ['sync', '--once', '--config', hasty])
    t.match(done.stderr, `${OF_OURS[2]} at `)
    t.match(done.stderr, /is the folder of that name in dataDir/)
    t.equal(done.exitCode, 2)
    t.same(filesOfData(world), before, 'no file of data came or went')
    const ledgers = namesBelow(join(dataDir, 'state/syncer')).filter(name => name.endsWith('.jsonl'))
    t.ok(ledgers.length > 0)
    for (const name of ledgers) t.notMatch(readFileSync(join(dataDir, 'state/syncer', name), 'utf8'), 'verified')
  })
}
