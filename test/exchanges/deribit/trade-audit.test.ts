/** What came is compared with the exchange's own lists: nothing that it lists stays unseen, and no time uncompared. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import pino from 'pino'
import t from 'tap'
import type { HttpRpc } from '../../../exchanges/deribit/http-rpc.js'
import { TradeAudit } from '../../../exchanges/deribit/trade-audit.js'
import type { TradeScope } from '../../../exchanges/deribit/trade-scopes.js'
import { TradeSequences } from '../../../exchanges/trade-sequences.js'
import { matchAll } from '../../fixtures/match-all.js'
import { movedTime, type Pass } from '../../fixtures/moved-time.js'
import { holds } from '../../fixtures/holds.js'

const HOUR_MS = 3_600_000
const EVERY_MS = 60_000
const START_MS = Date.UTC(2026, 11, 31, 23, 58)

interface Listed {
  instrument_name: string
  trade_seq: number
  timestamp: number
}

interface Entry {
  event: string
  scopes?: readonly string[]
  from_us: number
  to_us: number
  outcome?: string
}

/** An exchange that lists trades in pages, as far back as a day, and an audit of what came of them. */
class World {
  readonly trades: Listed[] = []
  readonly journal: Entry[] = []
  readonly asked: Record<string, unknown>[] = []
  readonly sequences = new TradeSequences()
  readonly audit: TradeAudit
  scopes: TradeScope[] = [{ kind: 'option', currency: 'BTC', instruments: undefined }]
  isBroken = false
  readonly #end = new AbortController()
  readonly #startMs = performance.now()
  #running: Promise<void> | undefined

  /** @param aheadMs how far our clock is ahead of the exchange's */
  constructor(
    readonly aheadMs = 0,
    readonly page = 1000,
  ) {
    const call: HttpRpc['call'] = (_family, { params }) => {
      this.asked.push(params)
      if (this.isBroken) return Promise.reject(new Error('no answer'))
      const { start_timestamp: from, instrument_name: name } = params as {
        start_timestamp: number
        instrument_name?: string
      }
      const isTooOld = from < this.theirMs - 24 * HOUR_MS
      const all = this.trades
        .filter(
          trade =>
            trade.timestamp >= from &&
            trade.timestamp <= this.theirMs &&
            (name ?? trade.instrument_name) === trade.instrument_name,
        )
        .sort((a, b) => a.timestamp - b.timestamp)
      const trades = isTooOld ? [] : all.slice(0, this.page)
      return Promise.resolve({ trades, has_more: !isTooOld && all.length > this.page })
    }
    this.audit = new TradeAudit({
      rpc: { call } as unknown as HttpRpc,
      sequences: this.sequences,
      scopes: () => this.scopes,
      nowUs: () => this.ourUs,
      exchangeMs: () => Promise.resolve(this.theirMs),
      journal: (event, facts) => void this.journal.push({ event, ...facts } as unknown as Entry),
      log: pino({ level: 'silent' }),
      everyMs: EVERY_MS,
    })
  }

  get theirMs(): number {
    return START_MS + performance.now() - this.#startMs
  }

  get ourUs(): number {
    return Math.round(1000 * (this.theirMs + this.aheadMs))
  }

  make(instrument: string, seq: number, came: boolean): void {
    this.trades.push({ instrument_name: instrument, trade_seq: seq, timestamp: Math.floor(this.theirMs) })
    if (came) this.sequences.see(instrument, seq, this.ourUs)
  }

  run(fromMs = this.theirMs): void {
    this.#running = this.audit.run(fromMs, this.#end.signal)
  }

  async end(pass: Pass): Promise<void> {
    this.#end.abort()
    await pass(10)
    await this.#running
  }

  holes(): [string, number][] {
    return this.sequences
      .takeHoles(Infinity)
      .flatMap(({ instrument, from, to }) =>
        Array.from({ length: to - from + 1 }, (_, at): [string, number] => [instrument, from + at]),
      )
  }

  of(event: string): Entry[] {
    return this.journal.filter(entry => entry.event === event)
  }
}

t.test('whatever came and was lost: all that was lost is known, by lists of any length, with clocks apart', async t => {
  const trade = fc.record({
    instrument: fc.constantFrom('BTC-A', 'BTC-B', 'BTC-C'),
    came: fc.boolean(),
    afterMs: fc.constantFrom(10, 700, 20_000, 90_000),
  })
  const scenario = fc.record({
    trades: fc.array(trade, { maxLength: 30 }),
    aheadMs: fc.constantFrom(0, -40_000, 7_200_000),
    page: fc.constantFrom(2, 5, 1000),
  })
  await holds(
    t,
    fc.asyncProperty(scenario, async ({ trades, aheadMs, page }) => {
      await movedTime(async pass => {
        const world = new World(aheadMs, page)
        world.run()
        const seqs = new Map<string, number>()
        const lost: [string, number][] = []
        for (const { instrument, came, afterMs } of trades) {
          await pass(afterMs, 10_000)
          const seq = (seqs.get(instrument) ?? 500) + 1
          seqs.set(instrument, seq)
          world.make(instrument, seq, came)
          if (!came) lost.push([instrument, seq])
        }
        await pass(2 * EVERY_MS, 10_000)
        assert.deepEqual(world.holes().sort(), lost.sort())
        await world.end(pass)
        const compared = world.of('compared')
        for (const [at, { from_us, to_us, scopes }] of compared.entries()) {
          assert.deepEqual(scopes, ['option BTC'])
          assert.ok(from_us < to_us && to_us <= world.ourUs, 'no time that is not over is compared')
          if (at > 0) assert.ok(from_us <= (compared[at - 1]?.to_us ?? 0), 'no time between two is left out')
        }
        assert.ok((compared[0]?.from_us ?? Infinity) <= 1000 * (START_MS + aheadMs) + 1000)
      })
    }),
    { numRuns: 40 },
  )
})

