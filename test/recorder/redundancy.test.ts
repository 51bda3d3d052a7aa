import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { gapsOf } from '../../formats/journal/gaps.js'
import { journalEntry } from '../fixtures/journal-entry.js'
import type { Adapter } from '../../exchanges/adapter.js'
import { runPool, type PoolRun } from '../fixtures/pool-run.js'
import { until } from '../fixtures/recorder-process.js'
import { JournalledSpans, type SpanEntry } from '../fixtures/journalled-spans.js'
import { witnessedExchange, type Witnessed, type WitnessedExchange } from '../fixtures/witnessed-exchange.js'
import { matchAll } from '../fixtures/match-all.js'

// Mostly waits.

t.setTimeout(240_000)

t.jobs = 8

const EVERY_MS = {
  'quote.BTC-PERPETUAL': 25,
  'ticker.BTC-PERPETUAL.100ms': 100,
  'perpetual.BTC-PERPETUAL.100ms': 200,
  'deribit_price_index.btc_usd': 500,
}
const FAMILIES = ['quote', 'ticker', 'perpetual', 'deribit_price_index']
const S = 1e6
/** Long enough to know how densely each family comes. */
const WARM_UP_MS = 16_000

interface Scene {
  exchange: WitnessedExchange
  run: PoolRun
  /** The connections that are open, in the order of their names. */
  first: Witnessed
  second: Witnessed
}

/** @param more channels that bring nothing */
async function scene(t: Test, redundancy: number, more: readonly string[] = []): Promise<Scene> {
  const exchange = await witnessedExchange(EVERY_MS)
  t.teardown(() => exchange.close())
  const plan = new Map([...Object.keys(EVERY_MS), ...more].map(channel => [channel, 1]))
  const over: Partial<Adapter> = {
    discover: () => Promise.resolve({ plan, added: [], removed: [] }),
    news: () => undefined,
  }
  const run = runPool(t, exchange.url, over, redundancy)
  await until('live', () => isWhole(run, redundancy))
  const [first, second = first] = exchange.connections
  if (!first || !second) throw new Error('nobody connected')
  await delay(WARM_UP_MS)
  return { exchange, run, first, second }
}

const isWhole = ({ pool }: PoolRun, connections: number) =>
  pool.connections.length === connections && pool.connections.every(({ state }) => state === 'live')

/** The first connection is out for so long. */
async function outage({ exchange, run, first }: Scene, ms: number, inTheMiddle = () => undefined as unknown) {
  exchange.welcome = 'waiting'
  first.cut()
  await delay(ms / 2)
  inTheMiddle()
  await delay(ms / 2)
  exchange.welcome = 'served'
  await until('back', () => run.pool.connections[0]?.state === 'live')
}

/** What the journal tells against what the exchange sent to nobody. */
function compare(t: Test, { exchange, run }: Scene): Map<string, JournalledSpans> {
  const told = new Map(
    FAMILIES.map(family => [family, new JournalledSpans(run.journal as unknown as SpanEntry[], family)]),
  )
  const [firstUs = 0] = exchange.sent.get('quote') ?? []
  for (const [family, spans] of told) {
    const missed = (exchange.unsent.get(family) ?? []).filter(us => us > firstUs)
    const sent = exchange.sent.get(family) ?? []
    const near = (us: number) => spans.missing.some(({ fromUs, toUs }) => us >= fromUs - S && us <= toUs + S)
    t.same(
      missed.filter(us => !near(us)),
      [],
      `${family}: what nobody got is in a gap`,
    )
    const deep = (us: number) => spans.missing.some(({ fromUs, toUs }) => us > fromUs + S && us < toUs - S)
    t.same(sent.filter(deep), [], `${family}: what somebody got is in none`)
    const inside = (us: number) => spans.covered.some(({ fromUs, toUs }) => us > fromUs + S / 4 && us < toUs - S / 4)
    t.same(missed.filter(inside), [], `${family}: nothing that nobody got is covered`)
    t.same(spans.duplicates, [], `${family}: nothing is told twice`)
  }
  return told
}

const settled = async (run: PoolRun) => {
  await until('settled', () => run.journal.some(({ event, conn }) => event === 'covered' && conn === 'd1'), 90_000)
  await delay(1000)
}
const settledAsGap = async (run: PoolRun) => {
  await until('settled', () => run.of('gap').length > 0, 90_000)
  await delay(1000)
}

