/** Steps of price, levels of a book, and what is told of their changes. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { ListingPicker } from '../../../simulator/market/listing-picker.js'
import type { Listing } from '../../../simulator/market/listing.js'
import { OrderBook, type Side } from '../../../simulator/market/order-book.js'
import { PriceGrid, stepsToValue } from '../../../simulator/market/price-grid.js'
import { fixedChance, Random } from '../../../simulator/market/random.js'
import { holds } from '../../fixtures/holds.js'

const SIDES = ['bids', 'asks'] as const
const change = fc.record({
  side: fc.constantFrom<Side>(...SIDES),
  ticks: fc.integer({ min: 1, max: 15 }),
  units: fc.integer({ min: 0, max: 5 }),
})

t.test('a book is what was set last at each price, best first; and touches lead from one state to the next', t => {
  holds(
    t,
    fc.property(fc.array(fc.array(change, { maxLength: 8 }), { maxLength: 8 }), batches => {
      const book = new OrderBook(0)
      const levels = { bids: new Map<number, number>(), asks: new Map<number, number>() }
      const told = { bids: new Map<number, number>(), asks: new Map<number, number>() }
      for (const batch of batches) {
        for (const { side, ticks, units } of batch) {
          book.set(side, ticks, units)
          if (units > 0) levels[side].set(ticks, units)
          else levels[side].delete(ticks)
        }
        for (const { side, ticks, before, after } of book.takeTouches()) {
          assert.notEqual(before, after, 'what ends as it began is no change')
          assert.equal(told[side].get(ticks) ?? 0, before)
          if (after > 0) told[side].set(ticks, after)
          else told[side].delete(ticks)
        }
        assert.deepEqual(told, levels)
        assert.deepEqual(book.takeTouches(), [], 'each is told once')
        for (const side of SIDES) {
          const outward = side === 'bids' ? -1 : 1
          const ordered = [...levels[side]]
            .sort(([a], [b]) => outward * (a - b))
            .map(([ticks, units]) => ({ ticks, units }))
          assert.deepEqual(book[side], ordered)
        }
        assert.deepEqual([book.bestBid, book.bestAsk], [book.bids[0], book.asks[0]])
      }
    }),
    { numRuns: 200 },
  )
  t.end()
})

t.test('prices are snapped to what is allowed, never past it, and as many steps as a decimal has', t => {
  const grid = fc
    .record({
      tickSize: fc.constantFrom(0.0001, 0.0005, 0.05, 0.5, 5),
      above: fc.integer({ min: 1, max: 60 }),
      factor: fc.constantFrom(2, 5, 10),
      isStepped: fc.boolean(),
    })
    .map(({ tickSize, above, factor, isStepped }) => {
      // Where a wider step begins it is a price of that step, as exchanges have it.
      const abovePrice = stepsToValue(above * factor, tickSize)
      return new PriceGrid(tickSize, isStepped ? [{ abovePrice, tickSize: stepsToValue(factor, tickSize) }] : [])
    })
  holds(
    t,
    fc.property(grid, fc.double({ min: 0, max: 5000, noNaN: true }), (grid, ticks) => {
      const [floor, ceil] = [grid.snap(ticks, 'floor'), grid.snap(ticks, 'ceil')]
      assert.ok(floor <= ticks && ticks <= ceil, `${floor} ${ticks} ${ceil}`)
      assert.ok(ceil - floor <= grid.stepAt(ticks))
      for (const at of [floor, ceil]) {
        assert.equal(at % grid.stepAt(at), 0, `${at} is allowed`)
        assert.equal(grid.snap(at, 'floor'), at)
        assert.equal(grid.snap(at, 'ceil'), at)
        const price = grid.toPrice(at)
        assert.ok(String(price).length <= 12, `${price} has no dust of floats`)
        assert.equal(Math.round(grid.toTicks(price)), at)
      }
    }),
    { numRuns: 500 },
  )
  t.equal(stepsToValue(3, 0.1), 0.3)
  t.equal(stepsToValue(7, 25), 175)
  t.end()
})

t.test('instruments are drawn by their weight; of none, none', t => {
  const picker = new ListingPicker()
  t.equal(picker.pick(new Random(1)), undefined)
  const listing = (name: string, weight: number) => ({ name, weight }) as unknown as Listing
  picker.rebuild([listing('never', 0), listing('seldom', 1), listing('often', 9), listing('last', 0)])
  const random = new Random(5)
  const drawn = new Map<string, number>()
  for (let draw = 0; draw < 5000; draw++) {
    const name = picker.pick(random)?.name ?? ''
    drawn.set(name, (drawn.get(name) ?? 0) + 1)
  }
  t.same([...drawn.keys()].sort(), ['often', 'seldom'])
  const share = (drawn.get('often') ?? 0) / 5000
  t.ok(share > 0.88 && share < 0.92, `${share}`)
  t.end()
})

t.test('chances are even, and those of the past are the same whenever they are asked for', t => {
  const random = new Random(11)
  const counts = [0, 0, 0, 0]
  let sum = 0
  let squares = 0
  for (let draw = 0; draw < 8000; draw++) {
    const place = random.int(0, 3)
    counts[place] = (counts[place] ?? NaN) + 1
    const normal = random.normal()
    sum += normal
    squares += normal * normal
    const between = random.between(-3, 7)
    if (!(between >= -3 && between < 7)) t.fail(`${between}`)
  }
  t.ok(
    counts.every(count => count > 1800 && count < 2200),
    counts.join(' '),
  )
  t.ok(Math.abs(sum / 8000) < 0.05 && Math.abs(squares / 8000 - 1) < 0.1)
  holds(
    t,
    fc.property(
      fc.integer(),
      fc.integer({ min: 0, max: 2 ** 45 }),
      fc.integer({ min: 0, max: 2 ** 45 }),
      (seed, one, other) => {
        const chance = fixedChance(seed, one, other)
        assert.ok(chance >= 0 && chance < 1)
        assert.equal(fixedChance(seed, one, other), chance)
      },
    ),
  )
  const spread = new Set(Array.from({ length: 1000 }, (_, hour) => Math.floor(10 * fixedChance(1, 7, hour))))
  t.equal(spread.size, 10, 'times that differ little have chances that differ much')
  t.end()
})
