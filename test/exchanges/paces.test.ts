/** How fast is asked, how often again, and when books have their turn. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import pino from 'pino'
import t from 'tap'
import { booksDue } from '../../exchanges/book-refresh.js'
import { Credits } from '../../exchanges/credits.js'
import { PlannedSnapshots } from '../../exchanges/planned-snapshots.js'
import { Refusals } from '../../exchanges/refusals.js'
import { movedTime } from '../fixtures/moved-time.js'
import { holds } from '../fixtures/holds.js'

const call = fc.record({ afterMs: fc.nat({ max: 5000 }), cost: fc.integer({ min: 1, max: 100 }) })

t.test('calls that wait as they are told never cost more than the pool and what came into it', t => {
  holds(
    t,
    fc.property(
      fc.array(call, { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 100, max: 400 }),
      fc.integer({ min: 1, max: 200 }),
      (calls, capacity, perSecond) => {
        let nowMs = 0
        const credits = new Credits(capacity, perSecond, () => nowMs)
        const made: { atMs: number; cost: number }[] = []
        for (const { afterMs, cost } of calls) {
          nowMs += afterMs
          const waitMs = credits.take(cost)
          assert.ok(waitMs >= 0)
          made.push({ atMs: nowMs + waitMs, cost })
        }
        for (const [at, { atMs }] of made.entries()) {
          assert.ok(at === 0 || atMs >= (made[at - 1]?.atMs ?? 0), 'who asks first is served first')
          let cost = 0
          for (const later of made.slice(at)) {
            cost += later.cost
            const most = capacity + (perSecond * (later.atMs - atMs)) / 1000
            assert.ok(cost <= most + 1e-6, `${cost} from ${atMs} to ${later.atMs}, at most ${most}`)
          }
        }
      },
    ),
  )
  t.end()
})

t.test('whoever waits long enough waits no longer: a pool is full again, and no fuller', t => {
  let nowMs = 0
  const credits = new Credits(10, 5, () => nowMs)
  t.equal(credits.take(10), 0)
  t.equal(credits.take(5), 1000)
  nowMs = 3_600_000
  t.equal(credits.take(10), 0)
  t.equal(credits.take(1), 200, 'an hour did not save more than the pool holds')
  t.end()
})

t.test(
  'refused channels: the next try is where the wait of the first of them ends, and nothing is lost on the way',
  t => {
    const channel = fc.constantFrom('a', 'b', 'c')
    const step = fc.oneof(
      fc.record({ refused: fc.uniqueArray(channel, { minLength: 1 }), code: fc.constantFrom(undefined, 1, 2) }),
      fc.record({ accepted: channel }),
      fc.record({ passedMs: fc.constantFrom(1000, 2000, 8000, 60_000, 240_000, 1_000_000) }),
    )
    holds(
      t,
      fc.property(fc.array(step, { maxLength: 40 }), steps => {
        let nowMs = 0
        const refusals = new Refusals([1], () => nowMs)
        const againAtMs = new Map<string, number>()
        for (const step of steps) {
          if ('passedMs' in step) nowMs += step.passedMs
          else if ('accepted' in step) {
            againAtMs.delete(step.accepted)
            refusals.keepOnly(one => one !== step.accepted)
          } else {
            const waitMs = refusals.note(step.refused, step.code)
            assert.ok(waitMs >= 2000, 'never at once')
            if (step.code === 1) assert.ok(waitMs <= 60_000, 'what passes is asked for soon')
            const notedMs = nowMs
            nowMs += Math.min(waitMs, 1e9) - 1
            assert.ok(!step.refused.some(one => refusals.allows(one)), 'one ms too soon')
            nowMs = notedMs
            for (const one of step.refused) {
              const soonest = Math.min(
                ...[2000, 8000, 30_000, 60_000, 240_000, 960_000, 3_600_000, Infinity].filter(ms => ms >= waitMs),
              )
              againAtMs.set(one, nowMs + soonest)
            }
          }
          for (const one of ['a', 'b', 'c']) {
            if (!againAtMs.has(one)) assert.ok(refusals.allows(one), 'what was never refused may be asked for')
            else if (refusals.allows(one)) assert.ok((againAtMs.get(one) ?? 0) <= nowMs, 'not before its time')
          }
          const { nextWaitMs } = refusals
          if (nextWaitMs === Infinity || nextWaitMs === 0) continue
          const atMs = nowMs
          const before = ['a', 'b', 'c'].filter(one => refusals.allows(one)).length
          nowMs = atMs + nextWaitMs
          assert.ok(
            ['a', 'b', 'c'].filter(one => refusals.allows(one)).length > before,
            'then one more may be asked for',
          )
          nowMs = atMs
        }
      }),
    )
    t.end()
  },
)

const books = Array.from({ length: 40 }, (_, at) => `book.BTC-${at}.100ms`)

t.test('each book has one turn in a period, wherever looks fall and however long one is late', t => {
  const looks = fc.array(fc.integer({ min: 1, max: 90_000 }), { minLength: 5, maxLength: 60 })
  holds(
    t,
    fc.property(
      looks,
      fc.constantFrom(600_000, 3_600_000, 777_777, 359_999.99999999994),
      fc.nat({ max: 2 ** 20 }),
      (waits, periodMs, part) => {
        let atMs = 1.795e12 + part / 4096
        const fromMs = atMs
        const turns = new Map<string, number>()
        for (const wait of [...waits, periodMs]) {
          // In quarters of µs, as the clock that never goes back counts.
          const toMs = atMs + Math.ceil(wait * 4096) / 4096
          for (const book of booksDue(books, 'd1', periodMs, atMs, toMs)) turns.set(book, (turns.get(book) ?? 0) + 1)
          atMs = toMs
        }
        const periods = (atMs - fromMs) / periodMs
        for (const book of books) {
          const count = turns.get(book) ?? 0
          assert.ok(count >= 1, `${book} had its turn`)
          assert.ok(count <= Math.ceil(periods) + 1, `${book}: ${count} turns in ${periods} periods`)
        }
      },
    ),
  )
  const eachMs = Array.from({ length: 1000 }, (_, at) => booksDue(books, 'd1', 1000, at, at + 1)).flat()
  t.same(eachMs.sort(), [...books].sort(), 'a turn at the very moment of a look is in one span, not in two')
  t.same(booksDue(books, 'd1', 600_000, 5000, 5000), [], 'no time, no turn')
  t.same(booksDue(books, 'd1', 600_000, 5000, 4000), [])
  t.same(booksDue(books, 'd1', 600_000, 5000, 605_000), books, 'a whole period has all of them, once')
  t.end()
})

t.test('books are taken anew a few at a time, all of them once in their period, until the connection ends', async t => {
  await movedTime(async pass => {
    const taken: (readonly string[])[] = []
    const snapshots = new PlannedSnapshots({
      link: { conn: 'd1' },
      log: pino({ level: 'silent' }),
      hours: 1,
      books: () => books,
      others: (fromMs, toMs) => (toMs > fromMs && taken.length === 0 ? ['tickers.BTCUSDT'] : []),
      resubscribe: (channels, reason) => {
        t.equal(reason, 'planned snapshot')
        taken.push(channels)
        return taken.length % 2 === 0 ? Promise.reject(new Error('refused')) : Promise.resolve()
      },
    })
    snapshots.start()
    await pass(3_600_000, 20_000)
    t.same(taken.flat().sort(), [...books, 'tickers.BTCUSDT'].sort(), 'also where one of the requests was refused')
    t.ok(Math.max(...taken.map(({ length }) => length)) <= 6, 'spread over the hour')
    snapshots.close()
    const { length } = taken
    await pass(3_600_000, 20_000)
    t.equal(taken.length, length, 'nothing more of a connection that ended')
  })
})

t.test('0 hours: no book is ever taken anew', async t => {
  await movedTime(async pass => {
    const asked: string[] = []
    const resubscribe = () => {
      asked.push('for books')
      return Promise.resolve()
    }
    const books = () => {
      asked.push('which there are')
      return []
    }
    const deps = { link: { conn: 'd1' }, log: pino({ level: 'silent' }), hours: 0, resubscribe, books }
    const snapshots = new PlannedSnapshots(deps)
    snapshots.start()
    await pass(600_000, 20_000)
    snapshots.close()
    t.same(asked, [])
  })
})
