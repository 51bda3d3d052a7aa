/** Two recorders as one: the same channels at two places, or a share of them each. */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { measureAsked } from '../../coverage/account/measure.js'
import { summaryOf } from '../../coverage/account/account-summary.js'
import { exchangeNamed } from '../../exchanges/registry.js'
import { startSimulator } from '../../exchanges/deribit/simulator/main.js'
import type { Simulator } from '../../simulator/main.js'
import { hashes, query } from '../compactor/fixtures/compacted.js'
import { edgetape } from '../fixtures/cli.js'
import { commandHere } from '../fixtures/command-here.js'
import { diskFolder } from '../fixtures/disk-folder.js'
import { memoryFolder } from '../fixtures/memory-folder.js'
import { needsThat } from '../fixtures/needs.js'
import {
  framesTaken,
  rawFiles,
  recordedLines,
  startRecorder,
  until,
  type RecordedLine,
  type RecorderProcess,
} from '../fixtures/recorder-process.js'
import { sealLeft } from '../fixtures/segments.js'

t.jobs = 2

const isRecording = (recorder: RecorderProcess) =>
  framesTaken(recorder, 'trades') > 5 && framesTaken(recorder, 'book') > 20

async function end({ process, dataDir }: RecorderProcess): Promise<RecordedLine[]> {
  process.kill('SIGTERM')
  await process
  sealLeft(dataDir)
  return recordedLines(dataDir)
}

/** About a second's frames. */
async function recordsMore(recorder: RecorderProcess): Promise<void> {
  const taken = framesTaken(recorder)
  await until('more frames', () => framesTaken(recorder) > taken + 200)
}

const FEW = ['trades', 'quote', 'book']
const channels = { perpetual: FEW, future: FEW, option: FEW, spot: [], combo: [], index: [], exchange: [] }

function start(t: Test, exchange: Simulator, host: string, over: object = {}): RecorderProcess {
  const folder = join(t.testdirName, host)
  mkdirSync(folder)
  const segments = { rotateMinutes: 60, flushMs: 100, fsyncMs: 100 }
  return startRecorder(t, folder, { url: exchange.url, currencies: ['BTC'], channels, ...over }, segments, {}, host)
}

interface Notification {
  params?: { channel: string; data: unknown }
}

/** What a recorder was sent of a family, each text once. */
const textsOf = (lines: readonly RecordedLine[], family: string) =>
  lines.filter(line => line.family === family && line.conn === 'd1').map(({ frame }) => frame.toString('utf8'))

/** Far enough apart to be told again: who subscribes is sent the last quote, however old. */
const WINDOW_US = 5_000_000

/** How many there are of a family when equal content within the window is one. */
function eventsOf(lines: readonly RecordedLine[], family: string): number {
  const lastUs = new Map<string, number>()
  let events = 0
  for (const { recvUs, frame } of lines
    .filter(line => line.family === family && line.conn === 'd1')
    .sort((one, other) => one.recvUs - other.recvUs)) {
    // The exchange spells one number as 5 or 5.0.
    const content = JSON.stringify(JSON.parse(frame.toString('utf8')))
    if (recvUs - (lastUs.get(content) ?? -Infinity) > WINDOW_US) events++
    lastUs.set(content, recvUs)
  }
  return events
}

const tradesOf = (lines: readonly RecordedLine[]) =>
  textsOf(lines, 'trades').flatMap(text =>
    ((JSON.parse(text) as Notification).params?.data as { instrument_name: string; trade_seq: number }[]).map(
      trade => `${trade.instrument_name} ${trade.trade_seq}`,
    ),
  )

