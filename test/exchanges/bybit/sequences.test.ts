import t from 'tap'
import { BookChain } from '../../../exchanges/book-chain.js'
import { books } from '../../../exchanges/bybit/book.js'
import { madeMs, topicIn } from '../../../exchanges/bybit/frames.js'
import { SeenIds } from '../../../exchanges/bybit/seen-ids.js'
import { bookIdsIn, eachTradeId, tradeIdOf } from '../../../exchanges/bybit/sequence-bytes.js'
import { frameFiles, framesIn, needsFrames } from '../../fixtures/exchange-frames.js'

interface BookFrame {
  topic: string
  type: string
  ts: number
  cts?: number
  data: { s: string; b: [string, string][]; a: [string, string][]; u: number; seq: number }
}

const bookFiles = () => frameFiles('bybit').filter(file => file.startsWith('orderbook'))
const isFull = (topic: string) => /^orderbook\.(?!1\.)/.test(topic)

t.test('what is found in the bytes of a frame is what a parser finds', t => {
  if (!needsFrames(t, 'bybit')) {
    t.end()
    return
  }
  let frames = 0
  for (const file of frameFiles('bybit').filter(file =>
    /^(orderbook|publicTrade|tickers|kline|liquidation)/.test(file),
  ))
    for (const text of framesIn('bybit', file)) {
      const frame = Buffer.from(text)
      const parsed = JSON.parse(text) as { topic: string; type: string; ts: number; data: unknown }
      if (topicIn(frame) !== parsed.topic || madeMs(frame) !== parsed.ts) t.fail(text.slice(0, 200))
      if (parsed.topic.startsWith('orderbook')) {
        const { u } = parsed.data as BookFrame['data']
        const ids = bookIdsIn(frame)
        const isSnapshot = parsed.type === 'snapshot' || u === 1
        t.same(
          [ids?.changeId, ids?.isSnapshot, ids?.prevChangeId],
          [u, isSnapshot, isSnapshot ? undefined : u - 1],
          text.slice(0, 80),
        )
        t.equal(books.isSnapshot(frame), isSnapshot)
      }
      if (parsed.topic.startsWith('publicTrade')) {
        const ids: number[] = []
        eachTradeId(frame, id => ids.push(id))
        t.same(
          ids,
          (parsed.data as { i: string }[]).map(({ i }) => tradeIdOf(i)),
        )
      }
      frames++
    }
  t.ok(frames > 3000, `${frames} frames`)
  t.end()
})

t.test('u = 1 is a whole book whatever the frame calls itself, and spellings of any sort are read', t => {
  const frame = (more: string) =>
    Buffer.from(`{"topic":"orderbook.50.A","type":"delta","ts":1,"data":{"s":"A","b":[],"a":[],${more}}}`)
  t.match(bookIdsIn(frame('"u":1,"seq":2')), { isSnapshot: true, changeId: 1, prevChangeId: undefined })
  t.match(bookIdsIn(frame('"u":2,"seq":2')), { isSnapshot: false, changeId: 2, prevChangeId: 1 })
  t.match(bookIdsIn(frame('"u" : 7, "seq":2')), { isSnapshot: false, changeId: 7, prevChangeId: 6 })
  t.match(bookIdsIn(Buffer.from('{"data":{"u":9},"type":"snapshot","topic":"orderbook.50.A"}')), {
    isSnapshot: true,
    changeId: 9,
  })
  t.equal(bookIdsIn(frame('"u":"x"')), undefined)
  t.equal(bookIdsIn(Buffer.from('{"topic":"orderbook.50.A"')), undefined)
  t.ok(books.isSnapshot(frame('"u":1,"seq":2')))
  t.equal(books.changeOf(frame('"u":1,"seq":2').toString())?.isSnapshot, true)
  t.end()
})

