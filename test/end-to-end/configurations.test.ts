/** Places and names as people configure them: nothing is lost by any, and what is wrong is refused before anything is written. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { goodConfig } from '../../monitor/doctor/checks.js'
import { loadConfig } from '../../config/load.js'
import { withState } from '../../formats/raw-path.js'
import { dataIdentity, IDENTITY_FILE } from '../../platform/data-identity.js'
import { EdgeError } from '../../platform/edge-error.js'
import type { PassReport } from '../../syncer/main.js'
import { cliMain, edgetape, unwrapped } from '../fixtures/cli.js'
import { ConfiguredWorld, namesBelow } from '../fixtures/configured-world.js'
import { withEnvironment } from '../fixtures/environment.js'
import { writeOpenSegment } from '../fixtures/segments.js'
import { StoreRun, storeOptions } from '../fixtures/store-run.js'

const refusalOf = (report: PassReport | EdgeError) => (report instanceof EdgeError ? report.message : undefined)

const shipped = (t: Test, report: PassReport | EdgeError, dataDir: string) => {
  t.equal(refusalOf(report), undefined)
  t.match(report, { error: undefined, problemFiles: 0 })
  t.same(dataIn(dataDir), [], 'all of it went, and was freed')
}

const dataIn = (dataDir: string) =>
  namesBelow(dataDir).filter(name => /^(?:raw|parquet)\/.*\.(?:zst|json|parquet)$/.test(name))

/** Configurations that are wrong by their text alone: of every command the answer is the same. */
const WRONG: readonly (readonly [name: string, values: object, said: RegExp])[] = [
  ['user@host without its colon', { sync: { target: 'recorder@nas' } }, /did you mean recorder@nas:\/path\?/],
  ['user@host/path', { sync: { target: 'recorder@nas/tape' } }, /did you mean recorder@nas:\/tape\?/],
  ['a bare name', { sync: { target: 'nas' } }, /did you mean \.\/nas for a folder here, or host:\/path/],
  ['a bare path', { sync: { target: 'mnt/nas' } }, /did you mean \.\/mnt\/nas/],
  ['a host without a path', { sync: { target: 'nas:' } }, /did you mean nas:\/path/],
  ['a share that is not mounted', { sync: { target: 'smb://nas/tape' } }, /the folder where you mounted it/],
  ["another user's home", { sync: { target: '~recorder/nas' } }, /~\//],
  ["a dataDir in another user's home", { dataDir: '~recorder/tape' }, /dataDir: .*~\//],
  ['blanks around a path', { dataDir: ' data' }, /blanks/],
  ['NUL in a path', { sync: { target: '/mnt\u0000/nas' } }, /NUL/],
  ['a host that is no name', { host: 'one_host' }, /letters, digits, dots and dashes/],
  ['a time to keep below zero', { retention: { keepHours: -1 } }, /0 or more/],
]

for (const [name, values, said] of WRONG) {
  t.test(`refused: ${name}`, async t => {
    const world = new ConfiguredWorld(t)
    world.record(world.place('data'))
    const config = world.config({ dataDir: './data', ...values })
    const before = namesBelow(world.folder)
    const error = await world.passes(config)
    t.match(error, { code: 'CONFIG_INVALID', message: said })
    t.same(namesBelow(world.folder), before, 'nothing was written')
  })
}

t.test('refused by every command, with what to do, and exit code 2', async t => {
  const world = new ConfiguredWorld(t)
  const config = world.config({ dataDir: './data', sync: { target: 'recorder@nas' } })
  for (const args of [['record'], ['run'], ['sync', '--once'], ['compact', '--once'], ['retention', '--dry-run']]) {
    const { exitCode, stderr } = await edgetape([...args, '--config', config], { cwd: world.folder })
    t.equal(exitCode, 2, `${args.join(' ')}: ${stderr}`)
    t.match(stderr, /sync\.target: found "recorder@nas".*did you mean recorder@nas:\/path/)
  }
  const doctor = await edgetape(['doctor', '--config', config])
  t.equal(doctor.exitCode, 1)
  t.match(unwrapped(doctor.stdout), /did you mean recorder@nas:\/path/)
  t.same(readdirSync(world.folder), [basename(config)])
})

/** Names that a pattern, a shell, a URL, rsync or a printf could take for something else. */
const ODD = [
  'two words',
  '[a-z]*?{x,y}',
  `it's "quoted"`,
  'Zürich 数据 🙂',
  'back\\slash\\n',
  '-rf --delete',
  'a:b@c',
  '#1 %20 $HOME `x`; & | <',
  'exchange=x',
]

for (const name of ODD) {
  t.test(`shipped: a dataDir and a target called ${name}`, async t => {
    const world = new ConfiguredWorld(t)
    const dataDir = join(world.place('here'), name)
    world.record(dataDir)
    const target = join(world.place('there'), name)
    mkdirSync(join(world.folder, 'there'))
    world.place(join('there', name))
    shipped(t, await world.passes(world.config({ dataDir, sync: { target } })), dataDir)
    t.ok(existsSync(join(target, 'raw')))
  })
}

t.test('shipped: relative paths and ~, from whatever folder one stands in', async t => {
  const home = t.testdir({ etc: {} })
  withEnvironment(t, { HOME: home })
  t.equal(homedir(), home)
  for (const [dataDir, target, at] of [
    ['~/data 1', '~/nas 1', 'data 1'],
    ['./data', './nas', 'etc/data'],
    ['data', '../nas 2', 'etc/data'],
    ['../data 3', `${home}/nas 3`, 'data 3'],
  ] as const) {
    const world = new ConfiguredWorld(t, home)
    for (const name of ['nas 1', 'etc/nas', 'nas 2', 'nas 3']) world.place(name)
    world.record(join(home, at))
    const config = world.config({ dataDir, sync: { target } }, 'etc/edgetape.yaml')
    shipped(t, await world.passes(config), join(home, at))
  }
  t.same(readdirSync(home).sort(), ['data 1', 'data 3', 'etc', 'nas 1', 'nas 2', 'nas 3'], 'and nowhere else')
  t.same(readdirSync(join(home, 'etc')).sort(), ['data', 'edgetape.yaml', 'nas'])
})

t.test('told: where paths lead, by doctor and in the first line of record', async t => {
  const world = new ConfiguredWorld(t)
  const exchange = { name: 'deribit', url: 'ws://127.0.0.1:9/' }
  const config = world.config({ exchange, dataDir: './data', sync: { target: '../nas' } })
  const [dataDir, target] = [join(world.folder, 'data'), join(world.folder, '..', 'nas')]
  const [finding] = await goodConfig(loadConfig(config), relative(process.cwd(), config)).look(
    new AbortController().signal,
  )
  t.match(finding?.message, `${config}: deribit`)
  t.match(finding?.message, `into ${dataDir}, on to ${target}`)
  const args = [cliMain, 'record', '--config', basename(config)]
  const recorder = spawn(process.execPath, args, { cwd: world.folder, stdio: ['ignore', 'ignore', 'pipe'] })
  t.teardown(() => recorder.kill('SIGKILL'))
  const [first] = (await once(createInterface(recorder.stderr), 'line')) as [string]
  t.match(JSON.parse(first), { config, dataDir, target, msg: 'recording' })
  recorder.kill('SIGKILL')
  await once(recorder, 'exit')
})

t.test('shipped: what changes between two passes', async t => {
  const changes: Record<string, (world: ConfiguredWorld, dataDir: string) => object | undefined> = {
    'the host name': () => ({ host: 'another' }),
    'state/ is deleted': (_, dataDir) => {
      rmSync(join(dataDir, 'state'), { recursive: true })
      return undefined
    },
    'the identity is lost': (_, dataDir) => {
      const lost = dataIdentity(dataDir)
      rmSync(join(dataDir, IDENTITY_FILE))
      t.not(dataIdentity(dataDir), lost)
      return undefined
    },
    'the dataDir is moved': (world, dataDir) => {
      renameSync(dataDir, world.place('moved'))
      return { dataDir: './moved' }
    },
    'the dataDir is called by a link': (world, dataDir) => {
      symlinkSync(dataDir, join(world.folder, 'alias'))
      return { dataDir: './alias' }
    },
    'another target': world => ({ sync: { target: world.place('other') } }),
    'the target by a link': world => {
      symlinkSync(join(world.folder, 'nas'), join(world.folder, 'link'))
      return { sync: { target: './link' } }
    },
    'the disk is to be emptied': () => ({ retention: { maxDataGiB: 1e-9, minFreeGiB: 1e6 } }),
  }
  for (const [name, change] of Object.entries(changes)) {
    await t.test(name, async t => {
      const world = new ConfiguredWorld(t)
      const dataDir = world.place('data')
      world.record(dataDir)
      const values = { dataDir: './data', sync: { target: `./${basename(world.place('nas'))}` } }
      shipped(t, await world.passes(world.config(values)), dataDir)
      const changed = { ...values, ...change(world, dataDir) }
      const dataNow = join(world.folder, changed.dataDir)
      world.goesOnIn(dataDir, dataNow)
      world.record(dataNow)
      const report = await world.passes(world.config(changed))
      t.equal(refusalOf(report), undefined)
      // Back again.
      const back = await world.passes(world.config({ ...values, dataDir: changed.dataDir }))
      t.equal(refusalOf(back), undefined)
    })
  }
})

t.test('shipped: what a recorder of another host name left open when it was killed', async t => {
  const world = new ConfiguredWorld(t)
  const dataDir = world.place('data')
  const left = writeOpenSegment(dataDir, 5, 5)
  const config = world.config({ host: 'container-2', dataDir, sync: { target: world.place('nas') } })
  t.match(await world.passes(config), { shippedFiles: 0 })
  const heir = new StoreRun(storeOptions(dataDir, { host: `container-2_${dataIdentity(dataDir)}` }))
  await heir.close()
  const sealed = withState(left, 'sealed')
  const content = readFileSync(join(dataDir, sealed))
  t.match(await world.passes(config), { error: undefined, problemFiles: 0 })
  t.same(readFileSync(join(world.folder, 'nas', sealed)), content)
})

t.test('kept: without a target, with one that is not there, with one that is taken away', async t => {
  const world = new ConfiguredWorld(t)
  const dataDir = world.place('data')
  world.record(dataDir)
  t.match(await world.passes(world.config({ dataDir })), { code: 'SYNC_NO_TARGET' })
  const nowhere = await world.passes(world.config({ dataDir, sync: { target: './no/where/nas' } }))
  t.match(nowhere, { error: { code: /^SYNC_TARGET_/ }, retiredFiles: 0 })
  t.notOk(existsSync(join(world.folder, 'no')))
  t.equal(dataIn(dataDir).length, 6)
  const config = world.config({ dataDir, sync: { target: world.place('nas') } })
  shipped(t, await world.passes(config), dataDir)
  renameSync(join(world.folder, 'nas'), world.place('away'))
  world.record(dataDir)
  await world.passes(config)
  t.equal(dataIn(dataDir).length, 6)
  rmSync(join(world.folder, 'nas'), { recursive: true, force: true })
  renameSync(join(world.folder, 'away'), join(world.folder, 'nas'))
})
