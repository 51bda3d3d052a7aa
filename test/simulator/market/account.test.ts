/** The market as one who hears all of it: nothing is told that does not add up, whatever is ordered. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { MarketEvent } from '../../../simulator/market/events.js'
import type { Listing } from '../../../simulator/market/listing.js'
import { Market, type MarketOptions } from '../../../simulator/market/market.js'
import { plainPlan } from '../plain-exchange.js'
import { holds } from '../../fixtures/holds.js'

const OPTIONS: MarketOptions = {
  seed: 1,
  startMs: Date.UTC(2026, 11, 31, 15, 59, 58),
  stepMs: 50,
  eventsPerStep: 8,
  options: 60,
  depth: 12,
  newInstrumentEveryMs: 1500,
}

type Levels = Record<'bids' | 'asks', Map<number, number>>
const levelsOf = ({ book }: Listing): Levels => ({
  bids: new Map(book.bids.map(({ ticks, units }) => [ticks, units])),
  asks: new Map(book.asks.map(({ ticks, units }) => [ticks, units])),
})
const ordered = ({ bids, asks }: Levels) => [bids, asks].map(side => [...side].sort(([a], [b]) => a - b))

/** Follows a market by its events alone. */
class Witness {
  readonly books = new Map<string, { levels: Levels; id: number }>()
  readonly states = new Map<string, string[]>()
  readonly created: string[] = []
  readonly lastSeq = new Map<string, number>()
  trades = 0

  constructor(market: Market) {
    for (const listing of market.listings.values()) {
      this.books.set(listing.name, { levels: levelsOf(listing), id: listing.book.changeId })
      this.lastSeq.set(listing.name, listing.tradeSeq)
    }
    market.listen(event => this.#hear(event))
  }

  #hear(event: MarketEvent): void {
    if (event.type === 'second') return
    const { name } = event.listing
    switch (event.type) {
      case 'created':
        this.created.push(name)
        this.books.set(name, { levels: levelsOf(event.listing), id: event.listing.book.changeId })
        this.lastSeq.set(name, event.listing.tradeSeq)
        return
      case 'state':
        this.states.set(name, [...(this.states.get(name) ?? []), event.listing.state])
        return
      case 'book': {
        const known = this.books.get(name)
        assert.ok(known, `${name} is known before its book changes`)
        assert.equal(event.previousId, known.id, 'each change names the one before')
        assert.ok(event.listing.book.changeId > known.id)
        known.id = event.listing.book.changeId
        for (const { side, ticks, before, after } of event.touches) {
          assert.equal(known.levels[side].get(ticks) ?? 0, before)
          if (after > 0) known.levels[side].set(ticks, after)
          else known.levels[side].delete(ticks)
        }
        return
      }
      case 'trades':
        for (const trade of event.trades) {
          this.trades++
          assert.equal(trade.tradeSeq, (this.lastSeq.get(name) ?? NaN) + 1, `${name} counts its trades one by one`)
          this.lastSeq.set(name, trade.tradeSeq)
          assert.ok(trade.price > 0 && trade.amount > 0)
          assert.equal(event.listing.state, 'open', 'nothing trades that is not open')
        }
    }
  }
}

t.test(
  'from its events alone every book, number and state of the market is known, over the end of a day and of a year',
  t => {
    holds(
      t,
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.constantFrom(0, 1500), (seed, newInstrumentEveryMs) => {
        const market = new Market(plainPlan, { ...OPTIONS, seed, newInstrumentEveryMs })
        const witness = new Witness(market)
        for (let step = 0; step < 120; step++) market.step()
        for (const listing of market.listings.values()) {
          assert.deepEqual(
            ordered(witness.books.get(listing.name)?.levels ?? { bids: new Map(), asks: new Map() }),
            ordered(levelsOf(listing)),
          )
          const { day, candles } = listing
          if (day.open !== undefined) assert.ok((day.low ?? NaN) <= day.open && day.open <= (day.high ?? NaN))
          const bar = candles.bar({ minutes: 1440, opensAtMs: plainPlan.settlesAtMs }, market.nowMs)
          if (bar && day.open !== undefined)
            assert.ok(Math.abs(bar.volume - day.volume) < 1e-6, `${listing.name}: a day's bar has the day's volume`)
          assert.ok(listing.openInterest >= 0)
        }
        assert.ok(witness.trades > 50)
      }),
      { numRuns: 4 },
    )
    t.end()
  },
)

t.test(
  'an instrument that was listed on demand came a second time with those of the new day, and its book was gone',
  t => {
    const market = new Market(plainPlan, { ...OPTIONS, stepMs: 1000, eventsPerStep: 0.1, newInstrumentEveryMs: 5000 })
    const { created } = new Witness(market)
    for (let step = 0; step < 620; step++) market.step()
    const twice = created.filter((name, at) => created.indexOf(name) !== at)
    t.ok(created.length > 50)
    t.same(twice, [])
    t.end()
  },
)

t.test('one that is ordered to expire twice, or on the day when it does anyway, was delivered twice', t => {
  const market = new Market(plainPlan, { ...OPTIONS, eventsPerStep: 1, newInstrumentEveryMs: 0 })
  const { states } = new Witness(market)
  const ending = [...market.listings.values()].filter(
    ({ instrument }) => instrument.expiryMs < OPTIONS.startMs + 60_000,
  )
  const [today, another] = [ending[0]?.name ?? '', 'spot:BTCUSDT']
  t.ok(market.expire(today))
  t.ok(market.expire(another))
  for (let step = 0; step < 20; step++) market.step()
  market.expire(another)
  t.equal(market.expire('nobody'), undefined)
  for (let step = 0; step < 14_000; step++) market.step()
  for (const name of [today, another]) t.same(states.get(name), ['settling', 'delivered', 'archived'], name)
  t.ok(market.expired.has(another) && !market.listings.has(another))
  t.end()
})

t.test('numbers of trades that begin anew do so at once, and those of others go on', t => {
  const market = new Market(plainPlan, OPTIONS)
  const { lastSeq } = new Witness(market)
  const name = 'linear:BTCUSDT'
  t.ok((lastSeq.get(name) ?? 0) > 1000)
  market.renumber(name)
  market.renumber('nobody')
  lastSeq.set(name, 0)
  for (let step = 0; step < 60; step++) market.step()
  t.ok((lastSeq.get(name) ?? 0) > 0 && (lastSeq.get(name) ?? 0) < 1000)
  t.end()
})
