/** What the system refuses is told with what to do, and only a mistake of ours with a stack trace. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { knownError } from '../../platform/known-error.js'
import { edgetape, unwrapped } from '../fixtures/cli.js'
import { needsThat } from '../fixtures/needs.js'
import { numberedExchange } from '../fixtures/numbered-exchange.js'
import { framesTaken, recordedLines, startRecorder, until } from '../fixtures/recorder-process.js'
import { canMount, smallDisk } from '../fixtures/small-disk.js'

const WRITERS = ['record', 'compact --once', 'sync --once']

function configIn(folder: string, dataDir: string): string {
  const file = join(folder, 'edgetape.yaml')
  const exchange = { name: 'deribit', url: 'ws://127.0.0.1:1/' }
  writeFileSync(file, JSON.stringify({ host: 'vps1', dataDir, exchange, sync: { target: join(folder, 'nas') } }))
  return file
}

/** Runs a command that cannot work, and expects words instead of a stack trace. */
async function expectTold(t: Test, command: string, config: string, told: RegExp, env: Record<string, string> = {}) {
  const { exitCode, stderr } = await edgetape([...command.split(' '), '--config', config], { env })
  t.equal(exitCode, 1, `${command}: exit code`)
  t.match(stderr, told, command)
  t.match(stderr, /^edgetape: hint: \w/m, `${command}: what to do`)
  t.notMatch(stderr, /^\s+at /m, `${command}: no stack trace`)
}

t.test('a read-only dataDir was told by a stack trace, and as a folder that does not exist', async t => {
  if (!needsThat(t, canMount(), 'needs the right to mount')) return
  const folder = t.testdir({})
  const disk = await smallDisk(t, folder, 'size=1m')
  disk.remount('ro')
  const config = configIn(folder, join(disk.path, 'data'))
  for (const command of WRITERS) await expectTold(t, command, config, /^edgetape: cannot mkdir .*data.*: EROFS/m)
})

t.test('a file in place of the dataDir was told by a stack trace', async t => {
  const folder = t.testdir({ data: 'a file' })
  const config = configIn(folder, join(folder, 'data'))
  for (const command of WRITERS)
    await expectTold(t, command, config, /^edgetape: cannot (mkdir|lstat) .*data.*: (EEXIST|ENOTDIR)/m)
})

t.test('a TMPDIR that is not there was told by a stack trace', async t => {
  const folder = t.testdir({ data: { raw: {} } })
  const file = configIn(folder, join(folder, 'data'))
  await expectTold(t, 'query SELECT(1)', file, /^edgetape: cannot use \/gone for temporary files: ENOENT/m, {
    TMPDIR: '/gone',
  })
})

/** Loaded before all else, in threads, too: no library whose path matches is found. */
const without = (library: string) => `
const load = process.dlopen
process.dlopen = (module, file, ...rest) => {
  if (!file.includes('${library}')) return load(module, file, ...rest)
  throw Object.assign(new Error(file + ': cannot open shared object file'), { code: 'ERR_DLOPEN_FAILED' })
}
`

t.test('without the addon of duckdb there was a stack trace, and doctor said that all is well', async t => {
  const folder = t.testdir({ 'without.cjs': without('duckdb'), data: { raw: {} } })
  const config = configIn(folder, join(folder, 'data'))
  const env = { NODE_OPTIONS: `--require=${join(folder, 'without.cjs')}` }
  for (const command of ['compact --once', 'query SELECT(1)'])
    await expectTold(t, command, config, /^edgetape: a native addon cannot be loaded: .*\.node/m, env)
  const { stdout, exitCode } = await edgetape(['doctor', '--config', config], { env })
  t.equal(exitCode, 1)
  t.match(unwrapped(stdout), /^FAILED +addons +a native addon cannot be loaded: .*\n +→ reinstall edgetape/m)
})

t.test('a machine without a compiler had no zstd: nothing ran, with a stack trace', async t => {
  const folder = t.testdir({ 'without.cjs': without('zstd-napi'), data: {}, recorder: {} })
  const config = configIn(folder, join(folder, 'data'))
  const env = { NODE_OPTIONS: `--require=${join(folder, 'without.cjs')}` }
  const exchange = await numberedExchange({ perSecond: 100 })
  t.teardown(() => exchange.close())
  const recorder = startRecorder(t, join(folder, 'recorder'), { url: exchange.url }, undefined, env)
  await until('it records', () => framesTaken(recorder) > 50)
  recorder.process.kill('SIGTERM')
  t.equal((await recorder.process).exitCode, 0)
  const frames = recordedLines(recorder.dataDir).filter(({ family }) => family === 'quote')
  t.ok(frames.length > 5, 'what was written is zstd')
  for (const command of ['compact --once', 'verify'])
    t.match(await edgetape([...command.split(' '), '--config', recorder.configFile], { env }), { exitCode: 0 }, command)
  const { stdout } = await edgetape(['doctor', '--config', config], { env })
  t.match(unwrapped(stdout), /addons +the addon zstd-napi is not there \(.*\): zstd runs as WebAssembly/)
})

t.test('a mistake of ours keeps its stack trace', t => {
  t.equal(knownError(new TypeError('x is undefined')), undefined)
  t.equal(knownError(Object.assign(new Error('odd'), { code: 'EROFS' })), undefined)
  t.end()
})
