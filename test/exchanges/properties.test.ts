/** What must hold of every exchange's plans and requests, whatever is listed and refused; a failure prints its seed. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { bybitConfig } from '../../exchanges/bybit/config.js'
import {
  parseInstruments as parseBybit,
  type Instrument as BybitInstrument,
} from '../../exchanges/bybit/instruments.js'
import { familyOfChannel as bybitFamily } from '../../exchanges/bybit/names.js'
import { planChannels as planBybit } from '../../exchanges/bybit/plan-channels.js'
import type { Requests } from '../../exchanges/bybit/requests.js'
import { Subscriptions as BybitSubscriptions } from '../../exchanges/bybit/subscriptions.js'
import { chunked } from '../../exchanges/chunks.js'
import { deribitConfig } from '../../exchanges/deribit/config.js'
import type { Instrument as DeribitInstrument } from '../../exchanges/deribit/instruments.js'
import { familyOfChannel as deribitFamily } from '../../exchanges/deribit/names.js'
import { planChannels as planDeribit } from '../../exchanges/deribit/plan-channels.js'
import type { Rpc } from '../../exchanges/deribit/rpc.js'
import { Subscriptions as DeribitSubscriptions } from '../../exchanges/deribit/subscriptions.js'
import type { SessionLink } from '../../exchanges/adapter.js'
import { okxConfig } from '../../exchanges/okx/config.js'
import type { Instrument as OkxInstrument } from '../../exchanges/okx/instruments.js'
import { familyOfChannel as okxFamily } from '../../exchanges/okx/names.js'
import type { Ops, Outcome } from '../../exchanges/okx/ops.js'
import { planChannels as planOkx } from '../../exchanges/okx/plan.js'
import { Subscriptions as OkxSubscriptions } from '../../exchanges/okx/subscriptions.js'
import { createLogger } from '../../platform/log.js'
import { holds } from '../fixtures/holds.js'

type Plan = ReadonlyMap<string, number>

const coin = fc.constantFrom('BTC', 'ETH', 'SOL')
const strike = fc.integer({ min: 1, max: 9 }).map(n => n * 10_000)

const ofDeribit: fc.Arbitrary<DeribitInstrument> = fc.oneof(
  coin.map(base => deribit(`${base}-PERPETUAL`, 'future', base, { settlement_period: 'perpetual' })),
  coin.map(base => deribit(`${base}-25DEC26`, 'future', base, { settlement_period: 'month' })),
  fc.tuple(coin, strike).map(([base, at]) => deribit(`${base}-25DEC26-${at}-C`, 'option', base)),
  coin.map(base => deribit(`${base}-FS-25DEC26_PERP`, 'future_combo', base)),
  coin.map(base => deribit(`${base}_USDC`, 'spot', base, { settlement_currency: undefined, quote_currency: 'USDC' })),
)
function deribit(name: string, kind: DeribitInstrument['kind'], base: string, over: object = {}): DeribitInstrument {
  const index = `${base.toLowerCase()}_usd`
  return {
    ...{ instrument_name: name, kind, base_currency: base, settlement_currency: base, price_index: index },
    ...over,
  }
}

const ofBybit: fc.Arbitrary<BybitInstrument> = fc
  .oneof(
    coin.map(base => bybit('linear', { symbol: `${base}USDT`, contractType: 'LinearPerpetual' })),
    coin.map(base => bybit('linear', { symbol: `${base}-25DEC26`, contractType: 'LinearFutures' })),
    coin.map(base => bybit('inverse', { symbol: `${base}USD`, contractType: 'InversePerpetual' })),
    coin.map(base => bybit('spot', { symbol: `${base}USDT` })),
    fc.tuple(coin, strike).map(([base, at]) => bybit('option', { symbol: `${base}-25DEC26-${at}-C-USDT` })),
  )
  .filter(one => one !== undefined)
function bybit(category: BybitInstrument['category'], entry: object): BybitInstrument | undefined {
  return parseBybit(category, [{ status: 'Trading', ...entry }]).instruments[0]
}

const ofOkx: fc.Arbitrary<OkxInstrument> = fc.oneof(
  coin.map(base => okx(`${base}-USDT-SWAP`, 'perpetual', base)),
  coin.map(base => okx(`${base}-USDT-261225`, 'future', base)),
  coin.map(base => okx(`${base}-USDT`, 'spot', base)),
  fc.tuple(coin, strike).map(([base, at]) => okx(`${base}-USD-261225-${at}-C`, 'option', base)),
)
function okx(name: string, kind: OkxInstrument['kind'], base: string): OkxInstrument {
  const index = kind === 'option' ? `${base}-USD` : `${base}-USDT`
  return { instrument_name: name, kind, index, instFamily: index, expiration_timestamp: undefined }
}

/** Of a set of instruments; each name once. */
function plans<I extends { instrument_name: string }>(
  name: string,
  instrument: fc.Arbitrary<I>,
  planOf: (instruments: readonly I[]) => Plan,
  familyOf: (channel: string) => string,
): void {
  const some = fc.uniqueArray(instrument, { selector: one => one.instrument_name, maxLength: 12 })
  t.test(`${name}: a plan is of its instruments alone, in whatever order they are listed`, t => {
    holds(
      t,
      fc.property(some, some, fc.infiniteStream(fc.nat()), (one, other, dice) => {
        const plan = planOf(one)
        const shuffled = one
          .map(instrument => ({ instrument, at: dice.next().value as number }))
          .sort((a, b) => a.at - b.at)
          .map(({ instrument }) => instrument)
        const rounded = (plan: Plan) => [...plan].map(([channel, weight]) => `${channel} ${weight.toFixed(6)}`).sort()
        assert.deepEqual(rounded(planOf(shuffled)), rounded(plan))
        assert.equal(plan.size === 0, one.length === 0, 'no instrument, no channel; and the other way round')
        for (const [channel, weight] of plan) {
          assert.notEqual(familyOf(channel), 'other', channel)
          assert.ok(Number.isFinite(weight) && weight >= 0, `${channel} ${weight}`)
        }
        const both = new Map([...one, ...other].map(one => [one.instrument_name, one]))
        assert.deepEqual(
          [...planOf([...both.values()]).keys()].sort(),
          [...new Set([...plan.keys(), ...planOf(other).keys()])].sort(),
          'more instruments bring their own channels and take none away',
        )
      }),
      { numRuns: 60 },
    )
    t.end()
  })
}

