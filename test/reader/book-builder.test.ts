import t from 'tap'
import { applyBookFrame } from '../../reader/book/apply-frame.js'
import { BookBuilder, type BookFrameHead } from '../../reader/book/book-builder.js'
import { PriceLevels } from '../../reader/book/price-levels.js'
import { SteppedMarket, type SentFrame } from '../fixtures/simulated-books.js'

const START_MS = Date.UTC(2026, 10, 22, 14)
const NAME = 'BTC-PERPETUAL'

function stateOf({ bids, asks }: BookBuilder): string {
  return JSON.stringify({ bids: bids.list(), asks: asks.list() })
}

t.test('the book is the market’s own after each frame, whatever the interval', async t => {
  const stepped = new SteppedMarket(7, START_MS)
  const raw = new BookBuilder()
  const slow = new BookBuilder()
  const links = new Map<string, number>()
  const take = (builder: BookBuilder) => (frame: SentFrame) => {
    const link = applyBookFrame(builder, frame.text, frame.ms * 1000, 'vps1/d1')
    links.set(link, (links.get(link) ?? 0) + 1)
  }
  stepped.subscribe(`book.${NAME}.raw`, take(raw))
  stepped.subscribe(`book.${NAME}.100ms`, take(slow))
  const states = new Map<number, string>()
  let compared = 0
  for (let step = 0; step < 3000; step++) {
    stepped.step()
    const state = stepped.stateOf(NAME)
    if (stateOf(raw) !== state) t.fail(`differs at step ${step}`)
    states.set(raw.changeId, state)
    if (states.has(slow.changeId)) {
      compared++
      if (stateOf(slow) !== states.get(slow.changeId)) t.fail(`100ms differs at ${slow.changeId}`)
    }
  }
  t.equal(links.get('snapshot'), 2)
  t.ok((links.get('next') ?? 0) > 500, `${links.get('next')} changes`)
  t.strictSame([...links.keys()].sort(), ['next', 'snapshot'])
  t.ok(compared > 100, `${compared} moments of the slower channel compared`)
  t.notOk(raw.isCrossed)
})

const head = (facts: Partial<BookFrameHead>): BookFrameHead => ({
  recvUs: 1000,
  exchangeMs: 1,
  source: 'vps1/d1',
  isSnapshot: false,
  changeId: 1,
  prevChangeId: undefined,
  ...facts,
})

t.test('a missing change makes the book unknown until the next snapshot', async t => {
  const builder = new BookBuilder()
  t.equal(builder.begin(head({ changeId: 5, prevChangeId: 4 })), 'early')
  t.match(builder.unknown, { because: 'no snapshot yet' })
  t.equal(builder.begin(head({ isSnapshot: true, changeId: 0 })), 'snapshot')
  builder.set('bids', 100, 1)
  t.equal(builder.begin(head({ changeId: 9, prevChangeId: 0 })), 'next', 'an id of 0 is one like any other')
  t.equal(builder.begin(head({ changeId: 30, prevChangeId: 20, recvUs: 2000 })), 'break')
  t.match(builder.unknown, { sinceUs: 2000, because: /change 20 is missing/ })
  t.equal(builder.bids.size, 0, 'no level of before is shown')
  t.equal(builder.begin(head({ changeId: 40, prevChangeId: 30 })), 'early', 'later changes that chain do not mend it')
  t.equal(builder.begin(head({ isSnapshot: true, changeId: 35 })), 'snapshot')
  t.ok(builder.isKnown)
})

t.test('what the book has already changes nothing', async t => {
  const builder = new BookBuilder()
  builder.begin(head({ isSnapshot: true, changeId: 50 }))
  t.equal(builder.begin(head({ changeId: 45, prevChangeId: 40 })), 'old', 'a change from before the snapshot')
  t.equal(builder.begin(head({ changeId: 60, prevChangeId: 50 })), 'next')
  t.equal(builder.begin(head({ changeId: 60, prevChangeId: 50 })), 'old', 'the same again')
  const other = { source: 'vps1/d2' }
  t.equal(builder.begin(head({ ...other, isSnapshot: true, changeId: 55 })), 'old', 'an older snapshot of another')
  t.equal(builder.begin(head({ ...other, changeId: 57, prevChangeId: 55 })), 'old')
  t.equal(builder.begin(head({ ...other, changeId: 70, prevChangeId: 60 })), 'next', 'the other may be ahead')
  t.equal(builder.begin(head({ changeId: 70, prevChangeId: 60 })), 'old')
  t.equal(builder.begin(head({ ...other, isSnapshot: true, changeId: 3 })), 'snapshot', 'its own one counts')
  t.equal(builder.begin(head({ ...other, changeId: 4, prevChangeId: 3 })), 'next')
  t.equal(
    builder.begin(head({ ...other, changeId: 2, prevChangeId: 1 })),
    'break',
    'a counter that went back is no copy',
  )
})

t.test('frames that are none of a book make it unknown, not wrong', async t => {
  const frame = (data: object) => JSON.stringify({ method: 'subscription', params: { channel: 'book.X.raw', data } })
  const snapshot = frame({ type: 'snapshot', timestamp: 1, change_id: 1, bids: [['new', 2, 3]], asks: [] })
  for (const odd of ['{', '{"params":{}}', frame({ timestamp: 1, change_id: 2, bids: [['new', 1]], asks: [] })]) {
    const builder = new BookBuilder()
    t.equal(applyBookFrame(builder, snapshot, 1, 's'), 'snapshot')
    t.equal(builder.bids.amountOf(2), 3)
    t.equal(applyBookFrame(builder, odd, 2, 's'), 'odd')
    t.notOk(builder.isKnown)
  }
  const old = frame({ timestamp: 1, change_id: 1, bids: [['new', 2, 3]], asks: [['new', 1.5, 3]] })
  const builder = new BookBuilder()
  t.equal(applyBookFrame(builder, old, 1, 's'), 'snapshot', 'as in 2019: no type and no predecessor')
  t.ok(builder.isCrossed)
})

t.test('levels lie in order, in any number, like those of a plain map', async t => {
  for (const side of ['bids', 'asks'] as const) {
    const levels = new PriceLevels(side)
    const plain = new Map<number, number>()
    let random = 1
    const next = (below: number) => (random = (random * 48271) % 2147483647) % below
    for (let round = 0; round < 20_000; round++) {
      const price = (next(2000) - 500) / 2
      const amount = next(3) === 0 ? 0 : next(100) / 4
      levels.set(price, amount)
      if (amount === 0) plain.delete(price)
      else plain.set(price, amount)
    }
    const sorted = [...plain].sort(([a], [b]) => (side === 'bids' ? b - a : a - b))
    t.ok(sorted.length > 300)
    t.strictSame(levels.list(), sorted)
    t.strictSame(levels.list(3), sorted.slice(0, 3))
    t.strictSame([levels.priceAt(sorted.length), levels.amountAt(sorted.length)], [NaN, NaN])
    levels.clear()
    t.strictSame(levels.list(), [])
  }
})
