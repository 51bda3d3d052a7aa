/** Books of all levels: the socket brings changes alone, and what they begin with is asked for over HTTP. */
import { setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { changeIdsIn } from '../../../exchanges/bybit/full-book-frames.js'
import { FullBookAnswers, FullBooks } from '../../../exchanges/bybit/full-books.js'
import type { BybitHttp } from '../../../exchanges/bybit/http.js'
import { replay, startSimulator } from '../../../exchanges/bybit/simulator/main.js'
import type { PlayedRecording } from '../../../simulator/replay.js'
import type { Recording, SessionLink } from '../../../exchanges/adapter.js'
import { createLogger } from '../../../platform/log.js'
import { bookAt, type BookSample } from '../../../reader/book/sample-book.js'
import { compactOnce, filesBelow, query } from '../../compactor/fixtures/compacted.js'
import { matchAll } from '../../fixtures/match-all.js'
import { writeRecording, type MadeFrame } from '../../fixtures/made-recording.js'
import { framesTaken, recordedLines, startRecorder, until } from '../../fixtures/recorder-process.js'
import { sealLeft } from '../../fixtures/segments.js'

// Mostly waits.

const T0 = Date.UTC(2026, 10, 22, 14)
const FAMILY = 'book_full.spot'
const CHANNEL = 'spot.orderbook.full.BTCUSDT'

type Levels = Map<number, number>

/** A book that changes by chance, and what the exchange sends of it: put together in the simplest way. */
class Market {
  readonly book = { b: new Map<number, number>(), a: new Map<number, number>() }
  /** Texts of the book after each change. */
  readonly states = new Map<number, string>()
  u = 1000
  #state = 7

  constructor() {
    for (let step = 0; step < 40; step++) this.#set(step % 2 === 0 ? 'b' : 'a', step)
    this.states.set(this.u, this.text())
  }

  #chance(below: number): number {
    this.#state = (this.#state * 1103515245 + 12345) & 0x7fffffff
    return this.#state % below
  }

  #set(side: 'b' | 'a', by: number): [string, string] {
    const price = side === 'b' ? 100 - (by % 50) : 101 + (by % 50)
    const size = this.#chance(4)
    if (size === 0) this.book[side].delete(price)
    else this.book[side].set(price, size)
    return [String(price), String(size)]
  }

  change(u = this.u + 1): string {
    this.u = u
    const side = this.#chance(2) === 0 ? 'b' : 'a'
    const levels = { b: [] as string[][], a: [] as string[][] }
    for (let n = 0; n < 5; n++) levels[side].push(this.#set(side, this.#chance(50)))
    this.states.set(u, this.text())
    const data = { s: 'BTCUSDT', ...levels, u, seq: u * 3 }
    return JSON.stringify({ topic: 'orderbook.full.BTCUSDT', ts: T0 + u, type: 'delta', data, cts: T0 + u })
  }

  answer(): string {
    const list = (side: Levels) => [...side].map(level => level.map(String))
    const { u, book } = this
    const result = { s: 'BTCUSDT', b: list(book.b), a: list(book.a), ts: T0 + u, u, seq: u * 3, cts: T0 + u }
    return JSON.stringify({ retCode: 0, retMsg: 'OK', result, retExtInfo: {}, time: T0 + u })
  }

  text(): string {
    return JSON.stringify([[...this.book.b].sort(([p], [q]) => q - p), [...this.book.a].sort(([p], [q]) => p - q)])
  }
}

const textOf = ({ bids, asks }: BookSample) => JSON.stringify([bids, asks])

