import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { BackfilledTrades, type PlacedTrades } from '../../../reader/replay/backfilled-trades.js'
import { Copies } from '../../../reader/replay/copies.js'
import { Pace } from '../../../reader/replay/pace.js'
import { RecordedAnswers } from '../../../reader/replay/recorded-answers.js'
import type { Frame } from '../../../reader/frame.js'
import type { PlayedTrade } from '../../../simulator/replay.js'
import { holds } from '../../fixtures/holds.js'

t.test('moments are due at their recorded distance, scaled by the speed, from the first one asked about', t => {
  const speed = fc.constantFrom(0.5, 1, 10, 1000)
  holds(
    t,
    fc.property(
      speed,
      fc.integer({ min: 1, max: 2 ** 50 }),
      fc.nat({ max: 1e9 }),
      fc.nat({ max: 1e7 }),
      (speed, us, later, nowMs) => {
        // prettier-ignore
        const pace = new Pace(speed)
        assert.equal(pace.waitMs(us, nowMs), 0, 'the first one at once')
        assert.ok(Math.abs(pace.waitMs(us + later, nowMs) - later / 1000 / speed) < 1)
        assert.ok(pace.waitMs(us + later, nowMs + later / 1000 / speed + 1) < 0, 'what is late is due')
        pace.restart()
        assert.equal(pace.waitMs(us + later, nowMs + 5), 0, 'after a pause the next one at once')
        assert.equal(new Pace(0).waitMs(us + later, nowMs), 0, 'without a speed all at once')
      },
    ),
  )
  t.end()
})

const seen = fc.record({ text: fc.constantFrom('a', 'b'), afterUs: fc.constantFrom(0, 1000, 3_000_000), late: fc.nat({ max: 2000 }) }) // prettier-ignore

t.test('of what two connections bring, each frame is played once, and what one says twice is played twice', t => {
  holds(
    t,
    fc.property(fc.array(seen, { maxLength: 40 }), list => {
      const copies = new Copies()
      let us = 1_000_000
      const arrivals: { source: string; recvUs: number; text: string }[] = []
      for (const { text, afterUs, late } of list) {
        us += afterUs
        for (const [source, delayUs] of [
          ['d1', 0],
          ['d2', late],
        ] as const) {
          // prettier-ignore
          const before = arrivals.findLast(other => other.source === source)?.recvUs ?? 0
          arrivals.push({ source, recvUs: Math.max(us + delayUs, before), text })
        }
      }
      const played = arrivals
        .sort((a, b) => a.recvUs - b.recvUs)
        .filter(({ source, recvUs, text }) => !copies.isCopy('quote', source, recvUs, text))
      for (const text of ['a', 'b'])
        assert.equal(played.filter(frame => frame.text === text).length, list.filter(frame => frame.text === text).length) // prettier-ignore
    }),
    { numRuns: 200 },
  )
  const copies = new Copies()
  t.notOk(copies.isCopy('quote', 'd1', 0, 'x'))
  t.notOk(copies.isCopy('trades', 'd2', 1, 'x'), 'of another channel')
  t.notOk(copies.isCopy('quote', 'd2', 5_000_001, 'x'), 'long after')
  t.ok(copies.isCopy('quote', 'd1', 5_000_002, 'x'), 'of that one')
  t.end()
})

const rowsOf = (placed: readonly PlacedTrades[]) => placed.flatMap(({ rows }) => rows)

t.test('numbered trades that were fetched are played once, each before the first later one of its instrument', t => {
  const trades = fc.record({
    count: fc.integer({ min: 1, max: 30 }),
    fetched: fc.array(fc.nat({ max: 29 }), { maxLength: 15 }),
    /** Of some the stream brought by itself what was fetched. */
    alsoLive: fc.array(fc.nat({ max: 29 }), { maxLength: 5 }),
    batch: fc.integer({ min: 1, max: 4 }),
    answeredAt: fc.nat({ max: 40 }),
  })
  holds(
    t,
    fc.property(trades, ({ count, fetched, alsoLive, batch, answeredAt }) => {
      const all = Array.from({ length: count }, (_, at): PlayedTrade => ({ instrument: 'A', id: at + 1, executedUs: 1000 * (at + 1), row: String(at + 1) })) // prettier-ignore
      const missing = all.filter((_, at) => fetched.includes(at))
      const live = all.filter((_, at) => !fetched.includes(at) || alsoLive.includes(at))
      const waiting = new BackfilledTrades([...missing].reverse())
      waiting.notMissing(live)
      const played: string[] = []
      const frames: PlayedTrade[][] = []
      for (let at = 0; at < live.length; at += batch) frames.push(live.slice(at, at + batch))
      for (const [at, frame] of frames.entries()) {
        played.push(...rowsOf(waiting.before(frame)), ...rowsOf(waiting.due(frame.at(-1)?.executedUs ?? 0)))
        played.push(...frame.map(({ row }) => row))
        if (at === answeredAt) played.push(...rowsOf(waiting.atTheLatest(missing)))
      }
      played.push(...rowsOf(waiting.atTheLatest(missing)))
      assert.deepEqual([...played].sort(), all.map(({ row }) => row).sort(), 'each once')
      assert.ok(waiting.isEmpty)
      // A trade that is missing within a frame of several goes before that frame: else all are in order.
      if (batch === 1 && answeredAt >= frames.length)
        assert.deepEqual(
          played,
          all.map(({ row }) => row),
        )
    }),
    { numRuns: 300 },
  )
  t.end()
})

