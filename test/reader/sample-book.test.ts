import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { doubtsOf } from '../../formats/journal/doubts.js'
import { lastSignOf, openRunsOf } from '../../formats/journal/runs.js'
import { journalEntry } from '../fixtures/journal-entry.js'
import { bookAt, figuresOf, sampleBook, type BookSample, type SampleOptions } from '../../reader/book/sample-book.js'
import { compactOnce } from '../compactor/fixtures/compacted.js'
import { writeRecording } from '../fixtures/made-recording.js'
import { BOOK_CHANNEL, BOOK_NAME, recordBook } from '../fixtures/recorded-book.js'

/** Samples are taken half a ms after a step of the market: what was made then was received. */
const AFTER_STEP_US = 500
const EVERY_MS = 70

async function samplesOf(options: Omit<SampleOptions, 'everyMs'> & { everyMs?: number }): Promise<BookSample[]> {
  const found: BookSample[] = []
  for await (const batch of sampleBook({ everyMs: EVERY_MS, ...options })) found.push(...batch)
  return found
}

/** Comparing as objects takes minutes. */
const textsOf = (samples: readonly BookSample[]) => samples.map(sample => JSON.stringify(sample)).join('\n')
const textOf = ({ bids, asks }: BookSample) => JSON.stringify({ bids, asks })

t.test('at every sampled moment the book is the market’s own, or unknown for a reason', async t => {
  const dataDir = t.testdir()
  const { states, fromUs, toUs, unknown } = recordBook(dataDir)
  const from = Math.ceil(fromUs / 10_000) * 10_000 + AFTER_STEP_US
  const span = { path: dataDir, instrument: BOOK_NAME, from, to: toUs }
  const raw = await samplesOf(span)
  let known = 0
  for (const sample of raw) {
    const outage = unknown.find(({ fromUs, toUs }) => sample.atUs > fromUs && sample.atUs < toUs)
    if (outage) {
      t.equal(sample.state, 'unknown', `at ${sample.atUs - from}`)
      t.match(sample.because, outage.because)
      t.equal(sample.unknownSinceUs, outage.fromUs)
      t.equal(sample.bids.length, 0)
    } else {
      known++
      if (sample.state !== 'known') t.fail(`${sample.state} at ${sample.atUs - from}: ${sample.because ?? ''}`)
      if (textOf(sample) !== states.get((sample.atUs - AFTER_STEP_US) / 1000))
        t.fail(`differs at ${sample.atUs - from}`)
    }
  }
  t.ok(known > 200, `${known} moments compared`)
  t.equal(raw.length, Math.ceil((toUs - from) / (EVERY_MS * 1000)))

  // The segments of the killed run go to Parquet; those of the last are open and stay raw.
  await compactOnce(dataDir)
  t.ok(textsOf(await samplesOf(span)) === textsOf(raw), 'Parquet as far as it goes, raw from there on')
  const middle = { ...span, from: from + 17_010_000, to: from + 18_060_000 }
  const wanted = textsOf(raw.filter(({ atUs }) => atUs >= middle.from && atUs < middle.to))
  for (const source of ['raw', 'parquet'] as const)
    t.equal(textsOf(await samplesOf({ ...middle, source })), wanted, `from the middle on, from ${source}`)
  const at = raw[100]?.atUs ?? 0
  t.equal(textsOf([await bookAt({ path: dataDir, instrument: BOOK_NAME, at })]), textsOf(raw.slice(100, 101)))
  const top = await bookAt({ path: dataDir, instrument: BOOK_NAME, at, top: 3 })
  t.strictSame(top.bids, raw[100]?.bids.slice(0, 3))
  const [bid, ask] = [top.bids[0]?.[0] ?? 0, top.asks[0]?.[0] ?? 0]
  t.match(figuresOf(top), { mid: (bid + ask) / 2, spread: ask - bid })
  const before = { path: dataDir, instrument: BOOK_NAME, at: fromUs - 1_000_000 }
  await t.rejects(bookAt(before), { code: 'BOOK_NOT_RECORDED' })
  t.match(await bookAt({ ...before, channel: BOOK_CHANNEL }), { state: 'unknown', because: 'no snapshot yet' })
  const slower = await samplesOf({ ...span, channel: `book.${BOOK_NAME}.100ms`, everyMs: 1000 })
  t.ok(slower.filter(({ state }) => state === 'known').length > 10)

  const onlyParquet = join(dataDir, 'copy')
  cpSync(join(dataDir, 'parquet'), join(onlyParquet, 'parquet'), { recursive: true })
  const last = (await samplesOf({ ...span, path: onlyParquet })).at(-1)
  t.match(last, { state: 'unknown', because: /nothing was recorded later/ })
  await t.rejects(samplesOf({ ...span, instrument: 'NO-SUCH' }), { code: 'BOOK_NOT_RECORDED' })
  await t.rejects(samplesOf({ ...span, to: from }), { code: 'BOOK_SPAN_INVALID' })
  rmSync(join(dataDir, 'raw'), { recursive: true })
  await t.rejects(samplesOf({ ...span, source: 'raw' }), { code: 'BOOK_NO_DATA' })
})

