import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import type { EarlierSegment, Recording } from '../../../exchanges/adapter.js'
import { BybitHttp } from '../../../exchanges/bybit/http.js'
import { TradeOverlap } from '../../../exchanges/bybit/trade-overlap.js'
import { createLogger } from '../../../platform/log.js'
import { rawLine } from '../../compactor/fixtures/segments.js'
import { matchAll } from '../../fixtures/match-all.js'
import { until } from '../../fixtures/recorder-process.js'

t.jobs = 8

const CHANNEL = 'publicTrade.BTCUSDT'
const SECOND_US = 1_000_000
const NOW_US = 1_795_000_000_000_000

const frameOf = (...ids: string[]) =>
  Buffer.from(
    `{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1,"data":[${ids.map(id => `{"T":1,"s":"BTCUSDT","i":"${id}"}`).join(',')}]}`,
  )

interface World {
  /** What the exchange lists, newest first, with its age in seconds. */
  listed: [id: string, ageS: number, symbol?: string][]
  earlier?: Buffer[]
  status?: number
}

/** A keeper of trades that asks a small exchange. */
async function world(t: Test, { listed, earlier = [], status = 200 }: World) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    const list = listed.map(([execId, ageS, symbol]) => ({
      ...{ execId, symbol },
      time: String(NOW_US / 1000 - ageS * 1000),
    }))
    response.writeHead(status)
    response.end(
      status === 200 ? JSON.stringify({ retCode: 0, retMsg: 'OK', result: { category: 'linear', list } }) : 'no',
    )
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()))
  const { port } = server.address() as AddressInfo
  const overlap = new TradeOverlap(new BybitHttp(`http://127.0.0.1:${port}`, 50), 72, createLogger('test'))
  const taken: [conn: string, family: string][] = []
  const journal: Record<string, unknown>[] = []
  async function* segments(): AsyncGenerator<EarlierSegment> {
    const lines = earlier.map((frame, index) => rawLine(frame, index + 1))
    await Promise.resolve()
    async function* pieces() {
      await Promise.resolve()
      yield lines
    }
    if (lines.length > 0) yield { startedUs: 0, bytes: 100, lines: pieces() }
  }
  const recording = {
    take: (conn: string, family: string) => void taken.push([conn, family]),
    journal: (event: string, facts: object = {}) => void journal.push({ event, ...facts }),
    nowUs: () => NOW_US,
    earlier: (family: string) => (family === 'trades' ? segments() : (async function* () {})()),
    polled: undefined,
  } as unknown as Recording
  const end = new AbortController()
  const running = overlap.run(recording, end.signal)
  t.teardown(async () => {
    end.abort()
    await running
    server.close()
  })
  return { overlap, asked, taken, journal }
}

/** A connection that brought some trades, was away for 20 s, and came back. */
function goAway(overlap: TradeOverlap, before: string[], after: string[] = []): void {
  overlap.began('d1', CHANNEL, NOW_US - 100 * SECOND_US)
  if (before.length > 0) overlap.see(CHANNEL, frameOf(...before), 0)
  overlap.ended('d1', CHANNEL, NOW_US - 20 * SECOND_US)
  overlap.began('d1', CHANNEL, NOW_US)
  if (after.length > 0) overlap.see(CHANNEL, frameOf(...after), 0)
}

t.test('trades of an outage are found by overlap, recorded, and the span is journalled as compared', async t => {
  const { overlap, taken, journal, asked } = await world(t, {
    listed: [
      ['d', 0],
      ['c', 5],
      ['b', 10],
      ['a', 25],
    ],
  })
  goAway(overlap, ['a'], ['d'])
  await until('it was compared', () => journal.length === 2)
  matchAll(t, asked, [/recent-trade\?category=linear&symbol=BTCUSDT&limit=1000/])
  t.same(taken, [['backfill', 'trades']])
  t.match(journal[0], { event: 'compared', from_us: NOW_US - 22 * SECOND_US, to_us: NOW_US })
  t.same(journal[0]?.['scopes'], [CHANNEL])
  t.match(journal[1], { event: 'backfill', instrument: 'BTCUSDT', trades: 2, outcome: 'filled' })
})

t.test('where nothing was missed no row is recorded, and all of the span is known', async t => {
  const { overlap, taken, journal } = await world(t, { listed: [['a', 25]] })
  goAway(overlap, ['a'])
  await until('it was compared', () => journal.length === 1)
  t.match(journal[0], { event: 'compared' })
  t.same(taken, [['backfill', 'answers']])
})

