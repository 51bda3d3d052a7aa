/** Which trades are known to have come: over copies, outages, restarts, and however many there were. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import pino from 'pino'
import t from 'tap'
import type { EarlierSegment, Recording } from '../../../exchanges/adapter.js'
import type { BybitHttp } from '../../../exchanges/bybit/http.js'
import { ROWS } from '../../../exchanges/bybit/recent-trades.js'
import { SeenIds } from '../../../exchanges/bybit/seen-ids.js'
import { TradeOverlap } from '../../../exchanges/bybit/trade-overlap.js'
import { rawLine, START_US } from '../../compactor/fixtures/segments.js'
import { movedTime, type Pass } from '../../fixtures/moved-time.js'
import { holds } from '../../fixtures/holds.js'

const CHANNEL = 'publicTrade.BTCUSDT'
const START_MS = START_US / 1000

const idsOf = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => `trade-${from + at}`)
const frameOf = (ids: readonly string[]) =>
  Buffer.from(
    `{"topic":"${CHANNEL}","type":"snapshot","ts":1,"data":[${ids.map(id => `{"T":1,"s":"BTCUSDT","i":"${id}"}`).join(',')}]}`,
  )

/** A market of one instrument, a trade each 10 ms, and the keeper of its trades. */
class Market {
  made = 0
  readonly taken: { conn: string; family: string }[] = []
  readonly journal: Record<string, unknown>[] = []
  readonly overlap: TradeOverlap
  readonly end = new AbortController()
  #running: Promise<void> | undefined

  constructor() {
    const get = (_path: string, { limit }: Record<string, unknown>) => {
      const list = idsOf(Math.max(0, this.made - Number(limit)), this.made).reverse()
      const rows = list.map(execId => ({ execId, time: String(START_MS + 10 * Number(execId.slice(6))) }))
      return Promise.resolve({ bytes: Buffer.from('{}'), result: { list: rows } })
    }
    this.overlap = new TradeOverlap({ get } as unknown as BybitHttp, 72, pino({ level: 'silent' }))
  }

  get nowUs(): number {
    return 1000 * (START_MS + 10 * this.made)
  }

  /** Trades are made; these connections bring them, in frames of some. */
  trade(count: number, ...conns: string[]): void {
    const ids = idsOf(this.made, this.made + count)
    this.made += count
    for (let at = 0; at < ids.length; at += 7)
      for (let copy = 0; copy < conns.length; copy++)
        this.overlap.see(CHANNEL, frameOf(ids.slice(at, at + 7)), this.nowUs)
  }

  begin(...conns: string[]): void {
    for (const conn of conns) this.overlap.began(conn, CHANNEL, this.nowUs)
  }

  lose(...conns: string[]): void {
    for (const conn of conns) this.overlap.ended(conn, CHANNEL, this.nowUs)
  }

  run(earlier: readonly EarlierSegment[] = []): void {
    const recording = {
      take: (conn: string, family: string) => void this.taken.push({ conn, family }),
      journal: (event: string, facts: object = {}) => void this.journal.push({ event, ...facts }),
      nowUs: () => this.nowUs,
      earlier: async function* (family: string) {
        await Promise.resolve()
        if (family === 'trades') yield* earlier
      },
    } as unknown as Recording
    this.#running = this.overlap.run(recording, this.end.signal)
  }

  /** What was told of missing trades, after they were asked for. */
  async told(pass: Pass) {
    await pass(3200)
    this.end.abort()
    await pass(600)
    await this.#running
    return this.journal.flatMap(({ event, trades, outcome }) => (event === 'backfill' ? [{ trades, outcome }] : []))
  }
}

/** A segment of an earlier run with these trades. */
function segment(from: number, to: number): EarlierSegment {
  const frames = Array.from({ length: Math.ceil((to - from) / 7) }, (_, at) => from + at * 7)
  const lines = frames.map((first, at) => rawLine(frameOf(idsOf(first, Math.min(to, first + 7))), at + 1))
  return {
    bytes: 1000,
    startedUs: START_MS * 1000,
    lines: (async function* () {
      await Promise.resolve()
      yield lines
    })(),
  }
}