t.test('the answer may come behind changes that follow it, and stands before them', { timeout: 120_000 }, async t => {
  const market = new Market()
  const frames: MadeFrame[] = []
  let us = T0 * 1000
  const came = (frame: string, conn = 'd1', family = FAMILY) => {
    frames.push({ family, conn, recvUs: us, frame })
    us += 1000
  }
  const moments: { at: number; u: number | undefined }[] = []
  const look = (u: number | undefined) => {
    moments.push({ at: us, u })
    us += 1000
  }
  const changes = (count: number) => {
    for (let n = 0; n < count; n++, us += 200_000) came(market.change())
  }
  const journal = (event: string, facts: object) => came(JSON.stringify({ event, ...facts }), 'journal', 'journal')
  journal('started', { host: 'vps1', run: 'r1' })
  changes(3)
  const first = market.answer()
  changes(4)
  look(undefined)
  came(first, 'd1.http')
  look(market.u)
  changes(5)
  look(market.u)
  // One is asked for each day: it is older than what is known by then.
  const daily = market.answer()
  changes(2)
  came(daily, 'd1.http')
  look(market.u)
  changes(3)
  look(market.u)
  // A change is lost.
  market.change()
  changes(2)
  look(undefined)
  const healing = market.answer()
  changes(2)
  came(healing, 'd1.http')
  look(market.u)
  // The exchange begins anew.
  us += 1000
  came(market.change(1))
  look(undefined)
  changes(2)
  look(undefined)
  came(market.answer(), 'd1.http')
  look(market.u)
  changes(2)
  look(market.u)
  us += 100_000
  journal('disconnected', { conn: 'd1', session: 1, code: 1006, cause: 'closed' })
  us += 1000
  look(undefined)
  const dataDir = t.testdir()
  writeRecording(dataDir, frames, { exchange: 'bybit' })
  const compare = async (source: 'raw' | 'parquet') => {
    for (const { at, u } of moments) {
      const sample = await bookAt({ path: dataDir, instrument: 'spot.BTCUSDT', at, source })
      const what = `${source} ${(at - T0 * 1000) / 1e6} s`
      if (u === undefined) t.equal(sample.state, 'unknown', what)
      else {
        t.match(sample, { channel: CHANNEL, changeId: u }, what)
        t.equal(textOf(sample), market.states.get(u), what)
      }
    }
  }
  await compare('raw')
  t.match(await compactOnce(dataDir), { failed: 0, quarantined: 0 })
  await compare('parquet')
  const [odd] = await query(`SELECT count(extra) AS extra, count(*) FILTER ("type" = 'snapshot') > 0 AS snapshots,
    count(DISTINCT channel) AS channels, count(depth) AS depths, count(DISTINCT category) AS categories
    FROM read_parquet('${dataDir}/parquet/exchange=bybit/table=book/**/*.parquet')`)
  t.match(odd, { extra: 0n, snapshots: true, channels: 1n, depths: 0n, categories: 1n })
})

t.test('a break told of a pair was no doubt: its book was shown as it stood before', { timeout: 120_000 }, async t => {
  const [fromUs, toUs] = [T0 * 1000 + 1_000_000, T0 * 1000 + 3_000_000]
  const frame = (type: string, u: number) =>
    JSON.stringify({
      ...{ topic: 'orderbook.50.BTCUSDT', ts: T0, type },
      ...{ data: { s: 'BTCUSDT', b: [['100', '1']], a: [['101', '1']], u, seq: u }, cts: T0 },
    })
  const told = { conn: 'd1', channel: 'spot.orderbook.50.BTCUSDT', family: 'book.spot', instrument: 'BTCUSDT' }
  const ids = { last_change_id: 6, prev_change_id: 8, change_id: 9 }
  const broken = JSON.stringify({ event: 'book_break', ...told, ...ids, from_us: fromUs, to_us: toUs })
  const dataDir = t.testdir()
  writeRecording(
    dataDir,
    [
      ...[JSON.stringify({ event: 'started', host: 'vps1', run: 'r1' })].map(frame => ({
        ...{ family: 'journal', conn: 'journal', recvUs: fromUs - 10, frame },
      })),
      { family: 'book.spot', conn: 'd1', recvUs: fromUs - 5, frame: frame('snapshot', 5) },
      { family: 'book.spot', conn: 'd1', recvUs: fromUs, frame: frame('delta', 6) },
      { family: 'book.spot', conn: 'd1', recvUs: toUs, frame: frame('delta', 9) },
      { family: 'journal', conn: 'journal', recvUs: toUs + 5, frame: broken },
    ],
    { exchange: 'bybit' },
  )
  const book = (at: number) => bookAt({ path: dataDir, instrument: 'spot.BTCUSDT', at })
  t.equal((await book(fromUs)).state, 'known')
  t.equal((await book(fromUs + 1_000_000)).state, 'unknown')
})

