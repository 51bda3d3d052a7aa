/** Channels, and who gets what of them: each frame is made once, and newcomers begin with a state of their own. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { Broker, type Grammar, type Subscriber } from '../../simulator/broker.js'
import { Feed, SUBJECTS } from '../../simulator/feed.js'
import type { Json } from '../../simulator/json.js'
import type { MarketListener } from '../../simulator/market/events.js'
import type { Market } from '../../simulator/market/market.js'
import { holds } from '../fixtures/holds.js'

/** A market of which only the seconds pass. */
class Clockwork {
  nowMs = 0
  #listener: MarketListener = () => undefined

  listen(listener: MarketListener): void {
    this.#listener = listener
  }

  second(): void {
    this.#listener({ type: 'second', ms: this.nowMs })
  }
}

/** Counts seconds: the first frame of a subscription says how many there were, each further one how many came. */
class Seconds extends Feed {
  readonly subjects = [SUBJECTS.second]
  override readonly lateAfterSnapshot: boolean
  total = 0
  #pending = 0

  constructor(
    market: Market,
    paceMs: number,
    private readonly ways: { repeats?: boolean; late?: boolean } = {},
  ) {
    super(market, paceMs)
    this.lateAfterSnapshot = ways.late === true
  }

  override get repeatAfterMs(): number | undefined {
    return this.ways.repeats ? 3000 : undefined
  }

  override first(): Json[] {
    return [{ total: this.total }]
  }

  override take(): boolean {
    this.total++
    this.#pending++
    return true
  }

  override drain(): Json | undefined {
    const came = this.#pending
    this.#pending = 0
    return came > 0 || this.ways.repeats ? { came } : undefined
  }
}

function world(open: (market: Market) => Feed, truth?: { made: (channel: string, frame: Buffer) => void }) {
  const clockwork = new Clockwork()
  let opened = 0
  const grammar: Grammar = {
    open: (channel, market) => {
      if (channel.startsWith('no')) return undefined
      opened++
      return open(market)
    },
    frame: (channel, data, made) => JSON.stringify({ channel, made, ...(data as object) }),
    wrap: (channel, data) => `${channel} ${data}`,
  }
  const broker = new Broker(clockwork as unknown as Market, grammar, truth)
  const pass = (ms: number, stepMs = 10) => {
    for (let step = 0; step < ms / stepMs; step++) {
      clockwork.nowMs += stepMs
      if (clockwork.nowMs % 1000 === 0) clockwork.second()
      broker.turn(clockwork.nowMs)
    }
  }
  return { broker, pass, opened: () => opened }
}

interface Frame {
  channel: string
  made: number
  total?: number
  came?: number
}

class Listener implements Subscriber {
  readonly frames: Frame[] = []

  deliver(_channel: string, frame: Buffer): void {
    this.frames.push(JSON.parse(frame.toString()) as Frame)
  }

  /** What one knows who added up. */
  get sum(): number {
    const at = this.frames.findLastIndex(({ total }) => total !== undefined)
    return this.frames.slice(at).reduce((sum, { total = 0, came = 0 }) => sum + total + came, 0)
  }
}