t.test('trades that came after the outage are no overlap: what lies before the list is reported as lost', async t => {
  const listed = Array.from({ length: 1000 }, (_, index): [string, number] => [`n${index}`, index / 100])
  const { overlap, journal } = await world(t, { listed })
  goAway(overlap, ['a'], ['n0', 'n1'])
  await until('it was told', () => journal.length === 2)
  t.match(journal[0], { event: 'compared', from_us: NOW_US - 9.99 * SECOND_US, to_us: NOW_US })
  t.match(journal[1], { event: 'backfill', trades: 998, outcome: 'partly', message: /lists trades from/ })
})

t.test('options that ended in a pause were believed to be listed: only one of them in the list shows it', async t => {
  const [ended, living] = ['BTC-18NOV26-90000-C-USDT', 'BTC-25DEC26-90000-C-USDT']
  const ago = (seconds: number) => NOW_US - seconds * SECOND_US
  const toldOf = async (listed: World['listed']) => {
    const { overlap, journal } = await world(t, { listed })
    overlap.began('d1', 'publicTrade.BTC', ago(30_000))
    overlap.see('publicTrade.BTC', frameOf('a'), 0)
    overlap.ended('d1', 'publicTrade.BTC', ago(20_000))
    overlap.began('d1', 'publicTrade.BTC', NOW_US)
    await until('it was told', () => journal.length === 2)
    return [journal[0]?.['from_us'], journal[1]?.['outcome']]
  }
  const before: World['listed'][number] = ['a', 20_001, living]
  const expiryUs = Date.UTC(2026, 10, 18, 8) * 1000
  t.same(await toldOf([['b', 5, living], before]), [expiryUs, 'partly'])
  t.same(await toldOf([['b', 5, living], ['c', 15_000, ended], before]), [ago(20_002), 'filled'])
})

t.test('a list that lacks what came before was taken for all that there ever was', async t => {
  const { overlap, journal } = await world(t, { listed: [] })
  goAway(overlap, ['a'], ['b'])
  await until('it was told', () => journal.length === 1)
  t.match(journal[0], { event: 'backfill', trades: 0, outcome: 'unavailable', message: 'the exchange lists no trades' })
})

t.test('while another connection brings the channel there is no hole', async t => {
  const { overlap, asked } = await world(t, { listed: [['a', 25]] })
  overlap.began('d1', CHANNEL, NOW_US)
  overlap.began('d2', CHANNEL, NOW_US)
  overlap.see(CHANNEL, frameOf('a'), 0)
  overlap.ended('d1', CHANNEL, NOW_US)
  overlap.began('d1', CHANNEL, NOW_US)
  t.equal(overlap.waiting, 0)
  t.same(asked, [])
})

t.test('the pause of the recorder is a hole of every channel that it recorded before', async t => {
  const { overlap, journal, taken } = await world(t, {
    listed: [
      ['c', 0],
      ['b', 5],
      ['a', 100],
    ],
    earlier: [frameOf('a')],
  })
  overlap.began('d1', CHANNEL, NOW_US)
  await until('it was compared', () => journal.some(({ event }) => event === 'backfill'))
  t.match(journal.at(-1), { event: 'backfill', trades: 2, outcome: 'filled' })
  t.same(taken, [['backfill', 'trades']])
})

t.test('where the exchange does not answer it is asked again', async t => {
  const { overlap, asked } = await world(t, { listed: [], status: 500 })
  goAway(overlap, ['a'])
  await until('it was asked twice', () => asked.length >= 2)
  t.equal(overlap.waiting, 1)
})

t.test('trades whose frames cannot be read were taken for those that came, and never asked for', async t => {
  const { overlap, taken, journal } = await world(t, {
    listed: [
      ['c', 0],
      ['b', 5],
      ['a', 10],
    ],
  })
  overlap.began('d1', CHANNEL, NOW_US - 100 * SECOND_US)
  overlap.see(CHANNEL, frameOf('a'), NOW_US - 10 * SECOND_US)
  const broken = frameOf('b')
  overlap.see(CHANNEL, broken.subarray(0, broken.length - 1), NOW_US - 5 * SECOND_US)
  overlap.see(CHANNEL, frameOf('c'), NOW_US)
  await until('they were asked for', () => journal.length === 2)
  t.same(taken, [['backfill', 'trades']])
  t.match(journal[0], { event: 'compared', from_us: NOW_US - 12 * SECOND_US, to_us: NOW_US })
  t.match(journal[1], { event: 'backfill', trades: 1, outcome: 'filled' })
})
