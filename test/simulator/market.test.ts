import { createHash } from 'node:crypto'
import t from 'tap'
import { normalCdf, valueOption } from '../../simulator/market/black-scholes.js'
import { expiriesAfter } from '../../simulator/market/calendar.js'
import type { MarketEvent } from '../../simulator/market/events.js'
import { Market, type MarketOptions } from '../../simulator/market/market.js'
import { plainPlan } from './plain-exchange.js'

const OPTIONS: MarketOptions = {
  seed: 7,
  startMs: Date.UTC(2026, 10, 22, 15, 59, 55),
  stepMs: 10,
  eventsPerStep: 20,
  options: 80,
  depth: 30,
  newInstrumentEveryMs: 3_000,
}

/** A digest of everything that happens, and how much that was. */
function storyOf(options: MarketOptions, steps: number): { events: number; digest: string } {
  const market = new Market(plainPlan, options)
  const story = [...market.listings.keys()]
  market.listen((event: MarketEvent) => {
    if (event.type === 'trades')
      story.push(event.trades.map(({ tradeId, price, amount }) => `${tradeId} ${price} ${amount}`).join())
    else if (event.type === 'book') story.push(`${event.listing.book.changeId} ${JSON.stringify(event.touches)}`)
    else if (event.type === 'second') story.push(market.indices.names.map(name => market.indices.price(name)).join())
    else story.push(`${event.type} ${event.listing.name} ${event.listing.state} ${event.ms}`)
  })
  for (let step = 0; step < steps; step++) market.step()
  return { events: story.length, digest: createHash('sha256').update(story.join('\n')).digest('hex') }
}

t.test('the same seed and start make the same market, another seed another one', t => {
  const first = storyOf(OPTIONS, 800)
  t.ok(first.events > 10_000)
  t.strictSame(storyOf(OPTIONS, 800), first)
  t.not(storyOf({ ...OPTIONS, seed: 8 }, 800).digest, first.digest)
  t.not(storyOf({ ...OPTIONS, startMs: OPTIONS.startMs + 1000 }, 800).digest, first.digest)
  t.end()
})

t.test('books never cross, prices stay on their grid', t => {
  const market = new Market(plainPlan, OPTIONS)
  const isUnquoted = () => [...market.listings.values()].some(({ book }) => book.changeId === 0)
  t.ok(isUnquoted(), 'some books were never quoted')
  for (let step = 0; step < 400; step++) market.step()
  for (const { book, instrument, name } of market.listings.values()) {
    const [bid, ask] = [book.bestBid, book.bestAsk]
    if (bid && ask && bid.ticks >= ask.ticks) t.fail(`${name} crosses`)
    for (const level of [...book.bids, ...book.asks]) {
      if (level.units <= 0 || level.ticks % instrument.grid.stepAt(level.ticks) !== 0) t.fail(`${name} off grid`)
    }
  }
  t.ok(isUnquoted(), 'some books were never quoted')
  t.end()
})

t.test('one symbol in several categories is several instruments, each with its own terms', t => {
  const market = new Market(plainPlan, OPTIONS)
  const [linear, inverse, spot] = ['linear', 'inverse', 'spot'].map(
    category => market.find(`${category}:BTCUSDT`)?.instrument,
  )
  t.match(linear, { symbol: 'BTCUSDT', category: 'linear', kind: 'perpetual', settle: 'USDT', linear: true })
  t.match(inverse, { symbol: 'BTCUSDT', category: 'inverse', kind: 'perpetual', settle: 'BTC', linear: false })
  t.match(spot, { symbol: 'BTCUSDT', category: 'spot', kind: 'spot', settle: 'USDT', contractSize: 0.01 })
  t.equal(linear?.expiryMs, Infinity)
  const option = [...market.listings.values()].find(({ instrument }) => instrument.kind === 'option')?.instrument
  t.match(option, { category: 'option', base: 'BTC', quote: 'USDT', settle: 'USDT' })
  t.ok(Number.isFinite(option?.strike) && Number.isFinite(option?.expiryMs))
  t.end()
})

t.test('at the hour of its plan what expires is settled, delivered, archived, and successors come', t => {
  const market = new Market(plainPlan, { ...OPTIONS, newInstrumentEveryMs: 0, eventsPerStep: 0.2 })
  const endMs = Date.UTC(2026, 10, 22, 16)
  const expiring = [...market.listings.values()].filter(({ instrument }) => instrument.expiryMs === endMs)
  t.ok(expiring.length > 5)
  const states = new Map<string, string[]>()
  const created: string[] = []
  market.listen(event => {
    if (event.type === 'state')
      states.set(event.listing.name, [...(states.get(event.listing.name) ?? []), event.listing.state])
    if (event.type === 'created') created.push(event.listing.name)
  })
  for (let step = 0; step < 10 * 60 * 100; step++) market.step()
  for (const { name, book, deliveryPrice, instrument } of expiring) {
    t.strictSame(states.get(name), ['settling', 'delivered'], name)
    t.notOk(market.listings.has(name))
    t.ok(market.expired.has(name))
    t.strictSame([book.bids.length, book.asks.length], [0, 0])
    t.ok(deliveryPrice !== undefined && market.indices.has(instrument.index))
  }
  t.ok(created.length > 5, 'a new day is listed')
  t.ok(created.every(name => market.listings.has(name)))
  for (let step = 0; step < 60 * 100; step++) market.step()
  t.strictSame(states.get(expiring[0]?.name ?? '')?.at(-1), 'archived')
  t.end()
})

t.test('Black-Scholes against known values', t => {
  t.ok(Math.abs(normalCdf(1.96) - 0.9750021) < 1e-6)
  const terms = { forward: 100, strike: 100, years: 1, volatility: 0.2 }
  const call = valueOption({ ...terms, call: true })
  const put = valueOption({ ...terms, call: false })
  t.ok(Math.abs(call.price - 7.9656) < 1e-3)
  t.ok(Math.abs(call.price - put.price) < 1e-6, 'parity at the forward')
  t.ok(Math.abs(call.delta - put.delta - 1) < 1e-6)
  t.end()
})

t.test('expiries rise: days, Fridays, months', t => {
  const expiries = expiriesAfter(OPTIONS.startMs, 8, 8 * 3_600_000)
  t.strictSame(
    expiries.map(ms => new Date(ms).toISOString()),
    ['11-23', '11-24', '11-27', '12-04', '12-11', '12-25']
      .map(day => `2026-${day}T08:00:00.000Z`)
      .concat(['01-29', '02-26'].map(day => `2027-${day}T08:00:00.000Z`)),
  )
  t.end()
})
