import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { exchangeNamed } from '../../exchanges/registry.js'
import type { EdgeError } from '../../platform/edge-error.js'
import { packageRoot } from '../../platform/package-info.js'
import { measureAsked } from '../../coverage/account/measure.js'
import { summaryOf } from '../../coverage/account/account-summary.js'
import { bookAt } from '../../reader/book/sample-book.js'
import { importFrames, type Imported, type ImportOptions } from '../../reader/import/import-frames.js'
import { importTarget } from '../../reader/import/import-target.js'
import { sourceFiles } from '../../reader/import/source-files.js'
import { jsonLineReader } from '../../reader/import/json-line.js'
import { receiveTimeUs } from '../../reader/import/receive-time.js'
import { tardisLine } from '../../reader/import/tardis-line.js'
import { readFrames } from '../../reader/read-frames.js'
import { parseManifest } from '../../formats/manifest.js'
import { compactOnce, filesBelow, hashes, query } from '../compactor/fixtures/compacted.js'
import { cliMain } from '../fixtures/cli.js'
import { commandHere } from '../fixtures/command-here.js'
import { writeRecording } from '../fixtures/made-recording.js'
import { matchAll } from '../fixtures/match-all.js'
import { asReceived, steppedFrames, tardisText } from '../fixtures/stepped-frames.js'

/** Ten seconds before an hour ends, which is long past. */
const START_MS = Date.UTC(2026, 10, 22, 13, 59, 50)
const NOW_MS = Date.UTC(2026, 10, 24)
const CHANNELS = [
  'book.BTC-PERPETUAL.raw',
  'quote.BTC-PERPETUAL',
  'trades.future.BTC.100ms',
  'ticker.BTC-PERPETUAL.raw',
]
const { names } = exchangeNamed('deribit')

const sent = steppedFrames(7, START_MS, 20_000, () => CHANNELS)
const received = asReceived(sent, names.familyOfChannel)
const lines = received.map(tardisText)

/** Counts of rows by table, and how they came. */
const rowsBySource = async (dataDir: string, table: string) => {
  const files = join(dataDir, `parquet/exchange=deribit/table=${table}/**/*.parquet`)
  const rows = await query(`SELECT source, count(*)::INTEGER AS n FROM read_parquet('${files}') GROUP BY ALL`)
  return Object.fromEntries(rows.map(({ source, n }) => [String(source), Number(n)]))
}

interface Asked extends Partial<Omit<ImportOptions, 'files'>> {
  again?: boolean
}

/** What the command does, in this process, at this priority. */
async function importTardis(source: string, dataDir: string, asked: Asked = {}): Promise<Imported> {
  const files = sourceFiles([source])
  const target = await importTarget({}, files, tardisLine)
  return importFrames({
    dataDir,
    ...target,
    conn: 'tardis',
    host: 'tardis',
    files,
    read: tardisLine,
    form: 't',
    ...asked,
  })
}

async function importedFrames(dataDir: string): Promise<{ recvUs: number; conn: string; text: string }[]> {
  const found = []
  for await (const { recvUs, conn, text } of readFrames({ path: dataDir })) found.push({ recvUs, conn, text })
  return found
}

