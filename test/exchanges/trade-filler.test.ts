/** Missing trades are asked for until they are there, or told as lost: exactly those, whatever the exchange answers. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import pino from 'pino'
import t from 'tap'
import type { Recording } from '../../exchanges/adapter.js'
import { TradeFiller, type TradeFillerDeps, type TradeOrder } from '../../exchanges/trade-filler.js'
import { TradeSequences } from '../../exchanges/trade-sequences.js'
import { matchAll } from '../fixtures/match-all.js'
import { movedTime, type Pass } from '../fixtures/moved-time.js'
import { holds } from '../fixtures/holds.js'

interface Entry {
  event: string
  instrument: string
  from_seq: number
  to_seq: number
  trades?: number
  outcome?: string
  got?: readonly (readonly [number, number])[]
  message?: string
}

/** An exchange that has some of what is asked for, and a filler that asks it. */
class World {
  readonly sequences = new TradeSequences()
  readonly journal: Entry[] = []
  readonly asked: { instrument: string; from: number; to: number }[] = []
  readonly filler: TradeFiller
  /** What the exchange gives of an order; throws where it refuses. */
  answer: (order: TradeOrder) => readonly number[] = ({ from, to }) => numbers(from, to)
  readonly #end = new AbortController()
  readonly #startMs = performance.now()
  readonly #running: Promise<void>

