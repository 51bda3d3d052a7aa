import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { packageRoot } from '../../platform/package-info.js'
import { listPartitions, openSegment } from '../../reader/library.js'
import { writeDataset } from '../fixtures/dataset.js'
import { writeRecording } from '../fixtures/made-recording.js'
import { matchAll } from '../fixtures/match-all.js'

const START_US = Date.UTC(2026, 10, 22, 14) * 1000
const quote = (n: number) => ({
  family: 'quote',
  conn: 'd1',
  recvUs: START_US + n,
  frame: `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"quote.X","data":{"n":${n}}}}`,
})

/** The program that the fresh folder runs: TypeScript, checked against the packed types. */
const PROGRAM = `
import { EdgeError, exportRecording, listPartitions, openRecording, openSegment, readFrames, type Frame } from 'edgetape'
const [, , dataDir = ''] = process.argv
const frames: Frame[] = []
for await (const frame of readFrames({ path: dataDir, channels: ['quote'] })) frames.push(frame)
const first: string | undefined = frames[0]?.text
console.log(JSON.stringify({ count: frames.length, first, tables: listPartitions(dataDir).map(({ table }) => table) }))
try {
  openSegment('nowhere')
} catch (error) {
  if (error instanceof EdgeError) console.log(error.code)
}
const recording = await openRecording({ path: dataDir })
const rows: unknown[] = []
for await (const row of recording.rows('SELECT x, kind FROM trades')) rows.push(row)
console.log(JSON.stringify({ rows, views: recording.views.some(({ name }) => name === 'option_chain_at') }))
recording.close()
const view = "option_chain_at(INTERVAL 1 HOUR, '2026-11-22', '2026-11-23')"
const { files } = await exportRecording({ path: dataDir, out: dataDir + '/out', format: 'csv', view })
console.log(files)
`

interface Packed {
  filename: string
  size: number
  files: { path: string }[]
}

/** What npm makes of the package, once for all tests. */
async function pack(folder: string): Promise<Packed> {
  const args = ['pack', '--ignore-scripts', '--pack-destination', folder, '--json']
  const { stdout } = await execa('npm', args, { cwd: packageRoot, timeout: 60_000 })
  const [packed] = JSON.parse(stdout) as Packed[]
  if (!packed) throw new Error(`npm packed nothing: ${stdout}`)
  return packed
}
const packedFolder = t.testdir()
const packed = await pack(packedFolder)

t.test('what npm packs can be imported from a fresh folder, and its types hold', async t => {
  const folder = t.testdir()
  const dataDir = join(folder, 'data')
  writeRecording(dataDir, [1, 2, 3].map(quote))
  await writeDataset(dataDir, [{ table: 'trades', sql: 'SELECT 1 AS x' }])
  const modules = join(folder, 'app', 'node_modules')
  const installed = join(modules, 'edgetape')
  mkdirSync(installed, { recursive: true })
  await execa('tar', ['-xzf', join(packedFolder, packed.filename), '--strip-components=1', '-C', installed])
  t.notOk(existsSync(join(installed, 'dist/test')), 'tests stay at home')
  // Its dependencies, as an installation would put them, from those that are here.
  const { dependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  for (const name of Object.keys(dependencies)) {
    const link = join(installed, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(packageRoot, 'node_modules', name), link)
  }
  mkdirSync(join(modules, '@types'), { recursive: true })
  symlinkSync(join(packageRoot, 'node_modules/@types/node'), join(modules, '@types/node'))

  const app = join(folder, 'app')
  writeFileSync(join(app, 'package.json'), '{"type":"module"}')
  writeFileSync(join(app, 'program.ts'), PROGRAM)
  const compilerOptions = {
    module: 'NodeNext',
    target: 'ES2023',
    lib: ['ES2023'],
    strict: true,
    exactOptionalPropertyTypes: true,
    types: ['node'],
  }
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['program.ts'] }))
  const tsc = join(packageRoot, 'node_modules/typescript/bin/tsc')
  const checked = await execa(process.execPath, [tsc, '-p', app], { reject: false, timeout: 120_000 })
  t.equal(checked.exitCode, 0, checked.stdout)
  const { stdout } = await execa(process.execPath, ['program.js', dataDir], { cwd: app, timeout: 60_000 })
  const [found = '', code, asked = '', files] = stdout.split('\n')
  t.strictSame(JSON.parse(found), { count: 3, first: quote(1).frame, tables: ['trades'] })
  t.equal(code, 'READ_NO_RAW')
  t.strictSame(JSON.parse(asked), { rows: [{ x: 1, kind: 'none' }], views: true })
  t.equal(files, '1')
  const command = await execa(process.execPath, [join(installed, 'dist/cli/main.js'), '--version'])
  const own = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }
  t.equal(command.stdout, own.version)
})