t.test('whoever comes and goes: each who is there knows what all others know, and frames are numbered once', t => {
  const step = fc.oneof(
    fc.record({ who: fc.nat({ max: 2 }), comes: fc.boolean() }),
    fc.record({ passMs: fc.constantFrom(10, 90, 1000, 2500) }),
  )
  holds(
    t,
    fc.property(fc.array(step, { maxLength: 25 }), fc.constantFrom(0, 100, 700), (steps, paceMs) => {
      const { broker, pass, opened } = world(market => new Seconds(market, paceMs))
      const listeners = [new Listener(), new Listener(), new Listener()]
      const there = new Set<Listener>()
      for (const step of steps) {
        if ('passMs' in step) pass(step.passMs)
        else {
          const listener = listeners[step.who] ?? assert.fail()
          const { length } = listener.frames
          if (step.comes) {
            broker.subscribe('a', listener)
            assert.equal(listener.frames.length - length, there.has(listener) ? 0 : 1, 'a second subscription is none')
            there.add(listener)
          } else {
            broker.unsubscribe('a', listener)
            there.delete(listener)
          }
        }
      }
      const silent = listeners.filter(listener => !there.has(listener)).map(({ frames }) => frames.length)
      pass(2000)
      assert.equal(new Set([...there].map(({ sum }) => sum)).size, there.size > 0 ? 1 : 0, 'all know the same')
      assert.deepEqual(
        listeners.filter(listener => !there.has(listener)).map(({ frames }) => frames.length),
        silent,
        'who left gets nothing',
      )
      for (const { frames } of listeners)
        for (const [at, { made }] of frames.entries()) assert.ok(at === 0 || made > (frames[at - 1]?.made ?? Infinity))
      assert.ok(opened() <= steps.length)
    }),
    { numRuns: 150 },
  )
  t.end()
})

t.test('a channel speaks in its pace: what came meanwhile comes together', t => {
  const { broker, pass } = world(market => new Seconds(market, 2500))
  const listener = new Listener()
  broker.subscribe('a', listener)
  pass(20_000)
  const frames = listener.frames.slice(2)
  t.ok(frames.length >= 5 && frames.length <= 7, `${frames.length} frames in twenty seconds`)
  t.ok(frames.every(({ came = 0 }) => came >= 2))
  t.ok(frames.reduce((sum, { came = 0 }) => sum + came, 0) >= 15)
  t.end()
})

t.test('a quiet channel says again what is, where it does so, and others stay silent', t => {
  const repeats = world(market => new Seconds(market, 0, { repeats: true }))
  const listener = new Listener()
  repeats.broker.subscribe('a', listener)
  // In steps in which no second passes.
  repeats.pass(12_007, 7)
  t.ok(listener.frames.filter(({ came }) => came === 0).length >= 3)
  const silent = world(market => new Seconds(market, 0))
  const other = new Listener()
  silent.broker.subscribe('a', other)
  silent.pass(12_007, 7)
  t.strictSame(
    other.frames.map(({ came }) => came),
    [undefined, 1],
    'the snapshot and what came behind it',
  )
  t.end()
})

t.test('a change that is older than the snapshot may follow it, where the exchange does that', t => {
  for (const late of [true, false]) {
    const { broker, pass } = world(market => new Seconds(market, 1300, { late }))
    const [first, second] = [new Listener(), new Listener()]
    broker.subscribe('a', first)
    for (let at = 0; at < 120 && second.frames.length === 0; at++) {
      pass(50)
      const { length } = first.frames
      broker.subscribe('a', second)
      if (first.frames.length === length) {
        broker.unsubscribe('a', second)
        second.frames.length = 0
      }
    }
    t.same(
      second.frames.map(frame => Object.keys(frame)[2]),
      late ? ['total', 'came'] : ['total'],
    )
    if (late) t.equal(second.frames[1]?.made, first.frames.at(-1)?.made, 'the frame that the others got')
  }
  t.end()
})

t.test('what nobody knows is no channel, and what is announced reaches those who are there', t => {
  const made: string[] = []
  const { broker, pass, opened } = world(market => new Seconds(market, 0), { made: channel => void made.push(channel) })
  const listener = new Listener()
  broker.subscribe('none', listener)
  broker.unsubscribe('none', listener)
  broker.announce('none', { total: 1 })
  broker.announce('a', { total: 1 })
  t.equal(opened() + listener.frames.length, 0)
  broker.subscribe('a', listener)
  broker.announce('a', { total: 77 })
  t.equal(listener.frames.at(-1)?.total, 77)
  broker.unsubscribe('a', listener)
  pass(5000)
  t.ok(made.length >= 5, 'who writes down the truth hears of a channel to its end, whoever left')
  t.equal(listener.frames.length, 2)
  t.end()
})
