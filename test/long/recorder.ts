/**
 * An hour of a simulated market in fast time: a thousand instruments, new listings and expiries, lost connections, dropped
 * frames of books and trades. After compaction every trade is there once, every break of a book is in the journal, and
 * books put together from Parquet are the market's own.
 */
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { bookAt } from '../../reader/book/sample-book.js'
import { compactOnce, query } from '../compactor/fixtures/compacted.js'
import { breaksIn, isHealed } from '../fixtures/book-breaks.js'
import { MarketWitness, type SeenBook } from '../fixtures/market-witness.js'
import {
  rawFiles,
  recordedLines,
  startRecorder,
  statusOf,
  until,
  type RecorderProcess,
} from '../fixtures/recorder-process.js'
import { startSimulator } from '../../exchanges/deribit/simulator/main.js'
import type { Fault, Simulator } from '../../simulator/main.js'

/** Simulated time per real time: the hour takes this part of one. */
const SPEED = Number(process.env['EDGETAPE_SPEED'] ?? 15)
const HOUR_MS = 3_600_000
const DISCONNECTIONS = 20
const BOOK_DROPS = 50
const TRADE_DROPS = 200
const MOMENTS = 300
const MOMENTS_COMPARED_MIN = 100
/** Comparison with the exchange's list, and the calls for what is missing. */
const SETTLE_MS = 30_000
const CURRENCIES = ['BTC', 'ETH']

t.setTimeout(10 * 60_000)

/** Mostly one connection at a time, as in life; twice all of them. */
const endOf = (nth: number): Fault => {
  if (nth % 10 === 9) return { type: 'maintenance', forMs: 300 }
  const code = [undefined, 1000, 4000][nth % 3]
  return { type: 'close', oldest: true, ...(code !== undefined && { code, reason: 'for the test' }) }
}

const isLive = (recorder: RecorderProcess) => {
  const connections = (statusOf(recorder)['connections'] ?? []) as { state: string }[]
  return connections.length > 0 && connections.every(({ state }) => state === 'live')
}

/** Orders all faults, evenly over the hour, and looks at books on the way. */
async function hourOfFaults(exchange: Simulator, witness: MarketWitness): Promise<void> {
  const { faults, market } = exchange
  const startMs = market.nowMs
  const endMs = startMs + HOUR_MS
  const done = { ends: 0, books: 0, trades: 0, moments: 0, expired: 0 }
  while (market.nowMs < endMs) {
    await delay(25)
    const share = (market.nowMs - startMs) / HOUR_MS
    witness.keepTrades()
    if (done.moments < share * MOMENTS) {
      witness.look(done.moments)
      done.moments++
    }
    // The last of the hour is left to be found in.
    const due = Math.min(1, share / 0.9)
    for (; done.books < Math.floor(due * BOOK_DROPS); done.books++) faults.inject({ type: 'drop', channel: 'book.*' })
    for (; done.trades < Math.floor(due * TRADE_DROPS); done.trades++)
      faults.inject({ type: 'drop', channel: 'trades.*' })
    for (; done.ends < Math.floor(due * DISCONNECTIONS); done.ends++) faults.inject(endOf(done.ends))
    for (; done.expired < Math.floor(due * 10); done.expired++) {
      const option = [...market.listings.values()].find(({ instrument }) => instrument.kind === 'option')
      if (option) market.expire(option.name)
    }
  }
}