t.test('captured chains hold: u rises by one, and a frame taken away is seen', t => {
  if (!needsFrames(t, 'bybit')) {
    t.end()
    return
  }
  let [changes, seen] = [0, 0]
  for (const file of bookFiles()) {
    const byTopic = new Map<string, Buffer[]>()
    for (const text of framesIn('bybit', file)) {
      const { topic } = JSON.parse(text) as BookFrame
      if (isFull(topic)) byTopic.set(topic, [...(byTopic.get(topic) ?? []), Buffer.from(text)])
    }
    for (const [topic, frames] of byTopic) {
      const chain = new BookChain()
      const links = frames.map((frame, index) => chain.see(bookIdsIn(frame) ?? fail(topic), index + 1))
      // A file holds frames of several recordings: a new one begins with a snapshot, or in the middle.
      changes += links.filter(link => link === 'next').length
      const [first, second, third, fourth] = frames
      if (!first || !second || !third || !fourth || links.slice(0, 4).join() !== 'snapshot,next,next,next') continue
      const broken = new BookChain()
      t.same(
        [first, second, fourth].map((frame, index) => broken.see(bookIdsIn(frame) ?? fail(topic), index + 1)),
        ['snapshot', 'next', 'break'],
        topic,
      )
      seen++
    }
  }
  t.ok(changes > 1500, `${changes} changes`)
  t.ok(seen >= 4)
  t.end()
})

/** A book as simply as can be: prices as they are spelled. */
class PlainBook {
  readonly sides = { b: new Map<string, string>(), a: new Map<string, string>() }

  take({ type, data }: BookFrame): void {
    for (const side of ['b', 'a'] as const) {
      if (type === 'snapshot') this.sides[side].clear()
      for (const [price, size] of data[side]) {
        if (Number(size) === 0) this.sides[side].delete(price)
        else this.sides[side].set(price, size)
      }
    }
  }

  levels(side: 'b' | 'a'): [number, number][] {
    const sign = side === 'b' ? -1 : 1
    return [...this.sides[side]]
      .map(([p, s]): [number, number] => [Number(p), Number(s)])
      .sort(([p], [q]) => sign * (p - q))
  }
}

t.test('books put together by the changes that frames make equal those of a simpler code', t => {
  if (!needsFrames(t, 'bybit')) {
    t.end()
    return
  }
  let compared = 0
  for (const file of bookFiles()) {
    const plain = new Map<string, PlainBook>()
    const made = new Map<string, { bids: Map<number, number>; asks: Map<number, number> }>()
    for (const text of framesIn('bybit', file)) {
      const frame = JSON.parse(text) as BookFrame
      if (!isFull(frame.topic)) continue
      const simple = plain.get(frame.topic) ?? new PlainBook()
      plain.set(frame.topic, simple)
      simple.take(frame)
      const book = made.get(frame.topic) ?? { bids: new Map<number, number>(), asks: new Map<number, number>() }
      made.set(frame.topic, book)
      const change = books.changeOf(text)
      if (!change) {
        t.fail(text.slice(0, 100))
        continue
      }
      for (const side of ['bids', 'asks'] as const) {
        if (change.isSnapshot) book[side].clear()
        for (const [price, amount] of change[side]) {
          if (amount === 0) book[side].delete(price)
          else book[side].set(price, amount)
        }
      }
      const found = { bids: [...book.bids].sort(([p], [q]) => q - p), asks: [...book.asks].sort(([p], [q]) => p - q) }
      if (compared++ % 50 === 0)
        t.same(found, { bids: simple.levels('b'), asks: simple.levels('a') }, `${frame.topic} ${frame.data.u}`)
    }
  }
  t.ok(compared > 1500, `${compared} frames`)
  t.end()
})

t.test('the newest ids are known, in their order', t => {
  const seen = new SeenIds(100)
  for (let id = 0; id < 250; id++) seen.add(id * 7)
  t.equal(seen.placeOf(249 * 7), 249)
  t.equal(seen.placeOf(150 * 7), 150)
  t.equal(seen.placeOf(149 * 7), -1, 'too old')
  t.ok(seen.has(200 * 7))
  t.notOk(seen.has(3))
  const few = new SeenIds(100)
  few.add(5)
  t.same([few.placeOf(5), few.placeOf(0)], [0, -1])
  t.end()
})

function fail(topic: string): never {
  throw new Error(`no ids in a frame of ${topic}`)
}
