import t, { type Test } from 'tap'
import { startSimulator } from '../../../exchanges/deribit/simulator/main.js'
import { applyBookFrame } from '../../../reader/book/apply-frame.js'
import { BookBuilder } from '../../../reader/book/book-builder.js'
import type { Simulator } from '../../../simulator/main.js'
import { compactOnce } from '../../compactor/fixtures/compacted.js'
import { commandHere } from '../../fixtures/command-here.js'
import {
  framesTaken,
  recordedLines,
  startRecorder,
  statusOf,
  until,
  type RecorderProcess,
} from '../../fixtures/recorder-process.js'
import { matchAll } from '../../fixtures/match-all.js'

// Mostly waits.

t.jobs = 3
t.setTimeout(200_000)

interface Entry {
  event: string
  instrument?: string
  instruments?: string[]
  channels?: string[]
  reason?: string
  last_seq?: number
  first_seq?: number
}

interface Row {
  instrument_name: string
  trade_seq: number
  trade_id: string
}

const NOTHING = { perpetual: [], future: [], option: [], spot: [], combo: [], index: [], exchange: [] }

const isLive = (recorder: RecorderProcess) => {
  const connections = (statusOf(recorder)['connections'] ?? []) as { state: string }[]
  return connections.length > 0 && connections.every(({ state }) => state === 'live')
}

function recorded(dataDir: string) {
  const lines = recordedLines(dataDir)
  const journal = lines
    .filter(({ family }) => family === 'journal')
    .map(({ frame }) => JSON.parse(frame.toString('utf8')) as Entry)
  const trades = lines
    .filter(({ family }) => family === 'trades')
    .flatMap(({ frame }) => {
      const message = JSON.parse(frame.toString('utf8')) as { params?: { data: Row[] }; result?: { trades: Row[] } }
      return message.params?.data ?? message.result?.trades ?? []
    })
  return { journal, trades }
}

/** Trades of an instrument that the exchange made within a span and the recorder has not. */
function lost(exchange: Simulator, trades: readonly Row[], name: string, fromMs: number, toMs: number) {
  const have = new Set(trades.map(({ trade_id }) => trade_id))
  const made = exchange.market.find(name)?.trades.all ?? []
  const wanted = made.filter(({ timestampMs }) => timestampMs > fromMs && timestampMs < toMs)
  return { made: wanted.length, lost: wanted.filter(({ tradeId }) => !have.has(tradeId)).length }
}

async function stop(recorder: RecorderProcess): Promise<void> {
  recorder.process.kill('SIGTERM')
  await recorder.process
}

/** What the account says of a recording of which nothing was lost. */
async function isTold(t: Test, { dataDir }: RecorderProcess): Promise<void> {
  const { stdout, exitCode } = await commandHere(['coverage', '--path', dataDir])
  t.match({ stdout, exitCode }, { stdout: /^Complete: /, exitCode: 0 }, 'coverage says that all is there')
}

t.test('a list that was short for a moment made a hole in what went on trading', async t => {
  const exchange = await startSimulator({ rate: 400, instruments: 30, newInstrumentEveryMs: 0 })
  t.teardown(() => exchange.close())
  const channels = { ...NOTHING, perpetual: ['trades', 'quote'], option: ['quote'] }
  const currencies = ['BTC', 'ETH']
  const recorder = startRecorder(t, t.testdir({}), { url: exchange.url, currencies, channels, rediscoverMinutes: 0.1 })
  await until('live', () => isLive(recorder))
  const fromMs = exchange.market.nowMs
  const planned = statusOf(recorder)['channels_planned']
  exchange.faults.inject({ type: 'short_list', instrument: 'BTC-PERPETUAL', times: 2 })
  exchange.faults.inject({ type: 'short_list', currency: 'ETH', times: 1 })
  await until('short lists', () => exchange.faults.struck['short_list'] === 3)
  const seconds = exchange.market.nowMs
  await until('another list', () => exchange.market.nowMs > seconds + 7000)
  t.equal(statusOf(recorder)['channels_planned'], planned)
  const toMs = exchange.market.nowMs - 1500
  await stop(recorder)
  await isTold(t, recorder)
  const { journal, trades } = recorded(recorder.dataDir)
  t.notOk(journal.some(({ event }) => event === 'instruments_removed' || event === 'unsubscribed'))
  for (const name of ['BTC-PERPETUAL', 'ETH-PERPETUAL']) {
    const found = lost(exchange, trades, name, fromMs, toMs)
    t.ok(found.made > 10, name)
    t.equal(found.lost, 0, `${name}: every trade is there`)
  }
})