const [forDeribit, forBybit, forOkx] = [
  deribitConfig.parse({ name: 'deribit', currencies: ['any'] }),
  bybitConfig.parse({ adapter: 'bybit', name: 'bybit' }),
  okxConfig.parse({ adapter: 'okx', name: 'okx' }),
]
plans('deribit', ofDeribit, all => planDeribit(all, forDeribit), deribitFamily)
plans('bybit', ofBybit, all => planBybit(all, forBybit), bybitFamily)
plans('okx', ofOkx, all => planOkx(all, forOkx), okxFamily)

t.test('a list that is cut into requests is whole, in its order, and each request fits', t => {
  const limits = fc.record({ countMax: fc.integer({ min: 1, max: 9 }), bytesMax: fc.integer({ min: 1, max: 60 }) })
  holds(
    t,
    fc.property(fc.array(fc.string({ maxLength: 80 })), limits, (items, limits) => {
      const parts = chunked(items, limits, item => item.length)
      assert.deepEqual(parts.flat(), items)
      for (const part of parts) {
        const bytes = part.reduce((sum, item) => sum + item.length, 0)
        assert.ok(part.length > 0 && part.length <= limits.countMax)
        assert.ok(bytes <= limits.bytesMax || part.length === 1)
      }
    }),
  )
  t.end()
})

/** A link that notes what is told of channels. */
function notes() {
  const told = { subscribed: [] as string[], rejected: [] as string[], unsubscribed: [] as string[] }
  const link = {
    conn: 'd1',
    journal: (event: string, { channels = [] }: { channels?: string[] }) => {
      if (event === 'rejected' || event === 'unsubscribed') told[event].push(...channels)
    },
    subscribed: (channels: readonly string[]) => told.subscribed.push(...channels),
    limited: () => undefined,
    nowUs: () => 0,
  } as unknown as SessionLink
  return { told, link }
}

