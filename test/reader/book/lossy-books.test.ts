import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { FollowedBook, type BookEvent } from '../../../reader/book/followed-book.js'
import type { BookBuilder, BookFrameHead } from '../../../reader/book/book-builder.js'
import { holds } from '../../fixtures/holds.js'

type Level = [side: 'bids' | 'asks', price: number, amount: number]
interface Sent extends BookFrameHead {
  levels: Level[]
}

/** One side as text, the best first. */
const sideText = (levels: Iterable<[number, number]>, side: 'bids' | 'asks') =>
  [...levels].sort(([a], [b]) => (side === 'bids' ? b - a : a - b)).join(' ')

/** A book in which levels come and go, and its states by change. */
class Market {
  readonly #sides = { bids: new Map<number, number>(), asks: new Map<number, number>() }
  readonly states = new Map<number, string>()
  changeId = 1000

  get text(): string {
    return `${sideText(this.#sides.bids, 'bids')} | ${sideText(this.#sides.asks, 'asks')}`
  }

  get levels(): Level[] {
    const of = (side: 'bids' | 'asks') => [...this.#sides[side]].map(([price, amount]): Level => [side, price, amount])
    return [...of('bids'), ...of('asks')]
  }

  change(levels: readonly Level[], jump: number): { changeId: number; prevChangeId: number } {
    const prevChangeId = this.changeId
    this.changeId += jump
    for (const [side, price, amount] of levels)
      if (amount === 0) this.#sides[side].delete(price)
      else this.#sides[side].set(price, amount)
    this.states.set(this.changeId, this.text)
    return { changeId: this.changeId, prevChangeId }
  }
}

const builderText = ({ bids, asks }: BookBuilder) => `${bids.list().join(' ')} | ${asks.list().join(' ')}`

const level = fc.tuple(
  fc.constantFrom<'bids' | 'asks'>('bids', 'asks'),
  fc.integer({ min: 1, max: 8 }),
  fc.constantFrom(0, 0, 1, 2.5),
)
/** What happens to one change on its way over each of two connections. */
const step = fc.record({
  levels: fc.array(level, { maxLength: 3 }),
  jump: fc.integer({ min: 1, max: 3 }),
  lost: fc.tuple(fc.nat({ max: 9 }), fc.nat({ max: 9 })).map(([a, b]) => [a === 0, b === 0] as const),
  /** Further behind than the other one, in steps. */
  lag: fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 3 })),
  subscribed: fc.constantFrom(undefined, undefined, undefined, undefined, 0, 1),
  doubt: fc.nat({ max: 12 }).map(chance => chance === 0),
})

/** What a reader of a book is told of it, put together again. */
class Mirror {
  readonly sides = { bids: new Map<number, number>(), asks: new Map<number, number>() }
  isKnown = false
  events = 0
  readonly book = new FollowedBook({
    event: event => this.#take(event),
    lost: () => {
      assert.ok(this.isKnown, 'what is lost was known')
      this.isKnown = false
    },
    proved: () => (this.isKnown = true),
  })

  #take({ kind, levels }: BookEvent): void {
    this.events++
    if (kind === 'snapshot') {
      this.sides.bids.clear()
      this.sides.asks.clear()
      this.isKnown = true
    }
    assert.ok(this.isKnown, 'changes come of known books alone')
    for (const [side, price, amount, isNew] of levels) {
      assert.equal(isNew, !this.sides[side].has(price))
      if (amount === 0) this.sides[side].delete(price)
      else this.sides[side].set(price, amount)
    }
  }

  get text(): string {
    return `${sideText(this.sides.bids, 'bids')} | ${sideText(this.sides.asks, 'asks')}`
  }
}

function apply({ book }: Mirror, { levels, ...head }: Sent): void {
  book.begin(head)
  if (book.takesLevels) for (const [side, price, amount] of levels) book.set(side, price, amount)
}

/** Shown levels are the exchange's own at the change that the book says it is at. */
function check(mirror: Mirror, market: Market): number {
  const { book } = mirror
  book.finish()
  assert.equal(mirror.isKnown, book.isKnown, 'a reader knows whether the book is known')
  if (!book.isKnown) return 0
  assert.equal(builderText(book), market.states.get(book.changeId), `at change ${book.changeId}`)
  assert.equal(mirror.text, builderText(book), 'and what a reader is told makes the same book')
  return 1
}

