/** Fills that are missing are fetched, each once and beside none that came, whatever the exchange's history has of them. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import pino from 'pino'
import t from 'tap'
import type { Recording } from '../../../exchanges/adapter.js'
import type { OkxHttp } from '../../../exchanges/okx/http.js'
import { TradeKeeper } from '../../../exchanges/okx/trade-keeper.js'
import { movedTime, type Pass } from '../../fixtures/moved-time.js'
import { holds } from '../../fixtures/holds.js'

const INSTRUMENT = 'BTC-USDT'
const FIRST = 1000

interface Told {
  event: string
  trades?: number
  outcome?: string
  from_seq: number
  to_seq: number
  scopes?: readonly string[]
}

/** An exchange of one instrument, whose history may lack some, and the keeper of its trades. */
class World {
  /** Numbers that the history has. */
  readonly history = new Set<number>()
  readonly recorded: number[] = []
  readonly journal: Told[] = []
  readonly limits: number[] = []
  readonly keeper: TradeKeeper
  readonly #end = new AbortController()
  readonly #startMs = performance.now()
  readonly #running: Promise<void>

  constructor() {
    const rows: OkxHttp['rows'] = (_path, { after = '', limit = '' }, take, familyOf) => {
      this.limits.push(Number(limit))
      const numbers = [...this.history]
        .filter(number => number < Number(after))
        .sort((a, b) => b - a)
        .slice(0, Number(limit))
      const list = numbers.map(number => ({ instId: INSTRUMENT, tradeId: String(number), ts: '5' }))
      const family = familyOf(list)
      if (family === 'trades') this.recorded.push(...numbers)
      take(family, Buffer.from(JSON.stringify({ code: '0', data: list })))
      return Promise.resolve(list)
    }
    this.keeper = new TradeKeeper({ rows } as unknown as OkxHttp, { tradesPerHole: 50_000 }, pino({ level: 'silent' }))
    const recording = {
      take: () => undefined,
      journal: (event: string, facts: object) => void this.journal.push({ event, ...facts } as Told),
      nowUs: () => this.nowUs,
      earlier: async function* () {},
    } as unknown as Recording
    this.#running = this.keeper.run(recording, this.#end.signal)
  }

  get nowUs(): number {
    return 1_795_000_000_000_000 + Math.round(1000 * (performance.now() - this.#startMs))
  }

  /** A frame that stands for some fills. */
  see(first: number, last: number): void {
    const row = {
      instId: INSTRUMENT,
      tradeId: String(last),
      count: String(last - first + 1),
      ts: String(Math.floor(this.nowUs / 1000)),
    }
    this.keeper.see({ arg: { channel: 'trades', instId: INSTRUMENT }, data: [row] }, this.nowUs)
  }

  async end(pass: Pass): Promise<void> {
    await pass(40_000, 250)
    this.#end.abort()
    await pass(1500)
    await this.#running
  }
}

const numbersIn = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, at) => first + at)

t.test('one fill that the history lacks cost all others of its hole', async t => {
  await movedTime(async pass => {
    const world = new World()
    for (const number of numbersIn(FIRST, FIRST + 20)) if (number !== FIRST + 7) world.history.add(number)
    world.see(FIRST, FIRST + 3)
    world.see(FIRST + 12, FIRST + 12)
    await world.end(pass)
    const missing = numbersIn(FIRST + 4, FIRST + 11).filter(number => number !== FIRST + 7)
    t.same([...new Set(world.recorded)].sort(), missing)
    t.match(world.journal.at(-1), { event: 'backfill', trades: 7, outcome: 'partly' })
  })
})

t.test(
  'whatever frames were lost and whatever the history lacks: what it has is recorded, and nothing beside what came',
  async t => {
    const frame = fc.record({
      fills: fc.integer({ min: 1, max: 90 }),
      came: fc.boolean(),
      isLacking: fc.integer({ min: 0, max: 6 }),
    })
    await holds(
      t,
      fc.asyncProperty(
        fc.array(frame, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 0, max: 200 }),
        async (frames, older) => {
          await movedTime(async pass => {
            const world = new World()
            for (const number of numbersIn(FIRST - older, FIRST - 1)) world.history.add(number)
            let next = FIRST
            const missing: number[] = []
            const lacking: number[] = []
            // The first and the last come: what lies between is known to be missing.
            for (const { fills, came, isLacking } of [
              { fills: 1, came: true, isLacking: 6 },
              ...frames,
              { fills: 3, came: true, isLacking: 6 },
            ]) {
              const own = numbersIn(next, next + fills - 1)
              for (const number of own) {
                if (isLacking === 0 && number % 3 === 0) lacking.push(number)
                else world.history.add(number)
              }
              if (came) world.see(next, next + fills - 1)
              else missing.push(...own)
              next += fills
              await pass(10)
            }
            await world.end(pass)
            const wanted = missing.filter(number => !lacking.includes(number))
            assert.deepEqual(
              [...new Set(world.recorded)].sort((a, b) => a - b),
              wanted,
            )
            const told = world.journal.filter(({ event }) => event === 'backfill')
            assert.equal(
              told.reduce((sum, { trades = 0 }) => sum + trades, 0),
              wanted.length,
            )
            assert.equal(
              told.some(({ outcome }) => outcome !== 'filled'),
              missing.some(number => lacking.includes(number)),
            )
            assert.ok(Math.max(0, ...world.limits) <= 100, 'no page is longer than an answer')
          })
        },
      ),
      { numRuns: 60 },
    )
  },
)
