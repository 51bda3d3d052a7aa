import t, { type Test } from 'tap'
import { startSimulator } from '../../exchanges/bybit/simulator/main.js'
import type { Simulator } from '../../simulator/main.js'
import { bookAt } from '../../reader/book/sample-book.js'
import { query } from '../compactor/fixtures/compacted.js'
import { commandHere } from '../fixtures/command-here.js'
import { journalText } from '../fixtures/kill-rounds.js'
import { sealLeft } from '../fixtures/segments.js'
import {
  framesTaken,
  recordedLines,
  startRecorder,
  statusOf,
  until,
  type RecorderProcess,
} from '../fixtures/recorder-process.js'

// Mostly waits.

type Json = Record<string, unknown>
interface Event extends Json {
  event: string
}

const journalOf = (dataDir: string) =>
  recordedLines(dataDir)
    .filter(({ family }) => family === 'journal')
    .map(({ frame }) => JSON.parse(frame.toString('utf8')) as Event)

async function stop(t: Test, recorder: RecorderProcess): Promise<void> {
  recorder.process.kill()
  const { exitCode, stderr } = await recorder.process
  t.equal(exitCode, 0, stderr.slice(-2000))
  t.notMatch(stderr, /MaxListeners/, 'the log has lines of the log alone')
  sealLeft(recorder.dataDir)
}

const connections = (recorder: RecorderProcess) => (statusOf(recorder)['connections'] ?? []) as { state: string }[]
const allLive = (recorder: RecorderProcess, count: number) =>
  connections(recorder).length === count && connections(recorder).every(({ state }) => state === 'live')