t.test('a day of Tardis’ lines is read, compacted, counted and asked as one’s own', async t => {
  const folder = t.testdir({ data: {} })
  const source = join(folder, 'deribit.gz')
  writeFileSync(source, gzipSync(lines.map(line => `${line}\n`).join('')))
  const data = join(folder, 'data')
  const { stdout, stderr, exitCode } = await commandHere(['import', 'tardis', source, '--out', data])
  t.equal(exitCode, 0, stderr)
  t.match(stdout, `frames       ${lines.length.toLocaleString('en-US')}`)

  const frames = (await importedFrames(data)).filter(({ conn }) => conn !== 'journal')
  t.equal(frames.length, lines.length)
  const byText = (one: { text: string }, other: { text: string }) => (one.text < other.text ? -1 : 1)
  t.strictSame(
    frames.map(({ recvUs, conn, text }) => ({ recvUs, conn, text })).sort(byText),
    received.map(({ recvUs, frame }) => ({ recvUs, conn: 'tardis', text: frame })).sort(byText),
    'every frame byte for byte, received when its line says',
  )
  for (const path of filesBelow(join(data, 'raw')))
    t.match(path, /\/2026\d+T\d+Z_1h-tardis_[a-z0-9]{8}-[a-z0-9]+-1\.json/)
  const verified = await commandHere(['verify', 'raw', data])
  t.equal(verified.exitCode, 0, verified.stdout + verified.stderr)

  await compactOnce(data, { nowMs: () => NOW_MS })
  const trades = await rowsBySource(data, 'trades')
  t.strictSame(Object.keys(trades), ['import'])
  const asked = await commandHere([
    'query',
    '--path',
    data,
    '--json',
    'SELECT count(*)::INT AS n, min(conn) AS conn FROM quote',
  ])
  const quotes = sent.filter(({ channel }) => channel.startsWith('quote')).length
  t.strictSame(JSON.parse(asked.stdout), { n: quotes, conn: 'tardis' })

  const lastMs = START_MS + 15_000
  const book = await bookAt({ path: data, instrument: 'BTC-PERPETUAL', at: new Date(lastMs) })
  t.equal(book.state, 'known')
  t.ok(book.bids.length > 5)

  const coverage = summaryOf(await measureAsked(data, undefined, NOW_MS * 1000), exchangeNamed)
  matchAll(
    t,
    coverage.lines
      .filter(({ family }) => ['trades', 'quote', 'book'].includes(family))
      .map(({ family, complete }) => ({ family, complete })),
    ['trades', 'quote', 'book'].map(family => ({ family, complete: 1 })),
  )
})

t.test('the same lines again add nothing, in whichever packing', async t => {
  const folder = t.testdir({ data: {}, in: {} })
  const data = join(folder, 'data')
  const plain = join(folder, 'in')
  writeFileSync(join(plain, 'a.txt'), lines.map(line => `${line}\r\n`).join(''))
  writeFileSync(join(folder, 'b.gz'), gzipSync(lines.join('\n')))
  t.match(await importTardis(plain, data), { frames: lines.length, knownSegments: 0, broken: 0 })
  const before = hashes(join(data, 'raw'))
  t.match(await importTardis(plain, data), { files: 0, knownFiles: 1, frames: 0, segments: 0 })
  t.match(await importTardis(plain, data, { again: true }), { files: 1, frames: lines.length, segments: 0 })
  t.match(await importTardis(join(folder, 'b.gz'), data), { files: 1, frames: lines.length, segments: 0 })
  t.strictSame(hashes(join(data, 'raw')), before)

  // What was converted and deleted here does not come back.
  await compactOnce(data, { nowMs: () => NOW_MS })
  rmSync(join(data, 'raw'), { recursive: true })
  t.match(await importTardis(plain, data, { again: true }), { frames: lines.length, segments: 0 })
  t.notOk(existsSync(join(data, 'raw')))
})

t.test('a day that was both recorded and imported has each event once', async t => {
  const folder = t.testdir({ data: {}, alone: {} })
  const data = join(folder, 'data')
  const source = join(folder, 'lines')
  // Tardis' own recorder stood elsewhere: each frame came 40 ms later there.
  writeFileSync(source, asReceived(sent, names.familyOfChannel, 40_000).map(tardisText).join('\n'))
  writeRecording(join(folder, 'alone'), received)
  await compactOnce(join(folder, 'alone'), { nowMs: () => NOW_MS })
  writeRecording(data, received)
  await compactOnce(data, { nowMs: () => NOW_MS })
  await importTardis(source, data)
  await compactOnce(data, { nowMs: () => NOW_MS })
  for (const table of ['trades', 'book', 'quote', 'ticker']) {
    const both = await rowsBySource(data, table)
    const alone = await rowsBySource(join(folder, 'alone'), table)
    t.ok((alone['live'] ?? 0) > 10, `${table} has rows`)
    const events = (sources: Record<string, number>) => Object.values(sources).reduce((sum, n) => sum + n, 0)
    if (table === 'book') {
      // A snapshot is a state, and each recorder has its own.
      const changes = `SELECT count(*)::INT AS n, count(DISTINCT (change_id, side, price))::INT AS once
        FROM read_parquet('${data}/parquet/exchange=deribit/table=book/**/*.parquet') WHERE "type" = 'change'`
      const [found] = await query(changes)
      t.equal(found?.['n'], found?.['once'], 'each change once')
    } else t.equal(events(both), events(alone), `each row of ${table} once`)
  }
})