t.test('numbers of trades that began anew: coverage counted a quarter of a billion missing trades', async t => {
  const exchange = await startSimulator({ rate: 700, instruments: 20, newInstrumentEveryMs: 0 })
  t.teardown(() => exchange.close())
  const channels = { ...NOTHING, perpetual: ['trades'] }
  const backfill = { compareSeconds: 2 }
  const recorder = startRecorder(t, t.testdir({}), { url: exchange.url, currencies: ['BTC'], channels, backfill })
  const name = 'BTC-PERPETUAL'
  await until('live', () => isLive(recorder))
  const fromMs = exchange.market.nowMs
  const numberOf = () => exchange.market.find(name)?.tradeSeq ?? 0
  const first = numberOf()
  await until('some trades', () => numberOf() > first + 20)
  const last = numberOf()
  exchange.faults.inject({ type: 'renumber', instrument: name })
  await until('several new ones', () => numberOf() > 30 && numberOf() < 1000)
  const atMs = exchange.market.nowMs
  await until('they came', () => exchange.market.nowMs > atMs + 5000)
  exchange.faults.inject({ type: 'drop', channel: `trades.${name}.*`, times: 2 })
  await until('frames dropped', () => exchange.faults.struck['drop'] === 2)
  const more = numberOf()
  await until('more trades', () => numberOf() > more + 30)
  const toMs = exchange.market.nowMs
  await until('what is missing was asked for', () => exchange.market.nowMs > toMs + 9000)
  await stop(recorder)
  const { journal, trades } = recorded(recorder.dataDir)
  const [renumbered, ...others] = journal.filter(({ event }) => event === 'trades_renumbered')
  t.ok(Number(renumbered?.last_seq) >= last && Number(renumbered?.first_seq) < 100, 'journalled')
  t.match(renumbered, { instrument: name })
  t.same(others, [], 'once')
  t.match(lost(exchange, trades, name, fromMs, toMs), { lost: 0 }, 'later holes are seen and filled')
  await compactOnce(recorder.dataDir)
  const { stdout } = await commandHere([
    'coverage',
    '--path',
    recorder.dataDir,
    '--count',
    '--json',
    '--by',
    'instrument',
  ])
  const { tables } = JSON.parse(stdout) as {
    tables: { data: string; counted?: { expected: number; actual: number } }[]
  }
  const counted = tables.find(({ data }) => data === 'trades')?.counted
  t.equal(counted?.actual, new Set(trades.map(({ trade_id }) => trade_id)).size)
  t.equal(counted?.expected, counted?.actual, 'each sequence is counted by itself')
})

