import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { partitionOfInstrument } from '../../../exchanges/deribit/names.js'
import { startSimulator } from '../../../exchanges/deribit/simulator/main.js'
import type { Simulator } from '../../../simulator/main.js'
import { journalText, linesSoFar } from '../../fixtures/kill-rounds.js'
import { startRecorder, statusOf, until, type RecorderProcess } from '../../fixtures/recorder-process.js'

t.jobs = 3
t.setTimeout(200_000)

/** A comparison, the wait for late trades, and the calls take what the machine and the exchange's credits allow. */
const FILLED_WITHIN_MS = 120_000

interface Entry {
  event: string
  instrument?: string
  from_seq: number
  to_seq: number
  from_us: number
  to_us: number
  trades?: number
  outcome?: string
  cause?: string
  message?: string
}

interface Row {
  instrument_name: string
  trade_seq: number
  timestamp: number
}

const channels = {
  perpetual: ['trades'],
  future: ['trades'],
  option: ['trades'],
  spot: ['trades'],
  combo: ['trades'],
  index: [],
}
const config = (exchange: Simulator, over: object = {}) => ({
  url: exchange.url,
  currencies: ['BTC'],
  channels,
  backfill: { compareSeconds: 2 },
  ...over,
})

const isLive = (recorder: RecorderProcess, sessions = 1) => {
  const connections = (statusOf(recorder)['connections'] ?? []) as { state: string; sessions: number }[]
  return connections.length > 0 && connections.every(each => each.state === 'live' && each.sessions >= sessions)
}

const tradesOf = (exchange: Simulator) => exchange.market.tradesOf('BTC')

/** Waits until so many further trades were made. */
async function moreTrades(exchange: Simulator, count: number): Promise<void> {
  const made = tradesOf(exchange).length
  await until('trades', () => tradesOf(exchange).length >= made + count)
}

async function stop(recorder: RecorderProcess): Promise<void> {
  recorder.process.kill('SIGTERM')
  await recorder.process
}

/** What is in the files so far, sealed or not. */
function recorded(dataDir: string) {
  const journal = linesSoFar(dataDir, 'journal').map(({ frame }) => JSON.parse(frame.toString('utf8')) as Entry)
  const rows = linesSoFar(dataDir, 'trades').flatMap(({ conn, frame }) => {
    const message = JSON.parse(frame.toString('utf8')) as { params?: { data: Row[] }; result?: { trades: Row[] } }
    return (message.params?.data ?? message.result?.trades ?? []).map(row => ({ ...row, conn }))
  })
  return { journal, rows }
}

/**
 * Waits for `isEnough`, and then until what was found missing by then is no longer being asked for.
 * @returns those holes: on a slow machine further ones are found at any time, and a stop leaves them open
 */
async function untilFilled(
  { dataDir }: RecorderProcess,
  isEnough: (rows: readonly Row[]) => boolean,
): Promise<readonly Entry[]> {
  const deadline = performance.now() + FILLED_WITHIN_MS
  let holes: readonly Entry[] | undefined
  const isDone = () => {
    const { journal, rows } = recorded(dataDir)
    if (isEnough(rows)) holes ??= journal.filter(({ event }) => event === 'trade_hole')
    const fills = journal.filter(({ event, outcome }) => event === 'backfill' && outcome === 'filled')
    return holes?.every(hole => fills.some(fill => covers(fill, hole))) === true
  }
  // What fails to come is shown by what the test compares.
  while (!isDone() && performance.now() < deadline) await delay(500)
  return holes ?? []
}

const covers = (fill: Entry, hole: Entry) =>
  fill.instrument === hole.instrument && fill.from_seq <= hole.from_seq && fill.to_seq >= hole.to_seq

/** Every trade of each instrument from the first to the last that was recorded is there. */
function missing(rows: readonly Row[]): string[] {
  const seqs = new Map<string, Set<number>>()
  for (const { instrument_name, trade_seq } of rows) {
    const known = seqs.get(instrument_name) ?? new Set()
    seqs.set(instrument_name, known.add(trade_seq))
  }
  return [...seqs].flatMap(([instrument, known]) => {
    const first = Math.min(...known)
    const last = Math.max(...known)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
      .filter(seq => !known.has(seq))
      .map(seq => `${instrument} ${seq}`)
  })
}

/** What the market made between two moments and the recorder has not. */
function lost(exchange: Simulator, rows: readonly Row[], fromMs: number, toMs: number): string[] {
  const have = new Set(rows.map(({ instrument_name, trade_seq }) => `${instrument_name} ${trade_seq}`))
  return tradesOf(exchange)
    .filter(({ timestampMs }) => timestampMs > fromMs && timestampMs < toMs)
    .map(({ instrumentName, tradeSeq }) => `${instrumentName} ${tradeSeq}`)
    .filter(trade => !have.has(trade))
}