t.test('merge: the same channels at two places, each event once', async t => {
  t.testdir({})
  const exchange = await startSimulator({ rate: 300, instruments: 8 })
  t.teardown(() => exchange.close())
  const first = start(t, exchange, 'frankfurt')
  await until('the first records', () => isRecording(first))
  const second = start(t, exchange, 'london')
  await until('both record', () => isRecording(second))
  await recordsMore(second)
  const lines = [await end(first)]
  await recordsMore(second)
  lines.push(await end(second))
  const [early = [], late = []] = lines
  const merged = join(t.testdirName, 'merged')
  const merge = () => commandHere(['merge', first.dataDir, second.dataDir, '--out', merged, '--json'])

  const once = await merge()
  t.equal(once.exitCode, 0, once.stderr)
  const segments = [first, second].flatMap(({ dataDir }) => rawFiles(dataDir)).filter(path => path.endsWith('.zst'))
  t.match(JSON.parse(once.stdout), { segments: segments.length, known: 0, faults: 0, compacted: { failed: 0 } })

  const trades = [tradesOf(early), tradesOf(late)]
  const union = [...new Set(trades.flat())].sort()
  t.ok(union.length > Math.max(...trades.map(each => each.length)), 'one alone did not see all')
  t.ok(union.length < trades.flat().length, 'some were seen twice')
  const found = await query(
    `SELECT instrument_name || ' ' || trade_seq AS trade FROM read_parquet('${merged}/parquet/exchange=*/table=trades/**/*.parquet') ORDER BY 1`,
  )
  t.same(found.map(({ trade }) => trade).sort(), union, 'each trade once')
  const quotes = eventsOf([...early, ...late], 'quote')
  const [row] = await query(
    `SELECT count(*) AS n FROM read_parquet('${merged}/parquet/exchange=*/table=quote/**/*.parquet')`,
  )
  t.equal(Number(row?.['n']), quotes, 'each quote once')

  const { wanted: spans, lines: covered } = summaryOf(await measureAsked(merged), exchangeNamed)
  const ofQuotes = covered.filter(({ family }) => family === 'quote')
  t.same(
    ofQuotes.map(({ kind, complete }) => [kind, complete]),
    ['future', 'option', 'perpetual'].map(kind => [kind, 1]),
    'what one was not there for, the other has',
  )
  t.equal(spans.length, 1)
  const quotesUs = [early, late].map(own => own.filter(({ family }) => family === 'quote').map(({ recvUs }) => recvUs))
  t.ok((spans[0]?.fromUs ?? Infinity) < Math.min(...(quotesUs[1] ?? [])), 'it begins with the one that began first')
  t.ok((spans[0]?.toUs ?? 0) > Math.max(...(quotesUs[0] ?? [])), 'and ends with the one that ended last')

  const made = hashes(join(merged, 'parquet'))
  const again = await merge()
  t.match(JSON.parse(again.stdout), { segments: 0, known: segments.length, compacted: { segments: 0 } })
  t.same(hashes(join(merged, 'parquet')), made, 'and once more changes nothing')

  t.match(await commandHere(['merge', first.dataDir, '--out', join(first.dataDir, 'merged')]), {
    exitCode: 2,
    stderr: /lie in each other[^]*--out a folder outside the sources/,
  })
  await t.test('damage is found on the way to another file system', async t => {
    const isFar = (folder: string) => statSync(folder).dev !== statSync(first.dataDir).dev
    const far = [memoryFolder(t), diskFolder(t)].find(isFar)
    if (far === undefined) {
      needsThat(t, false, 'needs /dev/shm, as Linux has it')
      return
    }
    const [victim = ''] = segments.filter(path => path.includes('/channel=quote/'))
    const bytes = readFileSync(join(first.dataDir, victim))
    bytes.writeUInt8(bytes.readUInt8(20) ^ 1, 20)
    // In its place, not in it: the merged tree has a link to it.
    rmSync(join(first.dataDir, victim))
    writeFileSync(join(first.dataDir, victim), bytes)
    const result = await edgetape(['merge', first.dataDir, '--out', join(far, 'merged'), '--json'])
    t.match(result, { exitCode: 1, stderr: /sha256 is not that of its manifest/ })
    t.match(JSON.parse(result.stdout), { faults: 1, compacted: { failed: 0 } })
    t.notOk(rawFiles(join(far, 'merged')).includes(victim))
    t.equal(rawFiles(join(far, 'merged')).length, rawFiles(first.dataDir).length - 2, 'all others came')
  })
})

t.test('shards: two recorders share the channels, and ship to one tree', async t => {
  t.testdir({})
  const exchange = await startSimulator({ rate: 300, instruments: 60 })
  t.teardown(() => exchange.close())
  const recorders = [0, 1].map(index =>
    start(t, exchange, `vps${index}`, { shard: { index, count: 2 }, tradesBy: 'instrument' }),
  )
  await until('both record', () => recorders.every(isRecording))
  const lines = await Promise.all(recorders.map(end))
  const taken = lines.map(own => [
    ...new Set(
      own
        .filter(({ conn }) => conn === 'd1')
        .map(({ frame }) => (JSON.parse(frame.toString('utf8')) as Notification).params?.channel ?? ''),
    ),
  ])
  const [one = [], other = []] = taken.map(each => each.filter(name => /^(quote|book|trades)\./.test(name)))
  t.ok(one.length > 20 && other.length > 20, `${one.length} and ${other.length} channels had frames`)
  t.same(
    one.filter(name => other.includes(name)),
    [],
    'no channel came to both',
  )
  const nas = join(t.testdirName, 'nas')
  mkdirSync(nas)
  writeFileSync(join(nas, '.edgetape-target'), '')
  for (const { configFile, dataDir } of recorders) {
    const config = JSON.parse(readFileSync(configFile, 'utf8')) as object
    writeFileSync(configFile, JSON.stringify({ ...config, sync: { target: nas } }))
    const synced = await commandHere(['sync', '--once', '--config', configFile])
    t.equal(synced.exitCode, 0, synced.stderr)
    t.ok(rawFiles(dataDir).length > 0)
  }
  t.same(rawFiles(nas), recorders.flatMap(({ dataDir }) => rawFiles(dataDir)).sort(), 'both are there, whole')
})
