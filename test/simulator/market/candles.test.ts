/** Bars of trades, days and hours: each is what its trades make it, in whatever width it is asked for. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { DAY_MS, expiriesAfter, lastFriday, nextTimeOfDay, yearsUntil } from '../../../simulator/market/calendar.js'
import { barStart, CandleTape, MINUTE_MS, type BarWidth, type Candle } from '../../../simulator/market/candles.js'
import { Market } from '../../../simulator/market/market.js'
import { pastCandles } from '../../../simulator/market/past-candles.js'
import { tickDirection, TradeTape, type Trade } from '../../../simulator/market/trades.js'
import { plainPlan } from '../plain-exchange.js'
import { holds } from '../../fixtures/holds.js'

const START_MS = Date.UTC(2028, 1, 28, 23, 30)

const made = fc.record({
  afterMs: fc.constantFrom(0, 1, 999, 20_000, 60_000, 61_000, 400_000),
  price: fc.integer({ min: 90, max: 110 }),
  amount: fc.integer({ min: 1, max: 9 }),
})
const width = fc.record({
  minutes: fc.constantFrom(1, 3, 5, 15, 60, 1440),
  opensAtMs: fc.constantFrom(0, 8 * 3_600_000, 16 * 3_600_000),
})

/** Trades, and the bars that they make. */
function tapeOf(list: readonly { afterMs: number; price: number; amount: number }[]) {
  const tape = new CandleTape()
  let ms = START_MS
  const trades = list.map(({ afterMs, price, amount }) => ({ ms: (ms += afterMs), price, amount }))
  for (const { ms, price, amount } of trades) tape.add({ timestampMs: ms, price } as Trade, amount, amount * price)
  return { tape, trades, lastMs: ms }
}

t.test('a bar is what its trades make it; without any it stands flat at the last close', t => {
  holds(
    t,
    fc.property(
      fc.array(made, { minLength: 1, maxLength: 30 }),
      width,
      fc.constantFrom(0, 1, 90_000),
      (list, width, laterMs) => {
        const { tape, trades, lastMs } = tapeOf(list)
        const bars = tape.range(width, 0, lastMs + laterMs)
        const stepMs = width.minutes * MINUTE_MS
        assert.equal(bars[0]?.tickMs, barStart(width, trades[0]?.ms ?? 0))
        assert.equal(bars.at(-1)?.tickMs, barStart(width, lastMs + laterMs))
        for (const [at, bar] of bars.entries()) {
          if (at > 0) assert.equal(bar.tickMs, (bars[at - 1]?.tickMs ?? 0) + stepMs)
          const own = trades.filter(({ ms }) => ms >= bar.tickMs && ms < bar.tickMs + stepMs)
          const prices = own.map(({ price }) => price)
          const close = bars[at - 1]?.close
          const expected: Partial<Candle> =
            own.length > 0
              ? {
                  open: prices[0] ?? NaN,
                  high: Math.max(...prices),
                  low: Math.min(...prices),
                  close: prices.at(-1) ?? NaN,
                }
              : { open: close ?? NaN, high: close ?? NaN, low: close ?? NaN, close: close ?? NaN }
          const volume = own.reduce((sum, { amount }) => sum + amount, 0)
          const cost = own.reduce((sum, { amount, price }) => sum + amount * price, 0)
          assert.deepEqual(bar, { tickMs: bar.tickMs, ...expected, volume, cost })
        }
        for (const { ms } of trades)
          assert.deepEqual(
            tape.bar(width, ms),
            bars.find(({ tickMs }) => tickMs === barStart(width, ms)),
          )
      },
    ),
    { numRuns: 150 },
  )
  t.same(new CandleTape().range({ minutes: 1, opensAtMs: 0 }, 0, START_MS), [], 'nothing before the first trade')
  t.end()
})