t.test('of spot pairs routed elsewhere nothing was told, and trades of the other pairs were lost as well', async t => {
  const exchange = await startSimulator({ rate: 700, instruments: 20 })
  t.teardown(() => exchange.close())
  const channels = { ...NOTHING, spot: ['trades', 'chart.trades', 'book'] }
  const backfill = { compareSeconds: 2 }
  const recorder = startRecorder(t, t.testdir({}), { url: exchange.url, currencies: ['USDC'], channels, backfill })
  await until('live', () => isLive(recorder))
  const fromMs = exchange.market.nowMs
  const name = 'ETH_USDC'
  exchange.faults.inject({ type: 'drop', channel: `trades.${name}.*`, times: 2 })
  await until('frames dropped', () => exchange.faults.struck['drop'] === 2)
  const made = () => exchange.market.find(name)?.tradeSeq ?? 0
  const before = made()
  await until('more trades', () => made() > before + 10)
  const toMs = exchange.market.nowMs
  await until('what is missing was asked for', () => exchange.market.nowMs > toMs + 9000)
  const hidden = ['trades.BTC_USDC.100ms', 'chart.trades.BTC_USDC.1']
  t.same(statusOf(recorder)['not_offered'], hidden, 'status')
  await stop(recorder)
  const { stdout } = await commandHere(['coverage', '--path', recorder.dataDir])
  t.match(stdout, /^Incomplete: .*refused the subscription\s+\(BTC_USDC \(chart\.trades, trades\)\)\./, 'coverage')
  const { journal, trades } = recorded(recorder.dataDir)
  matchAll(
    t,
    journal.filter(({ event }) => event === 'not_offered'),
    [{ channels: hidden, reason: /routed/ }],
    'the journal, by name',
  )
  t.same(
    journal.filter(({ event }) => event === 'rejected'),
    [],
    'nothing is asked for that cannot be had',
  )
  t.match(lost(exchange, trades, name, fromMs, toMs), { lost: 0 })
})

t.test('an instrument with a null member or an unknown kind was not recorded', async t => {
  const exchange = await startSimulator({ rate: 300, instruments: 20 })
  t.teardown(() => exchange.close())
  const name = 'BTC-PERPETUAL'
  exchange.faults.inject({ type: 'list_member', instrument: name, member: 'price_index', value: null, times: 0 })
  exchange.faults.inject({ type: 'list_member', instrument: name, member: 'kind', value: 'swap', times: 0 })
  exchange.faults.inject({
    type: 'list_member',
    instrument: 'ETH-PERPETUAL',
    member: 'instrument_name',
    value: null,
    times: 0,
  })
  const channels = { ...NOTHING, perpetual: ['quote'] }
  const recorder = startRecorder(t, t.testdir({}), { url: exchange.url, currencies: ['BTC', 'ETH'], channels })
  await until('live', () => isLive(recorder) && framesTaken(recorder, 'quote') > 0)
  matchAll(t, statusOf(recorder)['not_offered'], [/"instrument_name":null.*/], 'what has no name is told as it came')
  await stop(recorder)
  await isTold(t, recorder)
  const { journal } = recorded(recorder.dataDir)
  matchAll(
    t,
    journal.find(({ event }) => event === 'subscribed'),
    { channels: [`quote.${name}`] },
  )
  t.ok(journal.some(({ event, instruments }) => event === 'not_offered' && instruments?.length === 1))
})

