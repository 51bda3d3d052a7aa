import { appendFileSync, existsSync, mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { compress } from 'zstd-napi'
import { LineHeadReader } from '../../formats/line-head.js'
import { readFrameBatches, readFrames, type ReadOptions } from '../../reader/read-frames.js'
import { parseLineHead } from '../../formats/raw-line.js'
import { segmentPath, withState, type SegmentName } from '../../formats/raw-path.js'
import { seal } from '../fixtures/segments.js'
import { matchAll } from '../fixtures/match-all.js'

const HOUR_MS = Date.UTC(2026, 10, 22, 14)
const HOUR_US = HOUR_MS * 1000

function line(recvUs: number, conn: string, seq: number, channel: string): string {
  return `{"recv_us":${recvUs},"conn":"${conn}","seq":${seq},"frame":{"jsonrpc":"2.0","method":"subscription","params":{"channel":"${channel}","data":{"n":${seq},"x":2.0e3}}}}`
}

/** Writes an open segment, a zstd frame for each part. */
function writeSegment(dataDir: string, facts: Partial<SegmentName>, parts: string[][]): string {
  const name = {
    exchange: 'deribit',
    channel: 'quote',
    startedMs: HOUR_MS,
    host: 'vps1',
    run: 'r1',
    number: 1,
    ...facts,
  }
  const path = segmentPath(name, 'open')
  mkdirSync(dirname(join(dataDir, path)), { recursive: true })
  writeFileSync(join(dataDir, path), '')
  for (const lines of parts)
    appendFileSync(
      join(dataDir, path),
      compress(Buffer.from(lines.map(text => `${text}\n`).join('')), { checksumFlag: true }),
    )
  return path
}

async function seqs(options: ReadOptions): Promise<string[]> {
  const found: string[] = []
  for await (const { conn, seq } of readFrames(options)) found.push(`${conn}.${seq}`)
  return found
}

t.test('frames of all segments in the order of receive time', async t => {
  const dataDir = t.testdir()
  const at = (us: number, conn: string, seq: number, channel: string) => line(HOUR_US + us, conn, seq, channel)
  const quotes = [at(10, 'd1', 1, 'quote.A'), at(30, 'd1', 3, 'quote.B'), at(30, 'd1', 4, 'quote.A')]
  seal(dataDir, writeSegment(dataDir, {}, [quotes]))
  const trades = [at(20, 'd1', 2, 'trades.A.raw'), at(30, 'd1', 5, 'trades.A.raw'), at(90, 'backfill', 1, 'x')]
  writeSegment(dataDir, { channel: 'trades', number: 2 }, [trades.slice(0, 2), trades.slice(2)])
  const options = { channel: 'ticker', kind: 'option', currency: 'BTC', host: 'vps2', run: 'r2' }
  writeSegment(dataDir, options, [[at(15, 'd1', 1, 'ticker.C.raw'), at(95, 'd1', 2, 'ticker.C.raw')]])
  const nextDayMs = HOUR_MS + 86_400_000
  const later = `{"recv_us":${nextDayMs * 1000},"conn":"d1","seq":9,"text":"no JSON \\u00e9"}`
  seal(dataDir, writeSegment(dataDir, { startedMs: nextDayMs, number: 7 }, [[later]]))

  const frames = []
  for await (const frame of readFrames({ path: dataDir })) frames.push(frame)
  t.strictSame(
    frames.map(({ recvUs, family, conn, seq }) => [recvUs - HOUR_US, family, conn, seq]),
    [
      [10, 'quote', 'd1', 1],
      [15, 'ticker', 'd1', 1],
      [20, 'trades', 'd1', 2],
      [30, 'quote', 'd1', 3],
      [30, 'quote', 'd1', 4],
      [30, 'trades', 'd1', 5],
      [90, 'trades', 'backfill', 1],
      [95, 'ticker', 'd1', 2],
      [86_400_000_000, 'quote', 'd1', 9],
    ],
  )
  const [first] = frames
  t.equal(first?.text, quotes[0]?.slice(quotes[0].indexOf('"frame":') + 8, -1), 'byte for byte')
  t.match(first?.json(), { params: { data: { n: 1, x: 2000 } } })
  t.equal(first?.channel, 'quote.A')
  t.match(first?.segment, { exchange: 'deribit', host: 'vps1', run: 'r1' })
  t.match(frames[1]?.segment, { kind: 'option', currency: 'BTC', host: 'vps2' })
  t.equal(frames.at(-1)?.text, 'no JSON é')
  t.equal(frames.at(-1)?.channel, undefined)

  const choices: [string, Partial<ReadOptions>, string[]][] = [
    ['a family', { channels: ['trades'] }, ['d1.2', 'd1.5', 'backfill.1']],
    ['a channel', { channels: ['quote.A'] }, ['d1.1', 'd1.4']],
    ['channels', { channels: ['quote.B', 'trades.A'] }, ['d1.2', 'd1.3', 'd1.5']],
    ['not the beginning of a word', { channels: ['quot', 'trades.A.ra'] }, []],
    ['a span', { from: HOUR_US + 20, to: HOUR_US + 90 }, ['d1.2', 'd1.3', 'd1.4', 'd1.5']],
    ['from a time on', { from: '2026-11-23', channels: ['quote'] }, ['d1.9']],
    ['up to a time', { to: new Date(HOUR_MS), channels: ['quote'] }, []],
    ['microseconds', { from: '2026-11-22T14:00:00.000090', to: '2026-11-22T15:00Z' }, ['backfill.1', 'd1.2']],
  ]
  for (const [name, choice, wanted] of choices) t.strictSame(await seqs({ path: dataDir, ...choice }), wanted, name)
  const raw = join(dataDir, 'raw/exchange=deribit/channel=quote')
  t.strictSame(await seqs({ path: raw }), ['d1.1', 'd1.3', 'd1.4', 'd1.9'], 'a folder below')
  const one = join(raw, 'date=2026-11-23')
  t.strictSame(await seqs({ path: one }), ['d1.9'])
  const [file = ''] = readdirSync(one).filter(name => name.endsWith('.zst'))
  t.strictSame(await seqs({ path: join(one, file) }), ['d1.9'], 'a single segment')
  await t.rejects(seqs({ path: join(dataDir, 'nowhere') }), { code: 'READ_NO_RAW', message: /is not there/ })
  await t.rejects(seqs({ path: t.testdirName.slice(0, t.testdirName.lastIndexOf('/')) }), { code: 'READ_NO_RAW' })
  await t.rejects(seqs({ path: dataDir, from: 'soon' }), { code: 'TIME_INVALID' })
})

t.test('heads are read from bytes as from text', async t => {
  const heads = new LineHeadReader()
  const usual = ['d1', 'd1.sent', 'http', 'backfill', 'd1', 'd10', 'd1'].map((conn, n) =>
    line(HOUR_US + 10 ** (n + 3), conn, 7 ** n, 'q'),
  )
  const odd = [
    '{"recv_us":9007199254740991,"conn":"d1","seq":1,"text":"x"}',
    '{"recv_us":1,"conn":"d1","seq":1234567890123456,"base64":"eA=="}',
    '{"recv_us":12345678901234567,"conn":"d1","seq":1,"frame":{}}',
    '{"recv_us":1,"conn":"","seq":1,"frame":{}}',
    `{"recv_us":1,"conn":"${'c'.repeat(33)}","seq":1,"frame":{}}`,
    '{"recv_us":1,"conn":"d/1","seq":1,"frame":{}}',
    '{"recv_us":-1,"conn":"d1","seq":1,"frame":{}}',
    '{"recv_us":1.5,"conn":"d1","seq":1,"frame":{}}',
    '{"recv_us":1,"conn":"d1","seq":,"frame":{}}',
    '{"recv_us":1,"conn":"d1","seq":1,"other":{}}',
    '{"recv_us":1,"conn":"d1","seq":1}',
    '{"reason":"not ours"}',
    '{',
    '',
  ]
  for (const text of [...usual, ...odd]) {
    const block = Buffer.from(`}\n${text}\n{"recv_us":1`)
    const to = 2 + Buffer.byteLength(text)
    const facts = heads.read(block, 2, to)
    const wanted = parseLineHead(text)
    t.strictSame(
      facts && { ...facts, payloadFrom: facts.payloadFrom - 2 },
      wanted && {
        recvUs: wanted.recvUs,
        conn: wanted.conn,
        seq: wanted.seq,
        encoding: wanted.encoding,
        payloadFrom: wanted.headLength,
      },
      text,
    )
  }
})

t.test('an open segment gives what was flushed; a damaged one says so', async t => {
  const dataDir = t.testdir()
  const lines = Array.from({ length: 40 }, (_, n) => line(HOUR_US + n, 'd1', n + 1, 'quote.A'))
  const open = writeSegment(dataDir, {}, [lines.slice(0, 20), lines.slice(20)])
  const file = join(dataDir, open)
  truncateSync(file, compress(Buffer.from(lines.slice(0, 20).join('\n'))).length + 60)
  t.equal((await seqs({ path: dataDir })).length, 20, 'a torn tail is where the writer is')
  rmSync(file)
  const outcome = seal(dataDir, writeSegment(dataDir, {}, [lines]))
  if (outcome.kind !== 'sealed') throw new Error(outcome.kind)
  truncateSync(join(dataDir, outcome.path), outcome.manifest.bytes_compressed - 5)
  await t.rejects(seqs({ path: dataDir }), { code: 'READ_DAMAGED', message: /zstd frame is torn/ })
  const problems: string[] = []
  const options = { path: dataDir, onProblem: (path: string, problem: string) => problems.push(`${path}: ${problem}`) }
  await seqs(options)
  matchAll(t, problems, [/jsonl\.zst: last zstd frame is torn/])
  writeSegment(dataDir, { number: 2 }, [['{"reason":"not ours"}', lines[39] ?? '']])
  problems.length = 0
  t.equal((await seqs(options)).at(-1), 'd1.40', 'the rest goes on')
  matchAll(t, problems.sort(), [/torn/, /holds a line that is none: \{"reason"/])
})

t.test('a segment that is sealed or removed between listing and reading', async t => {
  const dataDir = t.testdir()
  const hours = [0, 1, 2].map(hour => {
    const startedMs = HOUR_MS + hour * 3_600_000
    const lines = Array.from({ length: 2000 }, (_, n) => line(startedMs * 1000 + n, 'd1', n + 1, 'quote.A'))
    return writeSegment(dataDir, { startedMs, number: hour + 1 }, [lines])
  })
  const frames = readFrames({ path: dataDir })
  let count = (await frames.next()).done === true ? 0 : 1
  seal(dataDir, hours[1] ?? '')
  t.ok(existsSync(join(dataDir, withState(hours[1] ?? '', 'sealed'))))
  for await (const frame of frames) if (frame.recvUs > 0) count++
  t.equal(count, 6000, 'sealed in the meantime')
  const again = readFrames({ path: dataDir })
  await again.next()
  rmSync(join(dataDir, hours[2] ?? ''))
  let read = 1
  await t.rejects(
    (async () => {
      for await (const { seq } of again) if (seq > 0) read++
    })(),
    { code: 'READ_DAMAGED', message: /was removed before it was read/ },
  )
  t.ok(read >= 2000, `${read} frames before it`)
})

const openFiles = () => readdirSync('/proc/self/fd').length

t.test('memory and files do not grow with the recording, and the reader sets the pace', async t => {
  const dataDir = t.testdir()
  const pad = 'x'.repeat(300)
  for (let hour = 0; hour < 30; hour++) {
    const startedMs = HOUR_MS + hour * 3_600_000
    const lines = Array.from({ length: 3000 }, (_, n) => line(startedMs * 1000 + n, 'd1', n + 1, `quote.${pad}`))
    writeSegment(dataDir, { startedMs, number: hour + 1 }, [lines])
  }
  const before = openFiles()
  let most = 0
  let frames = 0
  let longest = 0
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  for await (const batch of readFrameBatches({ path: dataDir })) {
    most = Math.max(most, openFiles() - before)
    frames += batch.length
    longest = Math.max(longest, batch.length)
  }
  clearInterval(timer)
  t.equal(frames, 90_000)
  t.ok(longest <= 1024, `${longest} frames in a batch`)
  t.ok(most <= 2, `${most} files open at once`)
  t.ok(turns > 0, 'timers run meanwhile')
  let seen = 0
  for await (const frame of readFrames({ path: dataDir })) {
    seen++
    t.ok(openFiles() > before, `open while reading frame ${frame.seq}`)
    break
  }
  t.equal(seen, 1)
  t.equal(openFiles(), before, 'whoever stops leaves nothing open')
  let silent = 0
  const idle = setInterval(() => silent++, 1)
  t.strictSame(await seqs({ path: dataDir, channels: ['quote.none'] }), [])
  clearInterval(idle)
  t.ok(silent > 0, 'timers run, too, where nothing is found')
})