t.test('dropped trades, trades of a disconnection and of a restart are fetched', async t => {
  const exchange = await startSimulator({ rate: 1500, instruments: 30, newInstrumentEveryMs: 4000 })
  t.teardown(() => exchange.close())
  const folder = t.testdir({})
  const recorder = startRecorder(t, folder, config(exchange))
  await until('the first session', () => isLive(recorder))
  await moreTrades(exchange, 30)
  const startMs = exchange.market.nowMs

  exchange.faults.inject({ type: 'drop', channel: 'trades.*', times: 10 })
  await until('frames dropped', () => exchange.faults.struck['drop'] === 10)
  await moreTrades(exchange, 50)

  exchange.faults.inject({ type: 'maintenance', forMs: 1500 })
  await until('the second session', () => isLive(recorder, 2), 60_000)
  await moreTrades(exchange, 100)
  recorder.process.kill('SIGKILL')
  await recorder.process

  await moreTrades(exchange, 150)
  const again = startRecorder(t, folder, config(exchange))
  await until('the second run', () => isLive(again), 60_000)
  const backMs = exchange.market.nowMs
  // What is made later is found missing, and asked for, as long as the test looks.
  const madeByThen = (rows: readonly Row[]) => rows.filter(({ timestamp }) => timestamp <= backMs)
  const isAllHere = (rows: readonly Row[]) =>
    lost(exchange, rows, startMs, backMs).length === 0 && missing(madeByThen(rows)).length === 0
  const holes = await untilFilled(again, isAllHere)
  await stop(again)

  const { journal, rows } = recorded(again.dataDir)
  t.same(lost(exchange, rows, startMs, backMs), [], 'every trade since the first session is recorded')
  t.same(missing(madeByThen(rows)), [])
  t.ok(rows.some(({ conn }) => conn === 'backfill'))
  const fills = journal.filter(({ event }) => event === 'backfill')
  t.ok(holes.some(({ cause }) => cause === 'a later trade came'))
  t.ok(holes.some(({ cause }) => cause === 'the recorder was off'))
  for (const hole of holes) {
    // One that was asked for when the recorder was killed is found again, with what came to it meanwhile.
    const fill = fills.find(each => covers(each, hole))
    t.ok(fill, `filled: ${JSON.stringify(hole)}`)
    t.match(fill, { trades: (fill?.to_seq ?? NaN) - (fill?.from_seq ?? NaN) + 1, outcome: 'filled' })
    t.ok(hole.from_us > 0 && hole.from_us <= hole.to_us)
  }
  // Of combos an answer has the trades of all of a kind, so that some come twice.
  const isCombo = (name = '') => partitionOfInstrument(name).kind.endsWith('_combo')
  const brought = rows.filter(({ conn, instrument_name }) => conn === 'backfill' && !isCombo(instrument_name)).length
  t.equal(
    brought,
    fills.reduce((sum, { instrument, trades = 0 }) => sum + (isCombo(instrument) ? 0 : trades), 0),
  )
})

t.test('two connections: trades that one lost and the other brought are no holes', async t => {
  const exchange = await startSimulator({ rate: 1500, instruments: 10 })
  t.teardown(() => exchange.close())
  const recorder = startRecorder(t, t.testdir({}), config(exchange, { redundancy: 2 }))
  await until('both sessions', () => isLive(recorder))
  await moreTrades(exchange, 20)
  // An odd number: of the two copies of a frame one is lost each time but the last.
  for (let drop = 1; drop <= 5; drop++) {
    exchange.faults.inject({ type: 'drop', channel: 'trades.*' })
    await until('a copy dropped', () => exchange.faults.struck['drop'] === drop)
    await moreTrades(exchange, 5)
  }
  exchange.faults.inject({ type: 'delay', channel: 'trades.*', delayMs: 700, times: 3 })
  await moreTrades(exchange, 30)
  await new Promise(resolve => setTimeout(resolve, 4000))
  await stop(recorder)
  const { journal, rows } = recorded(recorder.dataDir)
  t.same(missing(rows), [])
  t.same(
    journal.filter(({ event }) => event === 'trade_hole'),
    [],
  )
})

t.test('trades that the exchange does not have any more are said to be lost', async t => {
  const exchange = await startSimulator({ rate: 1500, instruments: 10 })
  t.teardown(() => exchange.close())
  exchange.faults.inject({ type: 'no_history', times: 0 })
  const recorder = startRecorder(t, t.testdir({}), config(exchange, { backfill: { compareSeconds: 3600 } }))
  await until('a session', () => isLive(recorder))
  await moreTrades(exchange, 20)
  exchange.faults.inject({ type: 'drop', channel: 'trades.future.BTC.100ms' })
  await until('a frame dropped', () => exchange.faults.struck['drop'] === 1)
  await until('it is given up', () => journalText(recorder.dataDir).includes('"backfill"'))
  t.ok((exchange.faults.struck['no_history'] ?? 0) >= 4, 'after it was asked for again')
  await stop(recorder)
  const { journal } = recorded(recorder.dataDir)
  const hole = journal.find(({ event }) => event === 'trade_hole')
  t.ok(hole)
  t.match(
    journal.find(({ event }) => event === 'backfill'),
    { instrument: hole?.instrument, from_seq: hole?.from_seq, to_seq: hole?.to_seq, trades: 0, outcome: 'unavailable' },
  )
})