interface Told {
  event: string
  [fact: string]: unknown
}

/** A connection with such books, and an exchange that answers with these numbers. */
function connection(t: Test, answers: (number | Error)[]) {
  const journal: Told[] = []
  const taken: number[] = []
  const resubscribed: string[][] = []
  const nowUs = () => T0 * 1000 + Math.round(performance.now() * 1000)
  const link = {
    conn: 'd1',
    nowUs,
    journal: (event: string, facts: object) => void journal.push({ event, ...facts }),
  } as unknown as SessionLink
  const http: Pick<BybitHttp, 'get'> = {
    get: async () => {
      await turn()
      const u = answers.shift() ?? new Error('no answer')
      if (u instanceof Error) throw u
      const result = { s: 'BTCUSDT', b: [], a: [], u }
      return { bytes: Buffer.from(JSON.stringify({ retCode: 0, result })), result }
    },
  }
  const log = createLogger('test')
  const asked = new FullBookAnswers(http, log)
  const recording = {
    nowUs,
    take: (_conn: string, _family: string, frame: Buffer) =>
      void taken.push((JSON.parse(frame.toString()) as { result: { u: number } }).result.u),
  } as unknown as Recording
  const stop = new AbortController()
  void asked.run(recording, stop.signal)
  const books: FullBooks = new FullBooks({
    ...{ link, log, family: FAMILY, answers: asked },
    resubscribe: async (channels, ended) => {
      resubscribed.push([...channels])
      books.ended(channels)
      ended(channels)
      books.began(channels)
    },
  })
  t.teardown(() => {
    books.close([])
    stop.abort()
  })
  const change = (u: number) => {
    const frame = `{"topic":"orderbook.full.BTCUSDT","ts":1,"type":"delta","data":{"s":"BTCUSDT","b":[],"a":[],"u":${u},"seq":1},"cts":1}`
    const ids = changeIdsIn(Buffer.from(frame))
    if (ids) books.see(CHANNEL, ids, nowUs())
  }
  return { books, change, journal, taken, resubscribed }
}

t.test('an answer that is older than the changes is asked for again, and one of before they began anew', async t => {
  const { books, change, taken, journal } = connection(t, [3, 9999, 7])
  for (const u of [5, 6, 7, 8]) change(u)
  books.began([CHANNEL])
  for (const u of [5, 6, 7, 8]) change(u)
  await until('one fits', () => taken.length > 0)
  t.same(taken, [7])
  change(9)
  t.same(journal, [], 'the chain goes on from the last change that came')
})

t.test('a change that is missing, and a number that begins anew, are told, and the book is begun anew', async t => {
  const { books, change, taken, journal, resubscribed } = connection(t, [5, 9, 2])
  books.began([CHANNEL])
  await until('asked', () => taken.length === 1)
  change(6)
  change(9)
  matchAll(t, journal, [{ event: 'book_break', channel: CHANNEL, last_change_id: 6, change_id: 9, family: FAMILY }])
  await until('begun anew', () => taken.length === 2)
  t.match(journal[1], { event: 'resync', channel: CHANNEL, change_id: 9 })
  change(1)
  t.match(journal[2], { event: 'book_break', channel: CHANNEL, last_change_id: 9, change_id: 1 })
  change(2)
  await until('begun anew', () => taken.length === 3)
  t.match(journal[3], { event: 'resync', channel: CHANNEL, change_id: 2 })
  t.equal(resubscribed.length, 2)
})