t.test('of two connections at once the copies took the place of what came: it was told as fetched', async t => {
  await movedTime(async pass => {
    const market = new Market()
    market.run()
    market.begin('d1', 'd2')
    market.trade(950, 'd1', 'd2')
    market.lose('d1', 'd2')
    market.trade(12)
    market.begin('d1', 'd2')
    market.trade(30, 'd1', 'd2')
    t.same(await market.told(pass), [{ trades: 12, outcome: 'filled' }])
  })
})

t.test('of a segment with more trades than are listed the oldest were remembered: all others as missed', async t => {
  await movedTime(async pass => {
    const market = new Market()
    market.made = 2505
    market.run([segment(0, 2500)])
    market.begin('d1')
    t.same(await market.told(pass), [{ trades: 5, outcome: 'filled' }])
    t.same(market.taken, [{ conn: 'backfill', family: 'trades' }])
  })
})

t.test('the newest segment holds few trades: those of the one before are known as well', async t => {
  await movedTime(async pass => {
    const market = new Market()
    market.made = 2010
    market.run([segment(1990, 2000), segment(0, 1990)])
    market.begin('d1')
    t.same(await market.told(pass), [{ trades: 10, outcome: 'filled' }])
  })
})

const few = fc.integer({ min: 0, max: 60 })
const many = fc.oneof(few, fc.integer({ min: 0, max: 2 * ROWS }))

t.test(
  'whatever came before, meanwhile and after: what is told is what was missed, and what cannot be had',
  async t => {
    const scenario = fc.record({
      before: many,
      missed: many,
      after: few,
      conns: fc.subarray(['d1', 'd2'], { minLength: 1 }),
    })
    await holds(
      t,
      fc.asyncProperty(scenario, async ({ before, missed, after, conns }) => {
        await movedTime(async pass => {
          const market = new Market()
          market.run()
          market.begin(...conns)
          market.trade(before, ...conns)
          market.lose(...conns)
          market.trade(missed)
          market.begin(...conns)
          market.trade(after, ...conns)
          const told = await market.told(pass)
          // The list reaches back so far: to one that came before, or to the begin of all.
          const reachable = Math.min(missed, ROWS - after)
          const isWhole = missed + after < ROWS
          const trades = Math.max(0, reachable)
          if (isWhole) assert.deepEqual(told, trades === 0 ? [] : [{ trades, outcome: 'filled' }])
          else assert.deepEqual(told, [{ trades, outcome: 'partly' }])
          const compared = market.journal.find(({ event }) => event === 'compared') as { from_us: number } | undefined
          const lostUs = 1000 * (START_MS + 10 * before)
          if (isWhole) assert.ok((compared?.from_us ?? Infinity) <= lostUs, 'all of the outage is known')
          else assert.ok((compared?.from_us ?? Infinity) > lostUs, 'nothing is said of what the list does not reach')
          assert.deepEqual(market.taken, [{ conn: 'backfill', family: trades > 0 ? 'trades' : 'answers' }])
        })
      }),
      { numRuns: 40 },
    )
  },
)

t.test(
  'a pause that is longer than configured is not looked at, and one while nobody wanted the channel is none',
  async t => {
    await movedTime(async pass => {
      const market = new Market()
      market.run()
      market.begin('d1')
      market.trade(10, 'd1')
      market.lose('d1')
      market.made += 100 * 3600 * 73
      market.begin('d1')
      market.lose('d1')
      market.trade(10)
      market.overlap.keepOnly(() => false)
      market.begin('d1')
      t.same(await market.told(pass), [])
      t.same(market.taken, [])
    })
  },
)

t.test('the newest ids are known, each once, in the order in which they first came', t => {
  const id = fc.integer({ min: 0, max: 300 })
  holds(
    t,
    fc.property(fc.integer({ min: 64, max: 200 }), fc.array(id, { maxLength: 600 }), (most, ids) => {
      const seen = new SeenIds(most)
      let order: number[] = []
      let came = 0
      for (const id of ids) {
        seen.add(id)
        if (order.includes(id)) continue
        came++
        order = [...order, id].slice(-most)
      }
      assert.equal(seen.total, came)
      for (let id = 0; id <= 300; id++) {
        const at = order.indexOf(id)
        assert.equal(seen.placeOf(id), at < 0 ? -1 : came - order.length + at)
      }
    }),
    { numRuns: 60 },
  )
  t.end()
})