/** Frames of this queue that are due by now, each looked at; how often a book was shown. */
function arrive(queue: { due: number; frame: Sent }[], at: number, mirror: Mirror, market: Market): number {
  let shown = 0
  while ((queue[0]?.due ?? Infinity) <= at) {
    const [next] = queue.splice(0, 1)
    if (next) apply(mirror, next.frame)
    shown += check(mirror, market)
  }
  return shown
}

t.test('two connections that lose and delay frames: a book that is shown is the exchange’s', t => {
  let shown = 0
  holds(
    t,
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const market = new Market()
      market.change([['bids', 4, 1], ['asks', 5, 1]], 1) // prettier-ignore
      const queues: { due: number; frame: Sent }[][] = [[], []]
      const mirror = new Mirror()
      const send = (source: number, due: number, frame: Omit<Sent, 'source' | 'recvUs' | 'exchangeMs'>) => {
        const queue = queues[source]
        // One connection keeps the order of its exchange.
        queue?.push({ due: Math.max(due, queue.at(-1)?.due ?? 0), frame: { ...frame, source: `vps/d${source}`, recvUs: due, exchangeMs: due } }) // prettier-ignore
      }
      const snapshot = () => ({ isSnapshot: true, changeId: market.changeId, prevChangeId: undefined, levels: market.levels }) // prettier-ignore
      for (const source of [0, 1]) send(source, 0, snapshot())
      for (const [at, { levels, jump, lost, lag, subscribed, doubt }] of steps.entries()) {
        const change = { isSnapshot: false, ...market.change(levels, jump), levels }
        for (const source of [0, 1] as const) if (!lost[source]) send(source, at + lag[source], change)
        if (subscribed !== undefined) send(subscribed, at + lag[subscribed], snapshot())
        if (doubt) mirror.book.doubt(at, 'nobody listened')
        for (const queue of queues) shown += arrive(queue, at, mirror, market)
      }
    }),
    { numRuns: 400 },
  )
  t.ok(shown > 100, `${shown} times a book was shown`)
  t.end()
})

t.test('answers that come behind changes that follow them: a book that is shown is the exchange’s', t => {
  let shown = 0
  holds(
    t,
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 0, max: 6 }), (steps, answeredAfter) => {
      const market = new Market()
      market.change([['bids', 4, 1], ['asks', 5, 1]], 1) // prettier-ignore
      const mirror = new Mirror()
      mirror.book.isAnswered = true
      const answers: { due: number; frame: Sent }[] = []
      const head = { recvUs: 1, exchangeMs: 1, source: 'vps/d1' }
      for (const [at, { levels, lost, subscribed, doubt }] of steps.entries()) {
        const change = market.change(levels, 1)
        if (!lost[0]) apply(mirror, { ...head, isSnapshot: false, ...change, levels })
        shown += check(mirror, market)
        if (subscribed !== undefined)
          answers.push({ due: at + answeredAfter, frame: { ...head, isSnapshot: true, changeId: market.changeId, prevChangeId: undefined, levels: market.levels } }) // prettier-ignore
        if (doubt) mirror.book.doubt(at, 'nobody listened')
        shown += arrive(answers, at, mirror, market)
      }
    }),
    { numRuns: 400 },
  )
  t.ok(shown > 100, `${shown} times a book was shown`)
  t.end()
})

t.test('a frame of which a level is not understood does not count, and the book is told as lost', t => {
  const told: string[] = []
  const book = new FollowedBook({
    event: ({ kind, levels }) => told.push(`${kind} ${levels.length}`),
    lost: (_, because) => told.push(because),
    proved: () => told.push('proved'),
  })
  const head = { recvUs: 1, exchangeMs: 1, source: 's' }
  book.begin({ ...head, isSnapshot: true, changeId: 1, prevChangeId: undefined })
  book.set('bids', 1, 1)
  book.begin({ ...head, isSnapshot: false, changeId: 2, prevChangeId: 1 })
  book.lose(2, 'a frame of the book is not understood')
  book.finish()
  t.same(told, ['snapshot 1', 'a frame of the book is not understood'])
  book.lose(3, 'again')
  book.doubt(4, 'again')
  t.equal(told.length, 2, 'what is lost is told once')
  t.end()
})
