import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { segmentFrames } from '../../reader/segment-frames.js'
import { openDuckDb } from '../../platform/duckdb.js'
import { packageRoot } from '../../platform/package-info.js'
import { parseManifest } from '../../formats/manifest.js'
import { segmentPath, withState, type SegmentState } from '../../formats/raw-path.js'
import { SegmentStore } from '../../recorder/storage/segment-store.js'
import type { StorageEvent } from '../../recorder/storage/messages.js'
import { runSyncer } from '../../syncer/main.js'
import { compactOnce, silent } from '../compactor/fixtures/compacted.js'
import { commandHere } from '../fixtures/command-here.js'
import { needs, needsThat } from '../fixtures/needs.js'
import { hasPackages } from '../fixtures/python-targets.js'
import { blocksOf } from '../fixtures/readme.js'
import { FIRST_RECV_US, seal, SEGMENT_NAME, writeOpenSegment } from '../fixtures/segments.js'
import { handClock, testConfig } from '../fixtures/shipped-tree.js'
import { matchAll } from '../fixtures/match-all.js'

const document = readFileSync(join(packageRoot, 'docs', 'segment-format.md'), 'utf8')
const LINES = 60
const PER_FRAME = 10
/** No zstd frame ends by its age. */
const FRAME_MS = 3_600_000

/** Where a snippet's `segment.jsonl.zst` is, sealed, open (several zstd frames), and with the last one not ended. */
function places(t: Test): { folder: string; file: string }[] {
  const folder = t.testdir({ sealed: {}, open: {}, writing: {} })
  const open = writeOpenSegment(join(folder, 'open'), LINES, PER_FRAME)
  const outcome = seal(join(folder, 'sealed'), writeOpenSegment(join(folder, 'sealed'), LINES, PER_FRAME))
  if (outcome.kind !== 'sealed') throw new Error(outcome.kind)
  const writing = writeOpenSegment(join(folder, 'writing'), LINES, PER_FRAME, 1, {}, FRAME_MS)
  return [
    { folder: dirname(join(folder, 'sealed', outcome.path)), file: basename(outcome.path) },
    { folder: dirname(join(folder, 'open', open)), file: basename(open) },
    { folder: dirname(join(folder, 'writing', writing)), file: basename(writing) },
  ]
}

/** The snippet for this very file, in its folder. */
const naming = (snippet: string, file: string) =>
  snippet.replaceAll('segment.jsonl.zst', file).replaceAll('segment.json', withState(file, 'manifest'))

const lastUs = FIRST_RECV_US + LINES

t.test('shell', async t => {
  if (!needs(t, 'zstd')) return
  const [read = '', prove = ''] = blocksOf('sh', document)
  for (const { folder, file } of places(t)) {
    const { stdout } = await execa('sh', ['-euc', naming(read, file)], { cwd: folder })
    t.match(stdout, new RegExp(`^${LINES}\n\\{"recv_us":${FIRST_RECV_US + 1},"conn":"d1","seq":1,"frame":`), file)
    if (!file.endsWith('.zst')) continue
    t.equal((await execa('sh', ['-euc', naming(prove, file)], { cwd: folder })).stdout, `${file}: OK`)
    writeFileSync(join(folder, file), 'x', { flag: 'a' })
    t.not((await execa('sh', ['-euc', naming(prove, file)], { cwd: folder, reject: false })).exitCode, 0)
  }
})

t.test('DuckDB', async t => {
  const connection = await openDuckDb()
  const [text = '', columns = ''] = blocksOf('sql', document)
  for (const { folder, file } of places(t)) {
    const rows = async (sql: string) =>
      (await connection.runAndReadAll(sql.replaceAll('segment.jsonl.zst', join(folder, file)))).getRowObjectsJS()
    t.same(await rows(text), [{ lines: BigInt(LINES), first: BigInt(FIRST_RECV_US + 1), last: BigInt(lastUs) }], file)
    const found = await rows(columns)
    t.equal(found.length, LINES, file)
    t.match(found.at(-1), { conn: 'd1', seq: BigInt(LINES), channel: 'quote.BTC-PERPETUAL' }, file)
  }
  connection.closeSync()
})

t.test('Python', async t => {
  const hasLibraries = await hasPackages('python3', 'zstandard', 'pandas')
  if (!needsThat(t, hasLibraries, 'needs zstandard and pandas: pip install zstandard pandas')) return
  const [plain = '', pandas = ''] = blocksOf('python', document)
  for (const { folder, file } of places(t)) {
    const run = async (snippet: string) =>
      (await execa('python3', ['-c', naming(snippet, file)], { cwd: folder })).stdout.split('\n')
    const lines = await run(plain)
    t.equal(lines.length, LINES, file)
    t.equal(lines.at(-1), `${lastUs} d1 ${LINES}`, file)
    t.same(await run(pandas), [`${LINES} 1 ${LINES}`], file)
  }
})