t.test('a replay tells the book of now where it is asked, and changes alone on the socket', async t => {
  const book = { changeId: 7, exchangeMs: T0, bids: [[100, 1]], asks: [[101, 2]] }
  const asked: string[] = []
  const recording = {
    clock: { nowMs: () => T0 },
    book: (channel: string) => Promise.resolve(asked.push(channel) === 1 ? book : undefined),
  } as unknown as PlayedRecording
  const ask = async () => {
    const query = { category: 'spot', symbol: 'BTCUSDT' }
    const request = { method: 'GET', path: 'market/full_orderbook', query, body: Buffer.alloc(0), ip: '127.0.0.1' }
    return JSON.parse((await replay.serve(recording).answerHttp(request)).text) as object
  }
  const { result } = (await ask()) as { result?: object }
  t.same(result, { s: 'BTCUSDT', b: [['100', '1']], a: [['101', '2']], u: 7, seq: 0, ts: T0, cts: T0 })
  t.match(await ask(), { retCode: 10016 }, 'it is asked for again')
  t.same(asked, [CHANNEL, CHANNEL])
  t.notOk(replay.isBook(CHANNEL))
})

t.test('recorded from the simulator, a pair has all levels, and heals', { timeout: 180_000 }, async t => {
  const exchange = await startSimulator({ rate: 150, instruments: 0 })
  t.teardown(() => exchange.close())
  const none = { perpetual: [], future: [], option: [] }
  const recorder = startRecorder(t, t.testdir({}), {
    ...{ name: 'bybit', url: exchange.url, instruments: ['BTCUSDT'], polls: { callsPerSecond: 50 } },
    channels: { ...none, spot: ['book_full', 'book'] },
  })
  const { dataDir } = recorder
  await until('it comes', () => framesTaken(recorder, FAMILY) > 30)
  for (const type of ['drop', 'begin_anew'] as const) {
    exchange.faults.inject({ type, channel: CHANNEL })
    await until(`${type} struck`, () => exchange.faults.struck[type] === 1)
    const before = framesTaken(recorder, FAMILY)
    await until('it goes on', () => framesTaken(recorder, FAMILY) > before + 30)
  }
  recorder.process.kill()
  t.equal((await recorder.process).exitCode, 0)
  sealLeft(dataDir)
  const lines = recordedLines(dataDir)
  const told = lines
    .filter(({ family }) => family === 'journal')
    .map(({ frame }) => JSON.parse(frame.toString()) as Told)
    .filter(({ event }) => event === 'book_break' || event === 'resync')
  t.same(
    told.map(({ event, channel }) => [event, channel]),
    ['book_break', 'resync', 'book_break', 'resync'].map(event => [event, CHANNEL]),
  )
  // The last answer, and each change behind it.
  const own = lines.filter(({ family }) => family === FAMILY)
  type Frame = { data?: Book; result?: Book }
  type Book = { u: number; b: [string, string][]; a: [string, string][] }
  const frames = own.map(({ frame, recvUs }) => ({ recvUs, ...(JSON.parse(frame.toString()) as Frame) }))
  const answer = frames.findLast(({ result }) => result !== undefined)?.result
  const simple = { b: new Map<number, number>(), a: new Map<number, number>() }
  let u = answer?.u ?? 0
  const set = (book: Book | undefined) => {
    for (const side of ['b', 'a'] as const)
      for (const [price, size] of book?.[side] ?? [])
        if (Number(size) === 0) simple[side].delete(Number(price))
        else simple[side].set(Number(price), Number(size))
  }
  set(answer)
  for (const { data } of frames) {
    if (data?.u !== u + 1) continue
    set(data)
    u++
  }
  const expected = JSON.stringify([[...simple.b].sort(([p], [q]) => q - p), [...simple.a].sort(([p], [q]) => p - q)])
  const at = frames.at(-1)?.recvUs ?? 0
  const compare = async (source: 'raw' | 'parquet') => {
    const sample = await bookAt({ path: dataDir, instrument: 'spot.BTCUSDT', at, source })
    t.match(sample, { channel: CHANNEL, changeId: u, state: 'known' }, source)
    t.equal(textOf(sample), expected, source)
  }
  await compare('raw')
  t.match(await compactOnce(dataDir), { failed: 0 })
  t.same(filesBelow(`${dataDir}/quarantine`), [])
  await compare('parquet')
})
