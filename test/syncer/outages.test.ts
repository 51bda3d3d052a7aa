import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { needs } from '../fixtures/needs.js'
import { NasNetwork, ROOMY, type NasDisk } from '../fixtures/nas-network.js'
import { SHUT_DOWN } from '../fixtures/small-disk.js'
import { filesBelow, ShippedTree, sha256 } from '../fixtures/shipped-tree.js'
import { Passes, type Pass } from '../fixtures/syncer-passes.js'

t.setTimeout(240_000)

interface World {
  network: NasNetwork
  tree: ShippedTree
  /** One pass at the edge. */
  pass: (sync?: object) => Promise<Pass>
}

/** Two compacted segments, one of them large, which retention may delete as soon as they are verified. */
async function worldOf(t: Test, disk: NasDisk = ROOMY, env: NodeJS.ProcessEnv = {}): Promise<World | undefined> {
  const folder = t.testdir()
  const network = await NasNetwork.start(t, folder, disk)
  if (!network) return undefined
  const tree = new ShippedTree(join(folder, 'data'))
  tree.compacted(tree.segment(1, randomBytes(750_000).toString('hex')), 1)
  tree.compacted(tree.segment(2), 2)
  const syncer = new Passes(command => network.atEdge(command), { ...process.env, ...env })
  t.teardown(() => syncer.end())
  const pass = (sync: object = {}) => {
    const config = {
      exchange: { name: 'deribit' },
      dataDir: tree.dataDir,
      sync: { ...network.sync(), ...sync },
      retention: { keepHours: 0, minFreeGiB: 0 },
    }
    return syncer.pass({ config })
  }
  return { network, tree, pass }
}

const dataOf = (tree: ShippedTree) =>
  new Map([...filesBelow(tree.dataDir)].filter(([path]) => !/^(?:(?:state|targets)\/|\.edgetape-data$)/.test(path)))

/** Makes something go wrong during a pass, checks that nothing is lost meanwhile, and heals it. */
async function survives(
  t: Test,
  { network, tree, pass }: World,
  outage: { during: () => Promise<Pass>; code: string | RegExp | undefined; heal?: () => void },
): Promise<void> {
  const made = dataOf(tree)
  const report = await outage.during()
  if (outage.code === undefined) t.equal(report.error, null)
  else t.match(report.error?.code ?? 'no error', outage.code, report.error?.message ?? 'no error')
  const here = dataOf(tree)
  const lost = [...made].filter(([path, content]) => !here.has(path) && network.visible().get(path) !== content)
  t.same(
    lost.map(([path]) => path),
    [],
    'nothing is deleted that is not there',
  )
  for (const [path, content] of network.visible()) {
    t.equal(sha256(content), sha256(made.get(path) ?? ''), `a reader there sees nothing but whole files: ${path}`)
  }
  outage.heal?.()
  let last = await pass()
  // What was still under way in the first pass after an outage goes in the next.
  for (let tries = 0; tries < 3 && (last.error || dataOf(tree).size > 0); tries++) last = await pass()
  t.match(last, { error: null, problemFiles: 0, backlogFiles: 0 })
  t.same([...dataOf(tree).keys()], [], 'all of it was verified and has gone from here')
  const there = network.visible()
  for (const [path, content] of made) t.equal(sha256(there.get(path) ?? ''), sha256(content), path)
}

/** True while the temporary name of a segment is there. */
function isUnderWay(network: NasNetwork): boolean {
  return readdirSync(network.root, { recursive: true, encoding: 'utf8' }).some(path =>
    /\/\.\d{8}T.*\.zst\.\w{6}$/.test(path),
  )
}

/** Starts a slow pass and does something to it when the large file is on its way. */
async function inMidFile({ network, pass }: World, act: () => void): Promise<Pass> {
  const running = pass({ bandwidthKiBps: 300 })
  for (let tries = 0; tries < 400 && !isUnderWay(network); tries++) await sleep(50)
  await sleep(1000)
  act()
  return running
}

// They wait for time-outs most of the time.
t.jobs = 4

const outages: Record<
  string,
  {
    disk?: NasDisk
    code: string | RegExp | undefined
    during: (world: World) => Promise<Pass>
    heal?: (world: World) => void
  }
