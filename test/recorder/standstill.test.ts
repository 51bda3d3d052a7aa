import t from 'tap'
import { looksWhole, Pieces, type NotWhole } from '../../recorder/connection/pieces.js'
import { Pulse } from '../../recorder/pulse.js'
import type { Span } from '../../platform/spans.js'

const S = 1_000_000

function pulse() {
  const told: Span[] = []
  let nowMs = 1000
  const one = new Pulse({ nowUs: () => nowMs * 1000, nowMs: () => nowMs, stoodStill: span => told.push(span) })
  return { one, told, pass: (ms: number) => (nowMs += ms) }
}

t.test('a standstill is found by the first beat behind it, once', async t => {
  const { one, told, pass } = pulse()
  pass(250)
  one.beat()
  pass(30_000)
  one.beat()
  pass(250)
  one.beat()
  t.same(told, [{ fromUs: 1_250_000, toUs: 31_250_000 }])
})

t.test('a clock that somebody sets is no standstill, and the sleep of a machine is one', async t => {
  let [nowMs, bootMs, aheadMs] = [1000, 5000, 0]
  const told: Span[] = []
  const one = new Pulse({
    ...{ nowUs: () => (nowMs + aheadMs) * 1000, nowMs: () => nowMs, bootMs: () => bootMs },
    stoodStill: span => told.push(span),
  })
  const pass = (ms: number, sleptMs = 0) => {
    nowMs += ms
    bootMs += ms + sleptMs
    one.beat()
  }
  pass(250)
  aheadMs = 3_600_000
  pass(250)
  t.same(told, [])
  pass(250, 30_000)
  t.same(told, [{ fromUs: 3_601_500_000, toUs: 3_631_750_000 }])
})

t.test('what a connection was heard of right behind a standstill may have waited since before it', async t => {
  const { one, told, pass } = pulse()
  t.equal(one.heardBefore(900_000), 900_000)
  pass(30_000)
  t.equal(one.heardBefore(31_000_000), 1_000_000, 'found though no beat came yet')
  t.equal(told.length, 1)
  t.equal(one.heardBefore(500_000), 500_000, 'what was silent before stays so')
  for (let i = 0; i < 300; i++) {
    pass(250)
    one.beat()
  }
  t.equal(one.heardBefore(100_000_000), 100_000_000, 'a connection that lived on is believed')
})

t.test('half a frame is told from a whole one by its ends', async t => {
  t.ok(looksWhole(Buffer.from('{"a":[1,{"b":2}]}')))
  t.ok(looksWhole(Buffer.from('[1,2]')))
  for (const text of ['{"params":{"channel":"trades.BTC-PER', '', '"a"', '{"a":1'])
    t.notOk(looksWhole(Buffer.from(text)), text)
})

t.test('frames in pieces are one interval, from one good frame of the family to the next', async t => {
  const told: NotWhole[] = []
  const pieces = new Pieces(one => told.push(one))
  pieces.bad('trades', 'trades.A.raw', 10 * S, 9.5 * S)
  pieces.good('trades', 10.1 * S)
  pieces.bad('trades', 'trades.B.raw', 11 * S, 10.9 * S)
  pieces.good('quote', 11.1 * S)
  pieces.good('trades', 11.5 * S)
  pieces.look(12 * S)
  t.same(told, [], 'more may follow')
  pieces.look(13.5 * S)
  t.same(told, [
    { family: 'trades', from_us: 9.5 * S, to_us: 11.5 * S, frames: 2, channels: ['trades.A.raw', 'trades.B.raw'] },
  ])
  t.ok(pieces.isEmpty)
})