t.test('trades that came twice and late, and a book whose next snapshot had a lower number', async t => {
  const exchange = await startSimulator({ rate: 700, instruments: 20, newInstrumentEveryMs: 0 })
  t.teardown(() => exchange.close())
  const channels = { ...NOTHING, perpetual: ['trades', 'book'] }
  const backfill = { compareSeconds: 2 }
  const recorder = startRecorder(t, t.testdir({}), { url: exchange.url, currencies: ['BTC'], channels, backfill })
  const name = 'BTC-PERPETUAL'
  await until('live', () => isLive(recorder))
  const fromMs = exchange.market.nowMs
  exchange.faults.inject({ type: 'duplicate', channel: 'trades.*', times: 5 })
  exchange.faults.inject({ type: 'delay', channel: 'trades.*', delayMs: 1500, times: 5 })
  exchange.faults.inject({ type: 'begin_anew', channel: `book.${name}.*` })
  const { struck } = exchange.faults
  const all = () => struck['duplicate'] === 5 && struck['delay'] === 5 && struck['begin_anew'] === 1
  await until('all of it', all)
  const toMs = exchange.market.nowMs
  await until('what may be missing was asked for', () => exchange.market.nowMs > toMs + 9000)
  await stop(recorder)
  await isTold(t, recorder)
  const { journal, trades } = recorded(recorder.dataDir)
  const found = lost(exchange, trades, name, fromMs, toMs)
  t.ok(found.made > 10)
  t.equal(found.lost, 0, 'every trade is there')
  t.strictSame(
    journal.map(({ event }) => event).filter(event => /renumbered|trade_hole|book_break|rejected/.test(event)),
    [],
    'nothing was missing, and no numbers of trades began anew',
  )
  const books = recordedLines(recorder.dataDir).filter(({ family }) => family === 'book')
  const builder = new BookBuilder()
  const links = books.map(({ frame, recvUs }) => applyBookFrame(builder, frame.toString('utf8'), recvUs, 'd1'))
  t.equal(links.filter(link => link === 'snapshot').length, 2, 'the book was taken from its new snapshot on')
  t.strictSame(new Set(links), new Set(['snapshot', 'next']), 'without a break')
  const unbroken = exchange.market.find(name)?.book.changeId ?? 0
  t.ok(builder.isKnown && builder.changeId < unbroken, `numbers as they are now: ${builder.changeId} < ${unbroken}`)
  await compactOnce(recorder.dataDir)
  const { stdout } = await commandHere(['query', '--path', recorder.dataDir, '--format', 'json', TRADES_TWICE])
  t.same(JSON.parse(stdout), { rows: new Set(trades.map(({ trade_id }) => trade_id)).size, twice: 0 }, 'each once')
})

const TRADES_TWICE = 'SELECT count(*)::INT AS rows, (count(*) - count(DISTINCT trade_id))::INT AS twice FROM trades'

t.test('what was listed and what expired while no connection was there', async t => {
  const exchange = await startSimulator({ rate: 400, instruments: 20, newInstrumentEveryMs: 0 })
  t.teardown(() => exchange.close())
  const channels = { ...NOTHING, option: ['quote', 'ticker'] }
  const recorder = startRecorder(t, t.testdir({}), { url: exchange.url, currencies: ['BTC'], channels })
  await until('live', () => isLive(recorder))
  const gone = [...exchange.market.listings.values()].find(
    ({ instrument }) => instrument.kind === 'option' && instrument.settle === 'BTC',
  )
  exchange.faults.inject({ type: 'maintenance', forMs: 4000 })
  await until('cut', () => !isLive(recorder))
  // The market chooses the underlying; the recorder takes those of BTC.
  let born = ''
  for (let listed = 0; listed < 100 && !born.startsWith('BTC-'); listed++)
    born = exchange.market.listNewStrike()?.name ?? ''
  exchange.market.expire(gone?.name ?? '')
  await until('live again', () => isLive(recorder))
  const afterMs = exchange.market.nowMs
  await until('quotes of some seconds', () => exchange.market.nowMs > afterMs + 8000)
  await stop(recorder)
  const { journal } = recorded(recorder.dataDir)
  t.ok(
    journal.some(({ event, instruments }) => event === 'instruments_added' && instruments?.includes(born)),
    'the new one is found right after the outage',
  )
  const quotes = recordedLines(recorder.dataDir).filter(({ frame }) => frame.includes(`"quote.${born}"`))
  t.ok(quotes.length > 0, 'and recorded')
  const { stdout } = await commandHere(['coverage', '--path', recorder.dataDir, '--json', '--by', 'instrument'])
  const { lines } = JSON.parse(stdout) as {
    lines: { about: string; wanted_seconds: number; missing_seconds: number }[]
  }
  const of = (about: string) => lines.filter(line => line.about === about)
  t.ok((of(born)[0]?.missing_seconds ?? 0) > 0, 'the account tells of what was missed of it')
  const wanted = Math.max(...lines.map(line => line.wanted_seconds))
  t.equal(of(gone?.name ?? '').length, 1)
  t.ok(
    of(gone?.name ?? '').every(line => line.wanted_seconds < wanted),
    'what expired is wanted no longer',
  )
})