t.test(
  'three trades that only lists told of were taken for numbers that began anew when they were listed again',
  async t => {
    await movedTime(async pass => {
      const world = new World()
      world.run()
      await pass(100)
      world.make('BTC-A', 501, true)
      for (const seq of [502, 503, 504]) {
        await pass(2000)
        world.make('BTC-A', seq, false)
      }
      await pass(5 * EVERY_MS, 5000)
      t.same(world.holes(), [
        ['BTC-A', 502],
        ['BTC-A', 503],
        ['BTC-A', 504],
      ])
      t.same(world.sequences.takeRenumberings(), [])
      await world.end(pass)
    })
  },
)

t.test('after a connection came back it is compared soon, once for all that came back together', async t => {
  await movedTime(async pass => {
    const world = new World()
    world.run()
    await pass(100)
    world.make('BTC-A', 5, false)
    for (let times = 0; times < 3; times++) world.audit.hurry()
    await pass(4000)
    t.same(world.holes(), [], 'trades come by themselves first')
    await pass(2000)
    t.same(world.holes(), [['BTC-A', 5]])
    t.equal(world.of('compared').length, 1)
    await pass(EVERY_MS)
    t.equal(world.of('compared').length, 2)
    await world.end(pass)
  })
})

t.test('while the exchange does not answer nothing is told as compared, and afterwards all of it', async t => {
  await movedTime(async pass => {
    const world = new World()
    world.isBroken = true
    const fromUs = world.ourUs
    world.run()
    for (let minute = 0; minute < 5; minute++) {
      world.make('BTC-A', 100 + minute, minute === 0)
      await pass(EVERY_MS, 5000)
    }
    t.same(world.journal, [])
    world.isBroken = false
    await pass(EVERY_MS, 5000)
    t.equal(world.holes().length, 4)
    t.ok((world.of('compared')[0]?.from_us ?? Infinity) <= fromUs + 1000)
    await world.end(pass)
  })
})

t.test('a scope that is compared only in part is not told, and the others are', async t => {
  await movedTime(async pass => {
    const world = new World(0, 1)
    world.scopes = [
      { kind: 'future', currency: 'BTC', instruments: new Set(['BTC-PERPETUAL']) },
      { kind: 'spot', currency: 'USDC', instruments: new Set(['BTC_USDC']), name: 'BTC_USDC' },
    ]
    world.run()
    // More than one pass goes through, a trade a page; of the pair only one.
    for (let seq = 1; seq <= 80; seq++) {
      world.make(seq % 2 === 0 ? 'BTC-PERPETUAL' : 'BTC-25DEC26', seq, false)
      await pass(1)
    }
    world.make('BTC_USDC', 7, false)
    await pass(EVERY_MS, 5000)
    matchAll(t, world.of('compared'), [{ scopes: ['BTC_USDC'] }])
    await pass(EVERY_MS, 5000)
    t.same(
      world.of('compared')[1]?.scopes,
      ['future BTC', 'perpetual BTC', 'BTC_USDC'],
      'as names of instruments have it',
    )
    const found = world.holes()
    t.notOk(
      found.some(([name]) => name === 'BTC-25DEC26'),
      'what was not asked for is not missed',
    )
    t.ok(found.some(([name]) => name === 'BTC_USDC') && found.some(([name]) => name === 'BTC-PERPETUAL'))
    t.match(world.asked.at(-1), { instrument_name: 'BTC_USDC' }, 'a pair is asked for by its name')
    await world.end(pass)
  })
})

t.test('a pause of more than a day: what is out of reach is told as lost, and the rest is compared', async t => {
  await movedTime(async pass => {
    const world = new World()
    const fromMs = world.theirMs - 72 * HOUR_MS
    world.make('BTC-A', 9, true)
    world.trades.push({ instrument_name: 'BTC-A', trade_seq: 8, timestamp: Math.floor(world.theirMs - 5 * HOUR_MS) })
    world.run(fromMs)
    await pass(EVERY_MS + 100, 5000)
    const [lost, ...others] = world.of('backfill')
    t.same(others, [])
    t.equal(lost?.outcome, 'unavailable')
    t.ok(Math.abs((lost?.from_us ?? 0) - 1000 * fromMs) < 1000)
    const [compared] = world.of('compared')
    t.equal(compared?.from_us, lost?.to_us, 'one goes on where the other ends')
    t.same(world.holes(), [['BTC-A', 8]])
    await world.end(pass)
  })
})

t.test('where nothing trades for days the question moves on with the time, and stays within reach', async t => {
  await movedTime(async pass => {
    const world = new World()
    world.run()
    await pass(30 * HOUR_MS, 180_000)
    t.same(world.of('backfill'), [], 'nothing is told as lost')
    const last = Number(world.asked.at(-1)?.['start_timestamp'])
    t.ok(world.theirMs - last < HOUR_MS)
    world.make('BTC-A', 1, false)
    await pass(EVERY_MS, 5000)
    t.same(world.holes(), [['BTC-A', 1]])
    await world.end(pass)
  })
})
