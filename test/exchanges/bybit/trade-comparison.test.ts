import t from 'tap'
import { startSimulator } from '../../../exchanges/bybit/simulator/main.js'
import { tradeIdOf } from '../../../exchanges/bybit/sequence-bytes.js'
import type { Recording } from '../../../exchanges/adapter.js'
import type { BybitHttp } from '../../../exchanges/bybit/http.js'
import { TradeComparison, unseenAmong } from '../../../exchanges/bybit/trade-comparison.js'
import { createLogger } from '../../../platform/log.js'
import { compactOnce, query } from '../../compactor/fixtures/compacted.js'
import { commandHere } from '../../fixtures/command-here.js'
import { matchAll } from '../../fixtures/match-all.js'
import { framesTaken, recordedLines, startRecorder, until } from '../../fixtures/recorder-process.js'

// Mostly waits.

/** Newest first: names and when they were made, s. */
const listOf = (...rows: [name: string, s: number][]) => rows.map(([execId, s]) => ({ execId, time: String(s * 1000) }))
const seen =
  (...names: string[]) =>
  (id: number) =>
    names.some(name => tradeIdOf(name) === id)

t.test('what a list has between trades that came, and nothing of before the first of them', t => {
  const list = listOf(['e', 50], ['d', 40], ['c', 30], ['b', 20], ['a', 10])
  t.same(unseenAmong(list, seen('e', 'd', 'c', 'b')), [], 'before the recorder')
  t.same(unseenAmong(list, seen()), [], 'nothing came yet')
  t.same(unseenAmong(list, seen('a', 'd', 'e')), [
    { ids: ['b', 'c'].map(tradeIdOf), fromUs: 10_000_000, toUs: 40_000_000 },
  ])
  t.same(unseenAmong(list, seen('a', 'c')), [
    { ids: [tradeIdOf('b')], fromUs: 10_000_000, toUs: 30_000_000 },
    { ids: ['d', 'e'].map(tradeIdOf), fromUs: 30_000_000, toUs: 50_000_000 },
  ])
  t.same(unseenAmong(listOf(['b', 10.5], ['a', 10]), seen('a')), [], 'of one moment they come in any order')
  t.end()
})

t.test('where more were lost than a list had room for, none of them was found', async t => {
  const made = (name: string, s: number) => ({ execId: name, time: String(s * 1000) })
  const came = new Set<number>()
  let rows = Array.from({ length: 30 }, (_, at) => made(`old${at}`, at))
  const see = (from: number) => {
    for (const { execId } of rows.slice(from)) came.add(tradeIdOf(execId))
  }
  see(0)
  const limits: number[] = []
  const get = (_path: string, { limit }: { limit: number }) => {
    limits.push(limit)
    return Promise.resolve({ bytes: Buffer.from('{}'), result: { list: [...rows].reverse().slice(0, limit) } })
  }
  const journal: Record<string, unknown>[] = []
  const comparison = new TradeComparison({
    http: { get } as unknown as BybitHttp,
    trades: {
      carried: () => ['publicTrade.BTCUSDT'],
      isCarried: () => true,
      hasSeen: (_channel, id) => came.has(id),
      cameOf: () => came.size,
      fetched: (_channel, ids) => ids.forEach(id => came.add(id)),
      came: 0,
    },
    everyMs: 500,
    callsPerSecond: 50,
    log: createLogger('test'),
  })
  const recording = {
    take: () => undefined,
    journal: (event: string, facts: object) => void journal.push({ event, ...facts }),
    nowUs: () => 100_000_000,
  } as unknown as Recording
  const end = new AbortController()
  const running = comparison.run(recording, end.signal)
  await until('it was compared once', () => limits.length > 0)
  rows = [
    ...rows,
    ...Array.from({ length: 60 }, (_, at) => made(`lost${at}`, 40 + at)),
    made('new', 101),
    made('newer', 102),
  ]
  see(90)
  await until('it was told', () => journal.length > 0)
  end.abort()
  await running
  t.ok(limits.includes(1000), 'the whole list was asked for')
  t.same(
    journal.map(({ event }) => event),
    ['trade_hole', 'compared', 'backfill'],
  )
  t.ok(came.has(tradeIdOf('lost0')) && came.has(tradeIdOf('lost59')))
})

t.test(
  'a trade that is lost on a connection that lives left no trace: it is found in the list of the exchange, and told',
  { timeout: 200_000 },
  async t => {
    const exchange = await startSimulator({ rate: 150, instruments: 2 })
    t.teardown(() => exchange.close())
    const recorder = startRecorder(t, t.testdir({}), {
      ...{ name: 'bybit', url: exchange.url, instruments: ['BTCUSD'] },
      backfill: { compareMinutes: 0.03 },
      channels: { perpetual: ['trades'], future: [], option: [], spot: [] },
    })
    const { dataDir } = recorder
    let log = ''
    recorder.process.stderr.on('data', (chunk: Buffer) => (log += chunk.toString('utf8')))
    await until('trades come', () => framesTaken(recorder, 'trades') > 20)
    exchange.faults.inject({ type: 'drop', channel: 'publicTrade.BTCUSD' })
    await until('it struck', () => exchange.faults.struck['drop'] === 1)
    await until('it was found', () => log.includes('on a connection that lived'))
    recorder.process.kill()
    t.equal((await recorder.process).exitCode, 0)
    const journal = recordedLines(dataDir).flatMap(({ family, frame }) =>
      family === 'journal' ? [JSON.parse(frame.toString('utf8')) as Record<string, unknown>] : [],
    )
    const told = journal.filter(({ event }) => ['trade_hole', 'compared', 'backfill'].includes(String(event)))
    matchAll(t, told, [
      { event: 'trade_hole', channel: 'publicTrade.BTCUSD', cause: 'the exchange lists trades that never came' },
      { event: 'compared' },
      { event: 'backfill', outcome: 'filled' },
    ])

    await compactOnce(dataDir)
    const rows = await query(
      `SELECT trade_id FROM read_parquet('${dataDir}/parquet/exchange=bybit/table=trades/**/*.parquet')`,
    )
    const ids = rows.map(row => String(row['trade_id']))
    t.equal(new Set(ids).size, ids.length, 'each once')
    const all = exchange.market.find('BTCUSD')?.trades.all.map(({ tradeId }) => tradeId) ?? []
    const places = ids.map(id => all.indexOf(id)).filter(place => place >= 0)
    t.same(
      all.slice(Math.min(...places), Math.max(...places) + 1).filter(id => !ids.includes(id)),
      [],
      'none is missing',
    )
    const coverage = await commandHere(['coverage', '--path', dataDir, '--json'])
    const { lines } = JSON.parse(coverage.stdout) as { lines: { complete: number; healed_seconds: number }[] }
    matchAll(t, lines, [{ complete: 1 }])
    t.ok((lines[0]?.healed_seconds ?? 0) > 0, 'the account tells that it was missed, and is there')
  },
)