t.test('names, states and keys are those of the code', t => {
  const path = segmentPath(
    {
      exchange: 'deribit',
      channel: 'trades',
      startedMs: Date.UTC(2026, 10, 22, 14),
      host: 'vps-ldn-1_k3f9a2bx',
      run: 'toxey2b1fc',
      number: 14,
    },
    'sealed',
  )
  t.ok(document.includes(path), path)
  for (const state of ['open', 'sealed', 'manifest', 'rewriting'] satisfies SegmentState[])
    t.ok(document.includes(`| \`${withState('.json', state)}\``), state)
  const dataDir = t.testdir()
  const outcome = seal(dataDir, writeOpenSegment(dataDir, 1, 1))
  if (outcome.kind !== 'sealed') throw new Error(outcome.kind)
  const table = document.slice(document.indexOf('## Manifest'), document.indexOf('## What a crash may do'))
  const keys = [...table.matchAll(/^\| ((?:`\w+` ?)+)/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/\w+/g)].map(String),
  )
  t.same(keys.sort(), [...Object.keys(outcome.manifest), 'recovered'].sort())
  t.end()
})

const TOO_NEW = { format_version: 2, something: 'that nobody here can know' }

/** Two sealed segments, the first with a manifest of a later format. */
function withLaterFormat(dataDir: string): { later: string; ours: string } {
  const [later = '', ours = ''] = [1, 2].map(number => {
    const outcome = seal(dataDir, writeOpenSegment(dataDir, LINES, PER_FRAME, number))
    if (outcome.kind !== 'sealed') throw new Error(outcome.kind)
    return outcome.path
  })
  writeFileSync(join(dataDir, withState(later, 'manifest')), JSON.stringify(TOO_NEW))
  return { later, ours }
}

t.test('a later format is refused by every reader, which then goes on', async t => {
  const folder = t.testdir({ data: {}, nas: {} })
  const dataDir = join(folder, 'data')
  const { later, ours } = withLaterFormat(dataDir)
  t.throws(() => parseManifest(JSON.stringify(TOO_NEW), 'x.json'), {
    code: 'MANIFEST_TOO_NEW',
    message: 'x.json has format version 2, wanted at most 1',
    hint: /upgrade/,
  })

  await compactOnce(dataDir)
  const receipts = readFileSync(join(dataDir, 'state/compactor/done-2026-11-22.jsonl'), 'utf8')
  t.ok(receipts.includes(ours) && !receipts.includes(later), 'compactor')

  const nas = join(folder, 'nas', 'tree')
  const clock = handClock(SEGMENT_NAME.startedMs + 7_200_000)
  const { signal } = new AbortController()
  const report = await runSyncer({
    config: testConfig(dataDir, { target: nas, graceMinutes: 0 }),
    log: silent,
    once: true,
    signal,
    clock,
  })
  t.ok(existsSync(join(nas, ours)) && !existsSync(join(nas, later)), 'syncer')
  t.match(JSON.stringify(report), /format version 2/)

  const verified = await commandHere(['verify', 'raw', dataDir])
  t.match(verified, {
    exitCode: 1,
    stdout: /^fault: .*-1\.json: .*format version 2, wanted at most 1 \[MANIFEST_TOO_NEW\]\n {2}hint: /,
  })
  t.match(verified.stdout, /raw: 2 segments/, verified.stderr)

  const dumped = await commandHere(['dump', join(dataDir, later), join(dataDir, ours)])
  t.equal(dumped.stdout.split('\n').length, LINES, 'dump: the other one')
  t.match(dumped, { exitCode: 1, stderr: /format version 2, wanted at most 1/ })
})

t.test('recovery leaves a segment to the later edgetape that began to seal it', async t => {
  const dataDir = t.testdir()
  const later = writeOpenSegment(dataDir, LINES, PER_FRAME, 1)
  const ours = writeOpenSegment(dataDir, LINES, PER_FRAME, 2)
  writeFileSync(join(dataDir, withState(later, 'manifest')), JSON.stringify(TOO_NEW))
  const events: StorageEvent[] = []
  mkdirSync(join(dataDir, 'state'))
  await new Promise<void>(resolve => {
    const { exchange, host } = SEGMENT_NAME
    const limits = { rotateBytes: 1e9, fsyncMs: 1000, openFilesMax: 64, reserveBytes: 0 }
    const store = new SegmentStore({ dataDir, exchange, host, run: 'r2', ...limits }, event => {
      events.push(event)
      if (event.type === 'sealed') store.handle({ type: 'close', withinMs: 5000 })
      if (event.type === 'closed') resolve()
    })
  })
  matchAll(
    t,
    events.filter(({ type }) => type === 'failed'),
    [{ what: `seal ${later}`, message: /format version 2.*upgrade/ }],
  )
  t.match(
    events.find(({ type }) => type === 'sealed'),
    { path: withState(ours, 'sealed') },
  )
  t.equal(
    [...segmentFrames(join(dataDir, later), undefined, { torn: why => t.fail(why) })].flat().length,
    LINES,
    'as it was',
  )
  t.ok(readdirSync(dirname(join(dataDir, later))).includes(basename(later)))
})