> = {
  'the cable is cut in mid-file': {
    code: 'SYNC_TARGET_UNREACHABLE',
    during: world => inMidFile(world, () => world.network.cable('down')),
    heal: ({ network }) => network.cable('up'),
  },
  'everything vanishes in a black hole': {
    code: 'SYNC_TARGET_UNREACHABLE',
    during: world => inMidFile(world, () => world.network.filter('-A', '-j', 'DROP')),
    heal: ({ network }) => network.filter('-D', '-j', 'DROP'),
  },
  'connections are reset': {
    code: 'SYNC_TARGET_UNREACHABLE',
    during: ({ network, pass }) => {
      network.filter('-A', '-p', 'tcp', '-j', 'REJECT', '--reject-with', 'tcp-reset')
      return pass()
    },
    heal: ({ network }) => network.filter('-D', '-p', 'tcp', '-j', 'REJECT', '--reject-with', 'tcp-reset'),
  },
  'one packet of twenty is lost': {
    code: undefined,
    during: ({ network, pass }) => {
      network.filter('-A', '-m', 'statistic', '--mode', 'random', '--probability', '0.05', '-j', 'DROP')
      return pass({ timeoutSeconds: 30 })
    },
  },
  'a line of 16 Mbit/s': {
    code: undefined,
    during: ({ network, pass }) => {
      network.shape('tbf', 'rate', '16mbit', 'burst', '32kb', 'latency', '50ms')
      return pass()
    },
  },
  'the target is full': {
    code: 'SYNC_TARGET_FULL',
    during: ({ network, pass }) => {
      network.atNas('fallocate', '-l', '63M', join(network.lake, '.ballast'))
      return pass()
    },
    heal: ({ network }) => network.atNas('rm', join(network.lake, '.ballast')),
  },
  'the target has no inodes left': {
    disk: { mount: lake => [['mount', '-t', 'tmpfs', '-o', 'size=64m,nr_inodes=10', 'tmpfs', lake]] },
    code: 'SYNC_TARGET_FULL',
    during: ({ pass }) => pass(),
    heal: ({ network }) => network.atNas('mount', '-o', 'remount,nr_inodes=10000', network.lake),
  },
  'the target is read-only': {
    code: 'SYNC_TARGET_REFUSED',
    during: ({ network, pass }) => {
      network.atNas('mount', '-o', 'remount,ro', network.lake)
      return pass()
    },
    heal: ({ network }) => network.atNas('mount', '-o', 'remount,rw', network.lake),
  },
  'its rsync is killed': {
    code: 'SYNC_TARGET_UNREACHABLE',
    during: world => inMidFile(world, () => world.network.signalRsyncs('KILL')),
  },
  'its rsync is stopped': {
    code: /^SYNC_TARGET_(UNREACHABLE|HANGS)$/,
    during: world => inMidFile(world, () => world.network.signalRsyncs('STOP')),
    heal: ({ network }) => network.signalRsyncs('KILL'),
  },
}

for (const [name, { disk, code, during, heal }] of Object.entries(outages)) {
  t.test(name, async t => {
    const world = await worldOf(t, disk)
    if (!world) return
    await survives(t, world, { code, during: () => during(world), heal: () => heal?.(world) })
  })
}

t.test('a daemon without a free connection, and one that may not write', async t => {
  const world = await worldOf(t)
  if (!world) return
  const { network, pass } = world
  const held = spawn(
    network.atEdge([])[0] ?? '',
    [
      ...network.atEdge([]).slice(1),
      'bash',
      '-c',
      'exec 3<>/dev/tcp/10.77.0.2/873; printf "@RSYNCD: 31.0\\nlake\\n" >&3; read -u 3; read -u 3; echo held; exec sleep 60',
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  await once(held.stdout, 'data')
  const busy = await pass(network.sync('daemon'))
  t.match(busy.error, { code: 'SYNC_TARGET_UNREACHABLE', message: /no connection left/ })
  held.kill('SIGKILL')
  const target = 'rsync://10.77.0.2/guest/'
  network.atNas('chmod', '755', network.lake)
  let guest = busy
  // The daemon needs a moment to miss the one that held it.
  for (let tries = 0; tries < 20 && guest.error?.code === 'SYNC_TARGET_UNREACHABLE'; tries++) {
    await sleep(500)
    guest = await pass({ ...network.sync('daemon'), target })
  }
  t.match(guest.error, { code: 'SYNC_TARGET_REFUSED', message: /Permission denied/, hint: /owner, permissions/ })
  t.equal(guest.retiredFiles, 0)
  await survives(t, world, { code: undefined, during: () => pass(network.sync('daemon')) })
})

const EXT4: NasDisk = {
  mount: (lake, folder) => [
    ['truncate', '-s', '32M', `${folder}/disk`],
    ['mkfs.ext4', '-q', '-F', `${folder}/disk`],
    ['mount', '-o', 'loop', `${folder}/disk`, lake],
  ],
}

t.test('the power of the target fails right after rsync said that all is done', async t => {
  if (!needs(t, 'python')) return
  const world = await worldOf(t, EXT4)
  if (!world) return
  const { network, tree, pass } = world
  const patient = { graceMinutes: 0.1 }
  const made = dataOf(tree)
  t.match(await pass(patient), { error: null, shippedFiles: 6, verifiedFiles: 0 })
  network.atNas('python3', '-c', SHUT_DOWN, network.lake)
  network.atNas('umount', network.lake)
  network.atNas('mount', '-o', 'loop', join(network.folder, 'disk'), network.lake)
  t.same([...dataOf(tree).keys()], [...made.keys()], 'nothing has been deleted here')
  const survived = [...network.visible()].filter(([path, content]) => made.get(path) === content)
  t.comment(`${survived.length} of ${made.size} files survived there`)
  for (let tries = 0; tries < 20 && dataOf(tree).size > 0; tries++) {
    await sleep(2000)
    await pass(patient)
  }
  t.same([...dataOf(tree).keys()], [])
  const there = network.visible()
  for (const [path, content] of made) t.equal(sha256(there.get(path) ?? ''), sha256(content), path)
})

t.test('an rsync that hangs for ever is given up by our own watch', async t => {
  const bin = join(t.testdirName, 'bin')
  const world = await worldOf(t, ROOMY, { PATH: `${bin}:${process.env['PATH'] ?? ''}` })
  if (!world) return
  const { pass } = world
  mkdirSync(bin)
  const real = '/usr/bin/rsync'
  writeFileSync(
    join(bin, 'rsync'),
    `#!/bin/sh\ncase "$*" in *--files-from*) exec sleep 600;; esac\nexec ${real} "$@"\n`,
  )
  chmodSync(join(bin, 'rsync'), 0o755)
  t.ok(existsSync(real))
  await survives(t, world, {
    code: 'SYNC_TARGET_HANGS',
    during: () => pass({ timeoutSeconds: 2 }),
    heal: () => rmSync(bin, { recursive: true }),
  })
})