interface Kept {
  update(): Promise<void>
  close(): void
  readonly channels: ReadonlySet<string>
}
const log = createLogger('silent-test')
log.level = 'silent'

/** Subscriptions of an exchange that refuses some channels, each in its own way. */
const exchanges: Record<
  string,
  (wanted: () => ReadonlySet<string>, bad: ReadonlySet<string>, link: SessionLink) => Kept
> = {
  deribit: (wanted, bad, link) => {
    // What it does not know is left out of the answer, without an error.
    const call = (_method: string, { channels }: { channels: string[] }) =>
      Promise.resolve(channels.filter(channel => !bad.has(channel)))
    return new DeribitSubscriptions({ link, rpc: { call } as unknown as Rpc, log, wanted, rawFallback: undefined })
  },
  bybit: (wanted, bad, link) => {
    // The first bad topic refuses all of a request; half of the messages say which it was.
    const ask = (op: string, topics: readonly string[]) => {
      const [first] = op === 'subscribe' ? topics.filter(topic => bad.has(topic)) : []
      if (first === undefined) return Promise.resolve({ success: true, message: '', failed: [] })
      const message = first.length % 2 === 0 ? `error:handler not found,topic:${first}` : 'no'
      return Promise.resolve({ success: false, message, failed: [] })
    }
    const requests = { ask } as unknown as Requests
    const flow = { began: () => undefined, ended: () => undefined }
    return new BybitSubscriptions({ link, requests, log, wanted, ...flow })
  },
  okx: (wanted, bad, link) => {
    // An error says that something of a request is wrong, and not what.
    const run = (op: string, channels: readonly string[]): Promise<Outcome> => {
      const isBad = op === 'subscribe' && channels.some(channel => bad.has(channel))
      const doubtful = isBad ? { channels: [...channels], error: { code: 60018, message: 'wrong' } } : undefined
      return Promise.resolve({ accepted: isBad ? [] : [...channels], refused: new Map(), doubtful, unanswered: [] })
    }
    const told = { asking: () => undefined, begun: () => undefined }
    return new OkxSubscriptions({ link, ops: { run } as unknown as Ops, log, wanted, ...told })
  },
}

const names = fc.uniqueArray(
  fc.integer({ min: 1, max: 99_999 }).map(n => `publicTrade.S${n}`),
  { maxLength: 40 },
)

for (const [name, open] of Object.entries(exchanges))
  t.test(`${name}: whatever is refused, all others are held, and each is told once`, async t => {
    await holds(
      t,
      fc.asyncProperty(names, names, fc.infiniteStream(fc.boolean()), async (first, second, dice) => {
        const bad = new Set(
          [...first, ...second].filter(() => dice.next().value === true && dice.next().value === true),
        )
        const { told, link } = notes()
        let wanted: ReadonlySet<string> = new Set(first)
        const kept = open(() => wanted, bad, link)
        try {
          await kept.update()
          const good = (list: Iterable<string>) => [...list].filter(channel => !bad.has(channel)).sort()
          assert.deepEqual([...kept.channels].sort(), good(first))
          assert.deepEqual([...told.rejected].sort(), first.filter(channel => bad.has(channel)).sort(), 'refused')
          wanted = new Set(second)
          await kept.update()
          assert.deepEqual([...kept.channels].sort(), good(second))
          assert.deepEqual(
            [...told.subscribed].sort(),
            [...good(first), ...good(second.filter(one => !first.includes(one)))].sort(),
          )
          assert.deepEqual([...told.unsubscribed].sort(), good(first.filter(one => !second.includes(one))))
          const { length } = told.rejected
          await kept.update()
          assert.equal(told.rejected.length, length, 'what was refused is not asked for again at once')
        } finally {
          kept.close()
        }
      }),
      { numRuns: 60 },
    )
  })