t.test('crossed books are said to be so', async t => {
  const dataDir = t.testdir()
  const startUs = Date.UTC(2026, 10, 22, 14) * 1000
  const frame = (ms: number, facts: object) => ({
    family: 'book',
    conn: 'd1',
    recvUs: startUs + ms * 1000,
    frame: JSON.stringify({
      method: 'subscription',
      params: { channel: 'book.X-PERPETUAL.raw', data: { timestamp: ms, instrument_name: 'X-PERPETUAL', ...facts } },
    }),
  })
  const levels = (...prices: number[]) => prices.map(price => ['new', price, 1])
  writeRecording(dataDir, [
    frame(0, { type: 'snapshot', change_id: 1, bids: levels(10, 9), asks: levels(11) }),
    frame(10, { type: 'change', prev_change_id: 1, change_id: 2, bids: levels(11), asks: [] }),
    frame(20, { type: 'change', prev_change_id: 2, change_id: 3, bids: [['delete', 11, 0]], asks: [] }),
    frame(40, { type: 'change', prev_change_id: 7, change_id: 8, bids: levels(5), asks: [] }),
    frame(50, { type: 'snapshot', change_id: 9, bids: [], asks: levels(12) }),
    frame(90, { type: 'change', prev_change_id: 9, change_id: 10, bids: levels(1), asks: [] }),
  ])
  const samples = sampleBook({
    path: dataDir,
    instrument: 'X-PERPETUAL',
    from: startUs,
    to: startUs + 100_000,
    everyMs: 10,
  })
  const states: string[] = []
  let step = await samples.next()
  for (; step.done !== true; step = await samples.next()) states.push(...step.value.map(({ state }) => state))
  const known = (count: number) => Array.from({ length: count }, () => 'known')
  t.strictSame(states, ['known', 'crossed', ...known(2), 'unknown', ...known(5)], 'known up to the last frame')
  t.strictSame(step.value, { frames: 6, crossed: 1, breaks: 1, samples: 10, unknown: 1 })
})

t.test('from when on the journal says that books may be stale', async t => {
  let run = 'r0'
  const entry = (recvUs: number, event: string, detail: object = {}, host = 'a') => {
    if (event === 'started') run = `r${recvUs}`
    return journalEntry({ host, run, recvUs }, event, detail)
  }
  const isOfBooks = (family: string) => family === 'book'
  const entries = [
    entry(5, 'connected'),
    entry(10, 'started'),
    entry(10, 'started'),
    entry(11, 'live', { conn: 'd1', channels: 1 }),
    entry(20, 'disconnected', { conn: 'd1', cause: 'silence' }),
    entry(25, 'gap', { conn: 'd1', families: ['trades'], from_us: 15, to_us: 25 }),
    entry(26, 'gap', { conn: 'd1', families: ['trades', 'book'], from_us: 15, to_us: 26 }),
    entry(30, 'lost', { channel: 'book', from_us: 28, to_us: 29 }),
    entry(31, 'lost', { channel: 'quote', from_us: 28, to_us: 29 }),
    entry(40, 'unsubscribed', { conn: 'd2', channels: ['book.X.raw'], reason: 'resync' }),
    entry(41, 'book_break', { conn: 'd2', channel: 'book.X.raw', from_us: 39, to_us: 41 }),
    entry(50, 'stopped', { reason: 'SIGTERM' }),
    entry(60, 'started'),
    entry(60, 'live', { conn: 'd1', channels: 1 }),
    entry(61, 'started', {}, 'b'),
  ]
  const runs = openRunsOf(entries)
  t.strictSame(runs, [
    { exchange: 'deribit', host: 'a', run: 'r0', fromUs: 5, toUs: 10 },
    { exchange: 'deribit', host: 'a', run: 'r60', fromUs: 60, toUs: Infinity },
    { exchange: 'deribit', host: 'b', run: 'r61', fromUs: 61, toUs: Infinity },
  ])
  const signs = runs.map((run, index) => lastSignOf(run, 7 + 100 * index))
  const doubts = doubtsOf(
    [...entries, ...signs].sort((a, b) => a.recvUs - b.recvUs),
    isOfBooks,
  )
  t.strictSame(
    doubts.map(({ sinceUs, host, conn, because }) => [sinceUs, host, conn, because]),
    [
      [7, 'a', undefined, 'the recorder ended without a word'],
      [15, 'a', 'd1', 'gap'],
      [20, 'a', 'd1', 'disconnected: silence'],
      [28, 'a', undefined, 'frames were lost'],
      [39, 'a', 'd2', 'a change was missing'],
      [40, 'a', 'd2', 'unsubscribed: resync'],
      [50, 'a', undefined, 'the recorder was stopped'],
      [107, 'a', undefined, 'nothing was recorded later'],
      [207, 'b', undefined, 'nothing was recorded later'],
    ],
  )
  t.strictSame(doubts[4]?.channels, ['book.X.raw'])

  const takenOver = [
    entry(1, 'started'),
    entry(15, 'disconnected', { conn: 'd1', cause: 'silence' }),
    entry(30, 'disconnected', { conn: 'd1', cause: 'stopping' }),
    entry(31, 'stopped'),
    entry(32, 'disconnected', { conn: 'd1', cause: 'silence' }, 'b'),
    entry(35, 'started', { took_over: true, since_us: 20 }),
    entry(36, 'disconnected', { conn: 'd1', cause: 'silence' }),
  ]
  t.strictSame(
    doubtsOf(takenOver, isOfBooks).map(({ sinceUs, host }) => [sinceUs, host]),
    [
      [15, 'a'],
      [32, 'b'],
      [36, 'a'],
    ],
    'nothing is missing while one recorder takes over from another',
  )
})
