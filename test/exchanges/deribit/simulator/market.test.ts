import { createHash } from 'node:crypto'
import t from 'tap'
import type { MarketEvent } from '../../../../simulator/market/events.js'
import { Market, type MarketOptions } from '../../../../simulator/market/market.js'
import { normalCdf, valueOption } from '../../../../simulator/market/black-scholes.js'
import { expiriesAfter, parseDateCode, dateCode, settlementPeriodOf } from '../../../../simulator/market/calendar.js'
import { instrumentFromName } from '../../../../exchanges/deribit/simulator/instrument-names.js'
import { encode } from '../../../../exchanges/deribit/simulator/json-text.js'
import { tradeFields } from '../../../../simulator/market/trades.js'

const OPTIONS: MarketOptions = {
  seed: 7,
  startMs: Date.UTC(2026, 10, 22, 7, 59, 55),
  stepMs: 10,
  eventsPerStep: 20,
  options: 80,
  depth: 30,
  newInstrumentEveryMs: 3_000,
}

/** A digest of everything that reaches the wire, and how much that was. */
function storyOf(options: MarketOptions, steps: number): { events: number; digest: string } {
  const market = new Market(options)
  const story = [...market.listings.keys()]
  market.listen((event: MarketEvent) => {
    if (event.type === 'trades') story.push(event.trades.map(trade => encode(tradeFields(trade), 'plain')).join())
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
  const market = new Market(OPTIONS)
  t.ok(
    [...market.listings.values()].some(({ book }) => book.changeId === 0),
    'some books were never quoted',
  )
  for (let step = 0; step < 400; step++) market.step()
  for (const { book, instrument, name } of market.listings.values()) {
    const [bid, ask] = [book.bestBid, book.bestAsk]
    if (bid && ask && bid.ticks >= ask.ticks) t.fail(`${name} crosses`)
    for (const level of [...book.bids, ...book.asks]) {
      if (level.units <= 0 || level.ticks % instrument.grid.stepAt(level.ticks) !== 0) t.fail(`${name} off grid`)
    }
  }
  t.ok(
    [...market.listings.values()].some(({ book }) => book.changeId === 0),
    'some books were never quoted',
  )
  t.end()
})

t.test('expiry at 08:00: settlement, delivered, archivized, and the day’s successors', t => {
  const market = new Market({ ...OPTIONS, newInstrumentEveryMs: 0, eventsPerStep: 0.2 })
  const expiring = [...market.listings.values()].filter(
    ({ instrument }) => instrument.expiryMs === Date.UTC(2026, 10, 22, 8),
  )
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
    t.strictSame(states.get(name), ['settlement', 'delivered'], name)
    t.notOk(market.listings.has(name))
    t.ok(market.expired.has(name))
    t.strictSame([book.bids.length, book.asks.length], [0, 0])
    t.ok(deliveryPrice !== undefined && market.indices.has(instrument.index))
  }
  t.ok(created.length > 5, 'a new day is listed')
  t.ok(created.every(name => market.listings.has(name)))
  for (let step = 0; step < 60 * 100; step++) market.step()
  t.strictSame(states.get(expiring[0]?.name ?? '')?.at(-1), 'archivized')
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

t.test('names and dates', t => {
  t.equal(dateCode(Date.UTC(2026, 4, 5, 8)), '5MAY26')
  t.equal(parseDateCode('25DEC26'), Date.UTC(2026, 11, 25, 8))
  t.equal(settlementPeriodOf(Date.UTC(2026, 11, 25, 8)), 'month')
  t.equal(settlementPeriodOf(Date.UTC(2026, 11, 18, 8)), 'week')
  t.equal(settlementPeriodOf(Date.UTC(2026, 11, 17, 8)), 'day')
  t.ok(expiriesAfter(OPTIONS.startMs, 8).every((ms, n, all) => n === 0 || ms > (all[n - 1] ?? 0)))
  const birth = { id: 1, createdMs: 0 }
  t.match(instrumentFromName('XRP_USDC-30JUN23-0d625-C', birth), {
    kind: 'option',
    strike: 0.625,
    currency: 'USDC',
    call: true,
  })
  t.match(instrumentFromName('BTC-FS-25DEC26_PERP', birth), {
    kind: 'future_combo',
    expiryMs: Date.UTC(2026, 11, 25, 8),
  })
  t.match(instrumentFromName('BTC-CCAL-25DEC26_25SEP26-55000', birth), {
    kind: 'option_combo',
    expiryMs: Date.UTC(2026, 8, 25, 8),
  })
  t.match(instrumentFromName('1000PEPE_USDC-PERPETUAL', birth), { kind: 'future', linear: true, currency: 'USDC' })
  t.match(instrumentFromName('ETH_BTC', birth), { kind: 'spot', currency: 'BTC' })
  t.equal(instrumentFromName('what is this', birth), undefined)
  t.end()
})