t.test('bars of the past are the same in whatever piece they are asked for, and end where trades begin', t => {
  const market = new Market(plainPlan, {
    seed: 3,
    startMs: START_MS,
    stepMs: 10,
    eventsPerStep: 5,
    options: 4,
    depth: 5,
    newInstrumentEveryMs: 0,
  })
  for (let step = 0; step < 100; step++) market.step()
  const listing = market.find('linear:BTCUSDT')
  assert.ok(listing)
  const first = listing.candles.first?.tickMs ?? 0
  holds(
    t,
    fc.property(
      width.filter(({ minutes }) => minutes < 1440),
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 1, max: 300 }),
      (bars: BarWidth, one, other) => {
        const stepMs = bars.minutes * MINUTE_MS
        const endMs = barStart(bars, first)
        const of = (count: number) => pastCandles(listing, 3, bars, endMs - count * stepMs, 5000)
        const [long, short] = [of(Math.max(one, other)), of(Math.min(one, other))]
        assert.deepEqual(
          short,
          short.length === 0 ? [] : long.slice(-short.length),
          'a shorter piece is the end of a longer one',
        )
        for (const [at, bar] of long.entries()) {
          const { tickMs, open, high, low, close, volume, cost } = bar
          assert.ok(low <= Math.min(open, close) && high >= Math.max(open, close) && low > 0)
          assert.ok(volume > 0 && cost > 0)
          assert.ok(tickMs < endMs)
          if (at > 0) {
            assert.equal(tickMs, (long[at - 1]?.tickMs ?? 0) + stepMs)
            assert.equal(open, long[at - 1]?.close, 'a bar opens where the one before closed')
          }
        }
        assert.ok(pastCandles(listing, 3, bars, 0, 10).length <= 10, 'no more than asked for')
      },
    ),
    { numRuns: 40 },
  )
  t.same(pastCandles(listing, 3, { minutes: 1, opensAtMs: 0 }, first, 10), [])
  t.end()
})

t.test('days begin where they are told, over leap days and the ends of years', t => {
  const anyMs = fc.integer({ min: Date.UTC(2024, 0, 1), max: Date.UTC(2060, 0, 1) })
  holds(
    t,
    fc.property(
      anyMs,
      fc.integer({ min: 0, max: DAY_MS - 1 }),
      fc.integer({ min: 1, max: 10 }),
      (ms, timeOfDayMs, count) => {
        const next = nextTimeOfDay(ms, timeOfDayMs)
        assert.ok(next > ms && next - ms <= DAY_MS)
        assert.equal(next % DAY_MS, timeOfDayMs)
        const expiries = expiriesAfter(ms, count, timeOfDayMs)
        assert.equal(expiries.length, count)
        assert.equal(expiries[0], next)
        for (const [at, expiry] of expiries.entries()) {
          assert.ok(at === 0 || expiry > (expiries[at - 1] ?? Infinity), 'rising, none twice')
          assert.equal(expiry % DAY_MS, timeOfDayMs)
          assert.ok(at < 2 || new Date(expiry - timeOfDayMs).getUTCDay() === 5, 'after two days all are Fridays')
          assert.ok(yearsUntil(expiry, ms) > 0)
        }
        const friday = lastFriday(ms, 0, timeOfDayMs)
        const date = new Date(friday - timeOfDayMs)
        assert.equal(date.getUTCDay(), 5)
        assert.equal(date.getUTCMonth(), new Date(ms).getUTCMonth())
        assert.notEqual(
          new Date(friday - timeOfDayMs + 7 * DAY_MS).getUTCMonth(),
          date.getUTCMonth(),
          'none after it in its month',
        )
      },
    ),
    { numRuns: 300 },
  )
  t.equal(nextTimeOfDay(Date.UTC(2026, 0, 1, 8), 8 * 3_600_000), Date.UTC(2026, 0, 2, 8), 'the moment itself is over')
  t.equal(lastFriday(Date.UTC(2026, 11, 31), 1, 0), Date.UTC(2027, 0, 29))
  t.equal(yearsUntil(5, 10), 0, 'what is over has no time left')
  t.end()
})

t.test('of trades the newest are kept, and each says whether the price rose, fell, or stayed as it had', t => {
  const tape = new TradeTape(100)
  for (let seq = 1; seq <= 1234; seq++) {
    tape.push({ tradeSeq: seq } as Trade)
    const kept = tape.all.map(({ tradeSeq }) => tradeSeq)
    const expected = Math.min(seq, 100)
    if (kept.length !== expected || kept.at(-1) !== seq || kept[0] !== seq - expected + 1)
      t.fail(`after ${seq} trades: ${kept.length}`)
  }
  holds(
    t,
    fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 30 }), prices => {
      let last: number | undefined
      let direction = 0
      for (const [at, price] of prices.entries()) {
        direction = tickDirection(price, last, direction)
        const other = prices.slice(0, at).findLast(one => one !== price)
        const isUp = other === undefined || price > other
        assert.equal(direction, (isUp ? 0 : 2) + (last === price ? 1 : 0))
        last = price
      }
    }),
  )
  t.end()
})