  constructor(over: Partial<TradeFillerDeps> = {}) {
    const recording = {
      journal: (event: string, facts: object) => void this.journal.push({ event, ...facts } as Entry),
      nowUs: () => 1000 * (performance.now() - this.#startMs),
    } as unknown as Recording
    this.filler = new TradeFiller({
      sequences: this.sequences,
      recording,
      log: pino({ level: 'silent' }),
      tradesPerHoleMax: 1000,
      ask: order => {
        this.asked.push({ instrument: order.hole.instrument, from: order.from, to: order.to })
        for (const number of this.answer(order)) order.got.add(number)
        return Promise.resolve()
      },
      isNotFound: error => error instanceof RangeError,
      ...over,
    })
    this.#running = this.filler.run(this.#end.signal)
  }

  /** Trades of an instrument came, and these between did not. */
  miss(instrument: string, from: number, to: number): void {
    this.sequences.see(instrument, from - 1, 0)
    this.sequences.see(instrument, to + 1, 1)
  }

  of(event: string): Entry[] {
    return this.journal.filter(entry => entry.event === event)
  }

  async end(pass: Pass): Promise<void> {
    this.#end.abort()
    await pass(600)
    await this.#running
  }
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at)

async function world(run: (world: World, pass: Pass) => Promise<void>, over?: Partial<TradeFillerDeps>): Promise<void> {
  await movedTime(async pass => {
    const one = new World(over)
    await run(one, pass)
    await one.end(pass)
  })
}

t.test('late frames and the other connection have their time before anybody asks', async t => {
  await world(async (world, pass) => {
    world.miss('A', 5, 9)
    world.miss('B', 5, 9)
    await pass(2000)
    for (const seq of numbers(5, 9)) world.sequences.see('A', seq, 2)
    await pass(2000)
    t.same(world.asked, [{ instrument: 'B', from: 5, to: 9 }])
    matchAll(t, world.journal, [
      { event: 'trade_hole', instrument: 'B', from_seq: 5, to_seq: 9 },
      { event: 'backfill', instrument: 'B', from_seq: 5, to_seq: 9, trades: 5, outcome: 'filled' },
    ])
    t.equal(world.filler.waiting, 0)
  })
})

t.test('a history that is behind is asked again a few times, then what it lacks is told, range by range', async t => {
  await world(async (world, pass) => {
    world.answer = () => [5, 6, 9]
    world.miss('A', 5, 10)
    await pass(30_000)
    t.equal(world.asked.length, 4)
    matchAll(t, world.of('backfill'), [
      {
        from_seq: 5,
        to_seq: 10,
        trades: 3,
        outcome: 'partly',
        got: [
          [5, 6],
          [9, 9],
        ],
      },
    ])
    t.match(world.of('backfill')[0]?.message, /no more of them/)
  })
})

t.test('what comes in after all while it is asked again makes the hole whole', async t => {
  await world(async (world, pass) => {
    const behind = [[5], [], [6, 7]]
    world.answer = () => behind.shift() ?? []
    world.miss('A', 5, 7)
    await pass(30_000)
    matchAll(t, world.of('backfill'), [{ trades: 3, outcome: 'filled' }])
    t.equal(world.asked.length, 3, 'and no further question')
  })
})

t.test('an instrument that is not there any more is told as lost; a broken exchange is asked for ever', async t => {
  await world(async (world, pass) => {
    let isBroken = true
    world.answer = ({ hole, from, to }) => {
      if (hole.instrument === 'gone') throw new RangeError('no such instrument')
      if (isBroken) throw new Error('no answer')
      return numbers(from, to)
    }
    world.miss('gone', 5, 5)
    world.miss('A', 5, 5)
    await pass(1_000_000, 500)
    matchAll(t, world.of('backfill'), [
      { instrument: 'gone', trades: 0, outcome: 'unavailable', message: 'no such instrument' },
    ])
    const ofA = world.asked.filter(({ instrument }) => instrument === 'A').length
    t.ok(ofA > 10 && ofA < 40, `${ofA} questions in a quarter of an hour`)
    isBroken = false
    await pass(70_000, 500)
    matchAll(t, world.of('backfill').slice(1), [{ instrument: 'A', trades: 1, outcome: 'filled' }])
  })
})

t.test('while nothing can be had nobody else is asked for either: one question at a time finds out', async t => {
  await world(async (world, pass) => {
    world.answer = () => {
      throw new Error('no answer')
    }
    for (const instrument of ['A', 'B', 'C', 'D']) world.miss(instrument, 5, 5)
    await pass(40_000)
    t.ok(world.asked.length < 12, `${world.asked.length} questions`)
    t.equal(new Set(world.asked.map(({ instrument }) => instrument)).size, 4, 'each has its turn')
    t.equal(world.filler.waiting, 4)
    world.answer = ({ from, to }) => numbers(from, to)
    await pass(61_000, 500)
    t.equal(world.filler.waiting, 0)
  })
})

t.test('of a large hole the newest are asked for, and of the others it is told why they were not', async t => {
  await world(
    async (world, pass) => {
      world.miss('A', 100, 499)
      await pass(4000)
      t.same(world.asked, [{ instrument: 'A', from: 470, to: 499 }])
      matchAll(t, world.of('backfill'), [
        { from_seq: 100, to_seq: 469, trades: 0, outcome: 'unavailable', message: /more than 30 trades/ },
        { from_seq: 470, to_seq: 499, trades: 30, outcome: 'filled' },
      ])
    },
    { tradesPerHoleMax: 30 },
  )
})

t.test('0 trades a hole: nothing is asked for, and all of it is told', async t => {
  await world(
    async (world, pass) => {
      world.miss('A', 100, 104)
      await pass(4000)
      t.same(world.asked, [])
      matchAll(t, world.of('backfill'), [{ from_seq: 100, to_seq: 104, trades: 0, outcome: 'unavailable' }])
      t.equal(world.filler.waiting, 0)
    },
    { tradesPerHoleMax: 0, family: 'trades-all' },
  )
})

t.test('numbers that began anew are told before the holes that come of it', async t => {
  await world(async (world, pass) => {
    world.sequences.see('A', 1000, 0)
    for (const seq of [1, 2, 4]) {
      world.sequences.see('A', seq, 10_000_000)
      world.sequences.doubt('A', { seq, timestampMs: 9000 + seq }, 10_000_000)
    }
    await pass(14_000)
    matchAll(t, world.journal, [
      { event: 'trades_renumbered', instrument: 'A', last_seq: 1000, first_seq: 1 },
      { event: 'trade_hole', from_seq: 3, to_seq: 3 },
      { event: 'backfill', from_seq: 3, to_seq: 3, outcome: 'filled' },
    ])
  })
})

t.test(
  'whatever answers hold, in whatever pieces: what is told as there is there, and all else is told as missing',
  async t => {
    const number = fc.integer({ min: 0, max: 70 })
    const answers = fc.array(fc.array(number, { maxLength: 20 }), { minLength: 1, maxLength: 6 })
    const hole = fc.record({ from: fc.integer({ min: 10, max: 30 }), more: fc.integer({ min: 0, max: 25 }) })
    await holds(
      t,
      fc.asyncProperty(hole, answers, fc.constantFrom(5, 1000), async ({ from, more }, answers, most) => {
        await world(
          async (world, pass) => {
            const [first, last] = [from, from + more]
            const given = new Set<number>()
            let nth = 0
            world.answer = () => {
              const answer = answers[nth++] ?? []
              for (const one of answer) given.add(one)
              return answer
            }
            world.miss('A', first, last)
            await pass(30_000)
            assert.equal(world.filler.waiting, 0)
            const told = new Map<number, boolean>()
            for (const { from_seq, to_seq, trades = 0, outcome, got } of world.of('backfill')) {
              const all = numbers(from_seq, to_seq)
              const there = all.filter(
                one => outcome === 'filled' || got?.some(([low, high]) => one >= low && one <= high) === true,
              )
              assert.equal(there.length, trades)
              for (const one of all) {
                assert.ok(!told.has(one), `${one} is told of once`)
                told.set(one, there.includes(one))
              }
            }
            assert.deepEqual(
              [...told.keys()].sort((a, b) => a - b),
              numbers(first, last),
            )
            for (const [one, isThere] of told) {
              const wasAsked = one > last - most
              assert.equal(isThere, wasAsked && given.has(one), `${one}`)
            }
          },
          { tradesPerHoleMax: most },
        )
      }),
      { numRuns: 60 },
    )
  },
)