t.test('the second copy is quiet in all families when the first is cut', async t => {
  const it = await scene(t, 2)
  for (const family of FAMILIES) it.second.quiet.add(family)
  await delay(4000)
  await outage(it, 8000)
  await settledAsGap(it.run)
  const told = compare(t, it)
  for (const family of FAMILIES) t.equal(told.get(family)?.missing.length, 1, family)
})

t.test('in two families', async t => {
  const it = await scene(t, 2)
  it.second.quiet.add('quote').add('perpetual')
  await delay(2000)
  await outage(it, 8000)
  await settledAsGap(it.run)
  const told = compare(t, it)
  t.equal(told.get('quote')?.missing.length, 1)
  t.same(told.get('ticker')?.missing, [])
  t.ok(
    it.run.of('gap').some(gap => gap['conn'] === 'd1' && String(gap['families']) === 'perpetual,quote'),
    'one entry for both',
  )
})

t.test('in one, and only from the middle of the outage on', async t => {
  const it = await scene(t, 2)
  await outage(it, 10_000, () => it.second.quiet.add('ticker'))
  await settled(it.run)
  const told = compare(t, it)
  t.equal(told.get('ticker')?.missing.length, 1)
  t.ok((told.get('ticker')?.covered.length ?? 0) > 0, 'up to there it is covered')
  t.same(told.get('quote')?.missing, [])
})

t.test('in one, and well again before the first is cut', async t => {
  const it = await scene(t, 2)
  it.second.quiet.add('quote')
  await delay(6000)
  it.second.quiet.clear()
  await delay(2000)
  await outage(it, 6000)
  await settled(it.run)
  const told = compare(t, it)
  for (const family of FAMILIES) t.same(told.get(family)?.missing, [], family)
})

t.test('a family that died on the first copy is taken anew there, and covered', async t => {
  const it = await scene(t, 2)
  it.first.quiet.add('quote')
  await until('asked anew', () => it.run.of('unsubscribed').length > 0)
  matchAll(t, it.run.of('unsubscribed'), [{ conn: 'd1', channels: ['quote.BTC-PERPETUAL'], reason: 'silent' }])
  it.first.quiet.clear()
  await settled(it.run)
  const told = compare(t, it)
  for (const family of FAMILIES) t.same(told.get(family)?.missing, [], family)
})

t.test('the second copy is half-open, and the first is cut', async t => {
  const it = await scene(t, 2)
  it.second.halfOpen()
  await delay(3000)
  await outage(it, 6000)
  await settledAsGap(it.run)
  const told = compare(t, it)
  for (const family of FAMILIES) t.equal(told.get(family)?.missing.length, 1, family)
})

t.test('the second copy is slow: what comes late is covered', async t => {
  const it = await scene(t, 2)
  it.second.delayMs = 1500
  await delay(3000)
  await outage(it, 6000)
  await settled(it.run)
  const told = compare(t, it)
  for (const family of FAMILIES) t.same(told.get(family)?.missing, [], family)
})

t.test('an exchange that answers with limits, twice, within one outage', async t => {
  const many = Array.from({ length: 600 }, (_, n) => `ticker.BTC-27NOV26-${50_000 + 100 * n}-C.100ms`)
  const it = await scene(t, 1, many)
  const { exchange, run } = it
  exchange.welcome = 'limited'
  it.first.cut()
  await until('two tries failed', () => run.of('disconnected').filter(one => one['before_live'] === true).length >= 2)
  exchange.welcome = 'served'
  await until('back', () => run.of('gap').length > 0)
  await delay(1000)
  t.equal(run.of('gap').length, 1)
  const entries = run.journal.map(({ event, recv_us, ...detail }) => journalEntry({ recvUs: recv_us }, event, detail))
  matchAll(t, gapsOf(entries), [{ kind: 'gap', conn: 'd1', fromUs: Number, toUs: Number }])
  t.equal(gapsOf(entries).length, 1, 'it begins once and ends once')
  const servedUs = exchange.sent.get('quote')?.[0] ?? 0
  const firstUs = exchange.unsent.get('quote')?.find(us => us > servedUs) ?? 0
  t.ok(Math.abs(Number(run.of('gap')[0]?.['from_us']) - firstUs) < S, 'from the first that nobody got')
})