t.test('a numbered trade waits for the one before it, though it had happened long ago', t => {
  const trade = (id: number): PlayedTrade => ({ instrument: 'A', id, executedUs: 10, row: String(id) })
  const waiting = new BackfilledTrades([trade(5), trade(6), trade(8)])
  t.same(rowsOf(waiting.before([trade(3)])), [])
  t.same(rowsOf(waiting.due(1000)), [], 'the fourth is on its way')
  t.same(rowsOf(waiting.before([trade(4)])), [])
  t.same(rowsOf(waiting.due(9)), [], 'at that time they had not happened')
  t.same(rowsOf(waiting.due(1000)), ['5', '6'])
  t.same(rowsOf(waiting.before([trade(9)])), ['8'])
  t.end()
})

t.test('trades without a number are placed by their time, and at the latest where they were recorded', t => {
  const trade = (id: string, executedUs: number): PlayedTrade => ({ instrument: 'A', id, executedUs, row: id })
  const fetched = [trade('c', 30), trade('a', 10), trade('b', 20), trade('z', 99)]
  const waiting = new BackfilledTrades([...fetched, trade('a', 10)])
  t.same(rowsOf(waiting.before([trade('x', 20)])), ['a'])
  t.same(rowsOf(waiting.due(25)), ['b'])
  t.same(rowsOf(waiting.before([{ ...trade('y', 1000), instrument: 'B' }])), [], 'of another instrument')
  t.same(rowsOf(waiting.atTheLatest(fetched)), ['c', 'z'])
  t.ok(waiting.isEmpty)
  t.same(waiting.due(Infinity), [])
  t.end()
})

t.test('one row that stands for several numbers takes all of them from what waits', t => {
  const trade = (id: number): PlayedTrade => ({ instrument: 'A', id, executedUs: id, row: String(id) })
  const waiting = new BackfilledTrades([3, 4, 5, 6].map(trade))
  waiting.notMissing([{ ...trade(5), first: 4 }])
  t.same(rowsOf(waiting.atTheLatest([3, 4, 5, 6].map(trade))), ['3', '6'])
  t.end()
})

const answer = (text: string, recvUs: number, more: object = {}) =>
  ({ conn: 'http', family: 'instruments', text, recvUs, ...more }) as unknown as Frame

t.test('answers are known by their id, wherever it stands, and the last of each counts', t => {
  const answers = new RecordedAnswers({ families: [{ name: 'instruments', comes: 'polled' }] })
  answers.take(answer('{"id":"instruments BTC","result":[]}', 1))
  const long = `{"result":[{"id":5,"text":"${'x'.repeat(1000)}"}],"id":"instruments \\"ETH\\""}`
  answers.take(answer(long, 2))
  answers.take(answer('{"id":"instruments BTC","result":[1]}', 3))
  answers.take(answer('{"id":7,"result":[]}', 4))
  answers.take(answer('no JSON', 5))
  t.same(answers.get('instruments BTC'), { text: '{"id":"instruments BTC","result":[1]}', recvUs: 3 })
  t.same(
    answers.of('instruments').map(({ recvUs }) => recvUs),
    [3, 2],
  )
  t.same(answers.of('instrument'), [], 'words are whole')
  t.ok(answers.isAnswer(answer('', 1)))
  t.notOk(answers.isAnswer(answer('', 1, { conn: 'd1' })))
  t.notOk(answers.isAnswer(answer('', 1, { family: 'trades' })))
  t.end()
})