t.test('lines that cannot be taken are counted and kept in quarantine', async t => {
  const folder = t.testdir({ data: {} })
  const bad = ['no time at all', `2026-11-22T14:00:01.5Z {"half":`, '2026-13-45T14:00:01.5Z {}', lines[0]?.slice(0, 28)]
  const broken = Buffer.concat([Buffer.from('2026-11-22T14:00:01Z {"x":"'), Buffer.from([0xff, 0xfe]), Buffer.from('')])
  const source = join(folder, 'lines')
  writeFileSync(source, `${[bad[0], ...lines.slice(0, 500), ...bad.slice(1)].join('\n')}\n`)
  appendFileSync(source, broken)
  const data = join(folder, 'data')
  t.match(await importTardis(source, data), { frames: 500, broken: 5 })
  const [path = '', ...others] = filesBelow(join(data, 'quarantine'))
  t.strictSame(others, [])
  t.match(path, /^exchange=deribit\/channel=other\/date=2026-11-22\//)
  const kept = readFileSync(join(data, 'quarantine', path), 'utf8')
    .trim()
    .split('\n')
    .map(
      line => JSON.parse(line) as { reason: string; raw: string; raw_base64?: string; source: string; offset: number },
    )
  t.strictSame(
    kept.slice(0, 4).map(({ raw }) => raw),
    bad,
  )
  t.equal(kept[4]?.raw_base64, broken.toString('base64'))
  t.strictSame(
    kept.map(({ reason }) => reason),
    [
      'no receive time at its start',
      'the frame is no JSON in UTF-8',
      ...Array<string>(2).fill('no receive time at its start'),
      'the frame is no JSON in UTF-8',
    ],
  )
  t.equal(readFileSync(source).toString('utf8', kept[1]?.offset).split('\n')[0], bad[1])
})

t.test('a blank line is a lost connection: a gap in journal, manifest and coverage', async t => {
  const folder = t.testdir({ data: {} })
  const data = join(folder, 'data')
  const isLate = ({ recvUs }: { recvUs: number }) => recvUs >= (START_MS + 16_000) * 1000
  const before = received.filter(({ recvUs }) => recvUs < (START_MS + 12_000) * 1000)
  const after = received.filter(isLate)
  const source = join(folder, 'lines')
  writeFileSync(source, [...before.map(tardisText), '', '', ...after.map(tardisText)].join('\n'))
  t.match(await importTardis(source, data), { lost: 2 })
  const gap = { from_us: before.at(-1)?.recvUs, to_us: after[0]?.recvUs, conn: 'tardis' }
  const manifests = filesBelow(join(data, 'raw')).filter(path => path.endsWith('.json') && path.includes('T14'))
  const quote = manifests.find(path => path.includes('channel=quote')) ?? ''
  matchAll(t, parseManifest(readFileSync(join(data, 'raw', quote), 'utf8'), quote).gaps, [gap])
  await compactOnce(data, { nowMs: () => NOW_MS })
  const coverage = summaryOf(await measureAsked(data, undefined, NOW_MS * 1000), exchangeNamed)
  matchAll(
    t,
    coverage.losses.map(({ fromUs, toUs }) => ({ fromUs, toUs })),
    [{ fromUs: gap.from_us, toUs: gap.to_us }],
  )
})

t.test('an import that is killed goes on where it was, and comes to the same', async t => {
  const folder = t.testdir({ whole: {}, killed: {} })
  // Twelve hours, a frame in each second of the first minute of each.
  const frame =
    '{"jsonrpc":"2.0","method":"subscription","params":{"channel":"quote.BTC-PERPETUAL","data":{"timestamp":1,"instrument_name":"BTC-PERPETUAL","best_bid_price":1.5,"best_bid_amount":2,"best_ask_price":3,"best_ask_amount":4}}}'
  const startUs = Date.UTC(2026, 10, 22) * 1000
  const source = join(folder, 'day.gz')
  const day = Array.from({ length: 12 * 4000 }, (_, n) => {
    const recvUs = startUs + Math.floor(n / 4000) * 3_600_000_000 + (n % 4000) * 700_000
    return tardisText({ recvUs, frame })
  })
  writeFileSync(source, gzipSync(day.join('\n')))
  await importTardis(source, join(folder, 'whole'))
  const data = join(folder, 'killed')
  const notes = join(data, 'state/import/notes.json')
  const child = spawn(process.execPath, [cliMain, 'import', 'tardis', source, '--out', data], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  while (!existsSync(notes) && child.exitCode === null) await new Promise(resolve => setTimeout(resolve, 2))
  child.kill('SIGKILL')
  await ended
  const again = await commandHere(['import', 'tardis', source, '--out', data, '--json'])
  t.equal(again.exitCode, 0, again.stderr)
  t.ok((JSON.parse(again.stdout) as Imported).frames < day.length, 'it did not begin anew')
  // Hosts differ by the identity of their dataDir; contents do not.
  const named = (root: string) =>
    Object.entries(hashes(join(root, 'raw')))
      .filter(([path]) => path.endsWith('.zst'))
      .map(([path, hash]) => [path.replace(/tardis_[a-z0-9]{8}/, 'tardis'), hash])
      .sort()
  t.strictSame(named(data), named(join(folder, 'whole')))
  t.notOk(readdirSync(join(data, 'state/import')).includes('tmp'))
})

t.test('a torn file is told, and what stands before its end is imported', async t => {
  const folder = t.testdir({ data: {} })
  const source = join(folder, 'torn.gz')
  const whole = gzipSync(lines.join('\n'))
  writeFileSync(source, whole.subarray(0, whole.length - 4000))
  const told: EdgeError[] = []
  const { frames, torn } = await importTardis(source, join(folder, 'data'), { onTorn: error => told.push(error) })
  matchAll(
    t,
    told.map(({ message }) => message),
    [/cannot be read to its end/],
  )
  t.equal(torn, 1)
  t.ok(frames > 0 && frames < lines.length)
  writeFileSync(source, whole)
  t.match(await importTardis(source, join(folder, 'data')), { frames: lines.length, torn: 0 })
})

t.test('lines of other programs, by flags', async t => {
  const folder = t.testdir({ data: {}, unknown: {} })
  const source = join(folder, 'lines')
  const foreign = [
    '{"t":1763820000.1234567,"dir":"open","url":"wss://x"}',
    '{"t":1763820000.1234567,"dir":"in","raw":"{\\"jsonrpc\\":\\"2.0\\",\\"method\\":\\"subscription\\",\\"params\\":{\\"channel\\":\\"quote.BTC-PERPETUAL\\",\\"data\\":{\\"timestamp\\":1,\\"instrument_name\\":\\"BTC-PERPETUAL\\",\\"best_bid_price\\":1.50,\\"best_bid_amount\\":2,\\"best_ask_price\\":3,\\"best_ask_amount\\":4}}}"}',
    '',
    '{"t":"x","dir":"in","raw":"{}"}',
    '{"t":1763820001,"dir":"in","raw":"{\\"id\\":1,\\"result\\":12345678901234567890}"}',
  ]
  writeFileSync(source, foreign.join('\n'))
  const flags = ['--time-field', 't', '--time-unit', 's', '--frame-field', 'raw', '--where', 'dir=in', '--json']
  const data = join(folder, 'data')
  const { stdout, stderr } = await commandHere(['import', 'raw', source, '--out', data, ...flags])
  t.match(JSON.parse(stdout || '{}'), { frames: 2, broken: 1, lost: 0 }, stderr)
  const frames = (await importedFrames(data)).filter(({ conn }) => conn !== 'journal')
  t.strictSame(
    frames.map(({ recvUs, conn }) => ({ recvUs, conn })),
    [
      { recvUs: 1763820000123456, conn: 'import' },
      { recvUs: 1763820001000000, conn: 'import' },
    ],
  )
  t.match(frames[0]?.text, '"best_bid_price":1.50,')
  t.equal(frames[1]?.text, '{"id":1,"result":12345678901234567890}')

  // Of an exchange that nobody knows: rows of table frames.
  writeFileSync(source, '{"at":1763820000123,"msg":{"e":"trade","p":1.10}}\n')
  const known = ['--time-field', 'at', '--time-unit', 'ms', '--exchange', 'kraken', '--family', 'spot', '--json']
  const other = await commandHere([
    'import',
    'raw',
    source,
    '--out',
    join(folder, 'unknown'),
    ...known,
    '--frame-field',
    'msg',
  ])
  t.match(JSON.parse(other.stdout || '{}'), { frames: 1 }, other.stderr)
  await compactOnce(join(folder, 'unknown'), { nowMs: () => NOW_MS })
  const rows = await query(
    `SELECT source, frame::VARCHAR AS frame FROM read_parquet('${folder}/unknown/parquet/exchange=kraken/table=frames/**/*.parquet')`,
  )
  t.strictSame(rows, [{ source: 'import', frame: '{"e":"trade","p":1.10}' }])

  const unnamed = await commandHere(['import', 'raw', source, '--out', data, '--time-field', 'at', '--time-unit', 'ms'])
  t.equal(unnamed.exitCode, 2)
  t.match(unnamed.stderr, /--exchange NAME/)
})

t.test('a session that another program captured', async t => {
  const session = join(packageRoot, '../shared/deribit/frames/sessions/cryptofeed-2021-07-22.jsonl')
  if (!existsSync(session)) {
    t.pass('skipped: needs the captured frames at ../shared/deribit/frames')
    return
  }
  const folder = t.testdir({ data: {} })
  const flags = ['--time-field', 't', '--time-unit', 's', '--frame-field', 'raw', '--where', 'dir=in', '--json']
  const { stdout, stderr } = await commandHere(['import', 'raw', session, '--out', join(folder, 'data'), ...flags])
  const taken = readFileSync(session, 'utf8')
    .split('\n')
    .filter(line => line.includes('"dir":"in"')).length
  t.match(JSON.parse(stdout || '{}'), { frames: taken, broken: 0 }, stderr)
})

t.test('times as programs write them', t => {
  t.equal(receiveTimeUs('2026-11-22T14:00:00.1234567Z', 'iso'), 1795356000123456)
  t.equal(receiveTimeUs('2026-11-22T15:00:00+01:00', 'iso'), 1795356000000000)
  t.equal(receiveTimeUs('1795356000.1', 's'), 1795356000100000)
  t.equal(receiveTimeUs('1795356000123', 'ms'), 1795356000123000)
  t.equal(receiveTimeUs('1795356000123456789', 'ns'), 1795356000123456)
  for (const [text, unit] of [
    ['1795356000', 'ms'],
    ['1795356000123', 's'],
    ['2026-11-22T14:00:00', 'iso'],
    ['-5', 'us'],
  ] as const)
    t.equal(receiveTimeUs(text, unit), undefined, `${text} is no time in ${unit}`)
  t.match(tardisLine(Buffer.from('2026-11-22T14:00:00Z [1]')), { kind: 'frame', recvUs: 1795356000000000 })
  const read = jsonLineReader({ timeField: 'a.b', timeUnit: 'us', frameField: 'c', only: undefined })
  t.match(read(Buffer.from('{"c": {"x":[1, 2]} , "a":{"z":1,"b":1795356000123456}}')), {
    recvUs: 1795356000123456,
    frame: Buffer.from('{"x":[1, 2]}'),
  })
  t.end()
})

t.test('files that are not sorted by time are refused by name, and never mixed', async t => {
  const folder = t.testdir({ data: {} })
  const source = join(folder, 'shuffled')
  writeFileSync(source, lines.slice(0, 200).reverse().join('\n'))
  await t.rejects(importTardis(source, join(folder, 'data')), {
    code: 'IMPORT_UNSORTED',
    message: /shuffled goes back/,
  })
})