t.test('what npm packs lacked the SQL of the exchanges, and carried maps of sources that stay at home', async t => {
  const paths = packed.files.map(({ path }) => path)
  const tracked = await execa('git', ['ls-files', '*.sql', '*.html'], { cwd: packageRoot })
  for (const path of tracked.stdout.split('\n').filter(path => !path.startsWith('test/')))
    t.ok(paths.includes(path), `${path} is packed`)
  t.same(
    paths.filter(path => path.endsWith('.map') || path.endsWith('.tsbuildinfo')),
    [],
  )
  t.ok(packed.size < 2_000_000, `${packed.size} bytes`)
})

t.test('an installation without TypeScript failed in prepare', async t => {
  const folder = t.testdir({ deploy: {}, dist: { cli: { 'main.js': '' } }, 'tsconfig.json': '{}' })
  cpSync(join(packageRoot, 'package.json'), join(folder, 'package.json'))
  cpSync(join(packageRoot, 'deploy/prepare.js'), join(folder, 'deploy/prepare.js'))
  const prepare = () => execa('npm', ['run', 'prepare', '--offline'], { cwd: folder, reject: false, timeout: 60_000 })
  t.equal((await prepare()).exitCode, 0, 'built elsewhere')
  rmSync(join(folder, 'dist'), { recursive: true })
  const path = join(folder, 'bin')
  mkdirSync(path)
  // npm that cannot bring the compiler.
  writeFileSync(join(path, 'npm'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  const alone = await execa(process.execPath, ['deploy/prepare.js'], {
    cwd: folder,
    reject: false,
    env: { PATH: path },
  })
  t.match(alone.stderr, /^edgetape: nothing is built: TypeScript was left out[^\n]*run npm ci[^\n]*$/, 'one sentence')
  t.equal(alone.exitCode, 0)
})

t.test('segments and partitions', async t => {
  const dataDir = t.testdir()
  writeRecording(dataDir, [quote(1), quote(2)])
  writeRecording(dataDir, [quote(3_600_000_005)], { run: 'r2', openFromUs: 0 })
  const raw = join(dataDir, 'raw/exchange=deribit/channel=quote/date=2026-11-22')
  const sealed = openSegment(join(raw, '20261122T140000Z_1h-vps1-r1-1.jsonl.zst'))
  t.match(sealed, { state: 'sealed', name: { host: 'vps1' }, manifest: { frames: 2 } })
  const texts: string[] = []
  for await (const { text } of sealed.frames()) texts.push(text)
  t.strictSame(texts, [quote(1).frame, quote(2).frame])
  const open = openSegment(join(raw, '20261122T150000Z_1h-vps1-r2-1.jsonl.zst.open'))
  t.match(open, { state: 'open', manifest: undefined })
  const batches: number[] = []
  for await (const batch of open.batches()) batches.push(batch.length)
  t.strictSame(batches, [1])
  t.throws(() => openSegment(raw), { code: 'READ_NO_RAW', message: /is no segment/ })

  await writeDataset(dataDir, [
    { table: 'trades', kind: 'option', currency: 'BTC', sql: 'SELECT 1 AS x' },
    { table: 'quote', kind: 'option', currency: 'ETH', date: '2026-11-23', sql: 'SELECT 1 AS x' },
  ])
  matchAll(t, listPartitions(dataDir, { table: 'trades' }), [
    { exchange: 'deribit', kind: 'option', currency: 'BTC', date: '2026-11-22', files: [{ bytes: Number }] },
  ])
  t.equal(listPartitions(dataDir).length, 2)
  t.throws(() => listPartitions(raw), { code: 'NO_PARQUET' })
})