t.test('an hour of a market, and nothing missing that the journal does not name', async t => {
  const folder = t.testdir({})
  const startMs = Date.UTC(2026, 10, 23, 7, 30)
  const exchange = await startSimulator({
    ...{ startMs, speed: SPEED, rate: 400, instruments: 1000, newInstrumentEveryMs: 60_000 },
  })
  t.teardown(() => exchange.close())
  const families = ['trades', 'quote', 'book']
  const recorder = startRecorder(t, folder, {
    url: exchange.url,
    currencies: CURRENCIES,
    channelsPerConnection: 400,
    channels: { perpetual: families, future: families, option: families, spot: families, combo: families, index: [] },
    backfill: { compareSeconds: 5 },
  })
  const witness = new MarketWitness(exchange.market, CURRENCIES)
  await until('all is subscribed', () => isLive(recorder), 120_000)
  const fromMs = exchange.market.nowMs
  const listed = new Set(exchange.market.listings.keys())
  t.ok(listed.size >= 1000, `${listed.size} instruments at the start`)
  await hourOfFaults(exchange, witness)
  const toMs = exchange.market.nowMs
  const wasListed = [...exchange.market.listings.keys()].filter(name => !listed.has(name)).length
  const wasExpired = [...listed].filter(name => !exchange.market.listings.has(name)).length
  t.ok(wasListed > 20 && wasExpired > 10, `${wasListed} listed, ${wasExpired} expired`)
  for (const waited = performance.now(); performance.now() - waited < SETTLE_MS;) {
    witness.keepTrades()
    await delay(100)
  }
  recorder.process.kill('SIGTERM')
  t.equal((await recorder.process).exitCode, 0)
  witness.keepTrades()
  const { struck } = exchange.faults
  t.comment(`struck: ${JSON.stringify(struck)}; ${exchange.framesMade()} frames made`)
  t.equal((struck['close'] ?? 0) + (struck['maintenance'] ?? 0), DISCONNECTIONS)
  t.equal(struck['drop'], BOOK_DROPS + TRADE_DROPS)
  await exchange.close()

  const { dataDir } = recorder
  await sealed(t, folder, dataDir, exchange.url)
  const lines = recordedLines(dataDir)
  const counts: Record<string, number> = {}
  for (const { family } of lines) counts[family] = (counts[family] ?? 0) + 1
  t.comment(`lines: ${JSON.stringify(counts)}`)
  const { breaks, journal } = breaksIn(lines)
  const unhealed = breaks.filter(each => !isHealed(each, journal))
  t.comment(`${breaks.length} broken books of ${lines.length} lines`)
  t.ok(breaks.length >= BOOK_DROPS / 2, 'most dropped frames show; others hide behind a disconnection')
  t.same(unhealed, [], 'every break is in the journal and healed')

  const compacted = performance.now()
  await compactOnce(dataDir, { nowMs: () => Date.now() })
  t.comment(`compacted in ${Math.round((performance.now() - compacted) / 1000)} s`)
  await t.test('trades', async t => {
    const files = `${dataDir}/parquet/exchange=deribit/table=trades/**/*.parquet`
    const rows = await query(`SELECT instrument_name AS name, trade_seq AS seq, count(*)::INT AS copies,
      bool_or(source = 'backfill') AS fetched FROM read_parquet('${files}', hive_partitioning = false) GROUP BY ALL`)
    const copies = new Map(rows.map(({ name, seq, copies }) => [`${String(name)} ${String(seq)}`, Number(copies)]))
    const wanted = [...witness.trades].filter(([, ms]) => ms > fromMs && ms < toMs).map(([trade]) => trade)
    t.ok(wanted.length > 1000, `${wanted.length} trades were made, ${copies.size} recorded`)
    t.comment(`${rows.filter(({ fetched }) => fetched === true).length} of ${copies.size} trades were fetched later`)
    t.same(
      wanted.filter(trade => !copies.has(trade)),
      [],
      'every trade is there',
    )
    t.same(
      [...copies].filter(([, count]) => count !== 1),
      [],
      'once',
    )
    t.same(
      [...copies.keys()].filter(trade => !witness.trades.has(trade)),
      [],
      'and no other',
    )
  })
  await t.test('books', async t => {
    const { equal, unknown, different } = await compareBooks(dataDir, witness.books, witness.framesOf(lines))
    t.comment(`${equal} books equal, ${unknown} unknown at the moment looked at`)
    t.same(different, [])
    t.ok(equal >= MOMENTS_COMPARED_MIN)
  })
})

/** What could not be sealed in the short time that a recorder has at its end is sealed by the next one. */
async function sealed(t: Test, folder: string, dataDir: string, url: string): Promise<void> {
  const left = rawFiles(dataDir).filter(path => path.endsWith('.open'))
  if (left.length === 0) return
  const next = startRecorder(t, folder, { url })
  await until('what was left open is sealed', () => left.every(path => !rawFiles(dataDir).includes(path)))
  next.process.kill('SIGTERM')
  await next.process
}

async function compareBooks(dataDir: string, books: readonly SeenBook[], receivedUs: ReadonlyMap<string, number>) {
  const found = { equal: 0, unknown: 0, different: [] as string[] }
  for (const { instrument, changeId, text } of books) {
    const at = receivedUs.get(`${instrument} ${changeId}`)
    // Its frame was dropped, or nobody was connected.
    if (at === undefined) {
      found.unknown++
      continue
    }
    const { state, bids, asks } = await bookAt({ path: dataDir, source: 'parquet', instrument, at })
    if (state === 'unknown') found.unknown++
    else if (JSON.stringify({ bids, asks }) === text) found.equal++
    else found.different.push(`${instrument} ${changeId}`)
  }
  return found
}