/** Channels of trades that were not compared with the exchange's lists since a moment. */
function notCompared(dataDir: string, sinceUs: number): string[] {
  const open = new Set<string>()
  for (const line of journalText(dataDir).split('\n')) {
    const list = (name: string) =>
      (new RegExp(`"${name}":\\[([^\\]]*)\\]`).exec(line)?.[1]?.match(/"[^"]+"/g) ?? []).map(text => text.slice(1, -1))
    if (line.includes('"subscribed"'))
      for (const channel of list('channels')) if (channel.includes('publicTrade.')) open.add(channel)
    if (line.includes('"compared"') && Number(/"to_us":(\d+)/.exec(line)?.[1]) > sinceUs)
      for (const scope of list('scopes')) open.delete(scope)
  }
  return [...open]
}

/** Trades of an instrument at the exchange that lie between the first and the last that were recorded. */
function tradesBetween(exchange: Simulator, name: string, recorded: readonly string[]): string[] {
  const all = exchange.market.find(name)?.trades.all.map(({ tradeId }) => tradeId) ?? []
  const places = recorded.map(id => all.indexOf(id)).filter(place => place >= 0)
  return all.slice(Math.min(...places), Math.max(...places) + 1)
}

t.test('simulate, record through faults, compact, query, book, coverage, verify', { timeout: 300_000 }, async t => {
  const exchange = await startSimulator({ rate: 150, instruments: 16 })
  t.teardown(() => exchange.close())
  const recorder = startRecorder(t, t.testdir({}), {
    name: 'bybit',
    url: exchange.url,
    rediscoverMinutes: 0.05,
    polls: { callsPerSecond: 50 },
  })
  await until('all connections live', () => allLive(recorder, 4), 120_000)
  await until('trades come', () => framesTaken(recorder, 'trades') > 20 && framesTaken(recorder, 'trades.spot') > 0)
  // A frame of a book is lost, another book begins anew, a topic is refused, an instrument ends.
  exchange.faults.inject({ type: 'drop', channel: 'orderbook.1000.BTCUSDT' })
  exchange.faults.inject({ type: 'begin_anew', channel: 'spot.orderbook.1000.BTCUSDT' })
  await until('both struck', () => exchange.faults.struck['drop'] === 1 && exchange.faults.struck['begin_anew'] === 1)
  const booksSoFar = framesTaken(recorder, 'book')
  await until('books go on', () => framesTaken(recorder, 'book') > booksSoFar + 60)
  const [option] = [...exchange.market.listings.values()].filter(({ instrument }) => instrument.kind === 'option')
  exchange.market.expire(option?.name ?? '')
  const made = exchange.market.listNewStrike()
  await until('the new one is listed', () => framesTaken(recorder, 'instruments') > 0)
  exchange.faults.inject({ type: 'refuse_channel', channel: 'tickers.ETHUSDT' })
  const before = framesTaken(recorder, 'trades')
  exchange.faults.inject({ type: 'close' })
  await until('all live again', () => exchange.connections() === 4 && allLive(recorder, 4), 120_000)
  const liveUs = Date.now() * 1000
  await until('trades come again', () => framesTaken(recorder, 'trades') > before + 30, 120_000)
  t.ok(framesTaken(recorder, 'answers') > 0)
  const isTold = (event: string, name = '') =>
    journalText(recorder.dataDir)
      .split('\n')
      .some(line => line.includes(`"${event}"`) && line.includes(`"${name}"`))
  await until('the one that ended is gone', () => isTold('instruments_removed', option?.name))
  await until('the new one is taken', () => isTold('instruments_added', made?.name))
  await until('the outage was compared', () => notCompared(recorder.dataDir, liveUs).length === 0, 120_000)
  await stop(t, recorder)
  const { dataDir, configFile } = recorder
  const journal = journalOf(dataDir)
  const told = (event: string) => journal.filter(entry => entry.event === event)

  t.match(told('book_break')[0], { channel: 'orderbook.1000.BTCUSDT', instrument: 'BTCUSDT', family: 'book' })
  t.match(told('resync')[0], { channel: 'orderbook.1000.BTCUSDT' })
  t.notOk(
    told('book_break').some(({ channel }) => channel === 'spot.orderbook.1000.BTCUSDT'),
    'a book that begins anew is no break',
  )
  const names = (event: string) => told(event).flatMap(({ instruments }) => instruments as string[])
  t.ok(names('instruments_added').includes(made?.name ?? '?'), 'a new instrument is found by polling')
  t.ok(names('instruments_removed').includes(option?.name ?? '?'), 'and one that ended')
  const compared = told('compared').flatMap(({ scopes }) => scopes as string[])
  t.ok(
    compared.includes('publicTrade.BTCUSDT') && compared.includes('spot.publicTrade.BTCUSDT'),
    'the outage was compared',
  )

  const { exitCode, stderr } = await commandHere(['compact', '--once', '--config', configFile])
  t.equal(exitCode, 0, stderr)
  const table = (name: string) =>
    `read_parquet('${dataDir}/parquet/exchange=bybit/table=${name}/**/*.parquet', hive_partitioning = true, union_by_name = true)`
  for (const name of ['BTCUSDT', 'BTCUSD', 'spot.ETHUSDT']) {
    const [kind, symbol] = name.startsWith('spot.') ? ['spot', name.slice(5)] : ['perpetual', name]
    const ids = (
      await query(`SELECT trade_id FROM ${table('trades')} WHERE instrument_name = '${symbol}' AND kind = '${kind}'`)
    ).map(row => String(row['trade_id']))
    t.equal(new Set(ids).size, ids.length, `${name}: each trade once`)
    t.same(
      tradesBetween(exchange, name, ids).filter(id => !ids.includes(id)),
      [],
      `${name}: none is missing over the outage`,
    )
  }
  const tables = await query(
    `SELECT DISTINCT "table" FROM read_parquet('${dataDir}/parquet/**/*.parquet', hive_partitioning = true, union_by_name = true) ORDER BY 1`,
  )
  t.same(
    tables.map(row => row['table']),
    [
      'book',
      'candles',
      'frames',
      'funding_history',
      'instruments',
      'insurance',
      'journal',
      'long_short_ratio',
      'open_interest',
      'platform_state',
      'quote',
      'ticker',
      'trades',
    ]
      .concat(tables.some(row => row['table'] === 'liquidations') ? ['liquidations'] : [])
      .sort(),
  )

  // The book by the reader, and put together from the raw lines by the simplest code.
  const frames = recordedLines(dataDir).filter(({ family }) => family === 'book')
  const own = frames
    .filter(({ frame }) => frame.includes('"topic":"orderbook.1000.ETHUSDT"'))
    .sort((a, b) => a.recvUs - b.recvUs)
  const last = own.at(-1)
  const sides = { b: new Map<string, string>(), a: new Map<string, string>() }
  for (const { frame } of own) {
    const { type, data } = JSON.parse(frame.toString('utf8')) as {
      type: string
      data: Record<'a' | 'b', [string, string][]>
    }
    for (const side of ['b', 'a'] as const) {
      if (type === 'snapshot') sides[side].clear()
      for (const [price, size] of data[side]) {
        if (size === '0') sides[side].delete(price)
        else sides[side].set(price, size)
      }
    }
  }
  const sample = await bookAt({
    path: dataDir,
    instrument: 'ETHUSDT',
    at: (last?.recvUs ?? 0) + 1,
    top: 1000,
    onProblem: () => undefined,
  })
  const levels = (side: 'b' | 'a', sign: number) =>
    [...sides[side]].map(([p, s]) => [Number(p), Number(s)]).sort(([p = 0], [q = 0]) => sign * (p - q))
  t.equal(sample.state, 'known')
  t.same(
    [sample.bids, sample.asks].map(side => side.map(([price, amount]) => [price, amount])),
    [levels('b', -1), levels('a', 1)],
    'the book of ETHUSDT',
  )

  const asks = await commandHere([
    'query',
    '--config',
    configFile,
    '--format',
    'json',
    `SELECT exchange, kind, base, count(*)::INTEGER AS n FROM trades_all WHERE base = 'BTC' AND kind = 'perpetual' GROUP BY ALL`,
  ])
  t.match(JSON.parse(asks.stdout), { exchange: 'bybit', kind: 'perpetual', base: 'BTC' })
  const verified = await commandHere(['verify', '--config', configFile])
  t.equal(verified.exitCode, 0, verified.stdout + verified.stderr)
  t.match(verified.stdout, /no fault/)
  const coverage = await commandHere(['coverage', '--json', '--config', configFile])
  // Books and tickers of the outage are gone, and a ticker was refused; its trades were fetched.
  t.equal(coverage.exitCode, 4, coverage.stderr)
  const { lines } = JSON.parse(coverage.stdout) as {
    lines: { family: string; exchange: string; complete: number; healed_seconds: number }[]
  }
  const trades = lines.filter(({ family }) => family.startsWith('trades'))
  t.ok(
    trades.some(({ healed_seconds: healed }) => healed > 0),
    'healed',
  )
  t.same(
    trades.filter(({ complete }) => complete !== 1),
    [],
    'trades are whole',
  )
  t.ok(
    lines.some(({ family, complete }) => family === 'book' && complete < 1),
    'books are not',
  )
})

t.test('on two connections each event is once in the tables', { timeout: 200_000 }, async t => {
  const exchange = await startSimulator({ rate: 100, instruments: 6 })
  t.teardown(() => exchange.close())
  const recorder = startRecorder(t, t.testdir({}), {
    name: 'bybit',
    url: exchange.url,
    redundancy: 2,
    instruments: ['BTCUSDT', 'ETHUSDT'],
    channels: { option: [], future: [] },
    polls: { fundingHistory: { everyMinutes: 0 }, openInterest: { everyMinutes: 0 } },
  })
  await until('all live', () => allLive(recorder, 4), 120_000)
  await until('trades come', () => framesTaken(recorder, 'trades') > 60)
  exchange.faults.inject({ type: 'close', oldest: true })
  await until('all live again', () => exchange.connections() === 4 && allLive(recorder, 4), 120_000)
  const before = framesTaken(recorder, 'trades')
  await until('more come', () => framesTaken(recorder, 'trades') > before + 40)
  await stop(t, recorder)
  const { exitCode, stderr } = await commandHere(['compact', '--once', '--config', recorder.configFile])
  t.equal(exitCode, 0, stderr)
  const table = (name: string) =>
    `read_parquet('${recorder.dataDir}/parquet/exchange=bybit/table=${name}/**/*.parquet', hive_partitioning = true)`
  const [twice] = await query(
    `SELECT count(*)::INTEGER AS n, count(DISTINCT conn)::INTEGER AS conns FROM (SELECT trade_id, any_value(conn) AS conn, count(*) AS c FROM ${table('trades')} GROUP BY ALL HAVING c > 1)`,
  )
  t.equal(twice?.['n'], 0, 'each trade once')
  const books = await query(
    `SELECT count(*)::INTEGER AS n FROM (SELECT channel, update_id FROM ${table('book')} WHERE type = 'delta' GROUP BY ALL HAVING count(DISTINCT conn) > 1)`,
  )
  t.equal(books[0]?.['n'], 0, 'each change of a book once')
  const ids = (
    await query(`SELECT trade_id FROM ${table('trades')} WHERE instrument_name = 'BTCUSDT' AND kind = 'perpetual'`)
  ).map(row => String(row['trade_id']))
  t.same(
    tradesBetween(exchange, 'BTCUSDT', ids).filter(id => !ids.includes(id)),
    [],
    'none is missing',
  )
})
