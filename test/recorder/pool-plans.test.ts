// Puts back what it changes of the process.
/** How the plan of what is recorded is kept, asked for and told; the connections themselves find nobody here. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import type { Adapter, PlanChange, SessionLink, Spread } from '../../exchanges/adapter.js'
import { matchAll } from '../fixtures/match-all.js'
import { movedTime, settled, type Pass } from '../fixtures/moved-time.js'
import { runPool, type PoolRun } from '../fixtures/pool-run.js'

const NOBODY = 'ws://127.0.0.1:1'
const SECOND = 1000
const HOUR = 3600 * SECOND
const BEGIN_MS = Date.parse('2026-11-28T12:10:00Z')

const changeOf = (channels: readonly string[], more: Partial<PlanChange> = {}): PlanChange => ({
  plan: new Map(channels.map(channel => [channel, 1])),
  added: [],
  removed: [],
  ...more,
})

interface World extends PoolRun {
  pass: Pass
  /** When it was asked, ms since the begin. */
  listedMs: number[]
  links: SessionLink[]
  says: { list: () => PlanChange; news: () => PlanChange | 'discover' | undefined }
}

/** Runs a pool in moved time against an exchange that lists and says what a test tells it to. */
async function pooled(
  t: Test,
  run: (world: World) => Promise<void>,
  over: Partial<Adapter> = {},
  spread: Partial<Spread> = {},
) {
  await movedTime(async pass => {
    const startMs = performance.now()
    const { now } = Date
    Date.now = () => BEGIN_MS + performance.now() - startMs
    t.teardown(() => (Date.now = now))
    const listedMs: number[] = []
    const links: SessionLink[] = []
    const says: World['says'] = { list: () => changeOf(['quote.A']), news: () => undefined }
    const pool = runPool(
      t,
      NOBODY,
      {
        discover: async () => {
          listedMs.push(performance.now() - startMs)
          await Promise.resolve()
          return says.list()
        },
        news: () => says.news(),
        openSession: link => {
          links.push(link)
          return {
            start: () => Promise.resolve(),
            data: () => undefined,
            control: () => ({ family: 'control' }),
            update: () => Promise.resolve(),
            channels: new Set(),
            closed: () => undefined,
          }
        },
        ...over,
      },
      spread.redundancy ?? 1,
      { rediscoverMs: 100 * HOUR, ...spread },
    )
    await settled()
    await run({ ...pool, pass, listedMs, links, says })
    await pool.stop()
    Date.now = now
  })
}

t.test('as many connections as the plan needs, at each of its places', async t => {
  for (const [what, channels, spread, connections] of [
    ['one', 10, { channelsPerConnection: 10 }, 1],
    ['more than one takes', 11, { channelsPerConnection: 10 }, 2],
    ['each twice', 11, { channelsPerConnection: 10, redundancy: 2 }, 4],
    ['no more than may be', 100, { channelsPerConnection: 10, connectionsMax: 3 }, 3],
  ] as const)
    await pooled(
      t,
      async ({ pool, of, pass }) => {
        await pass(2 * SECOND, 500)
        t.equal(pool.connections.length, connections, what)
        matchAll(t, of('planned'), [{ channels, connections }], what)
        t.equal(new Set(pool.connections.map(({ name }) => name)).size, connections, 'each has a name of its own')
      },
      { discover: () => Promise.resolve(changeOf(Array.from({ length: channels }, (_, n) => `quote.${n}`))) },
      spread,
    )
  await pooled(
    t,
    ({ pool, of }) => {
      t.equal(pool.connections.length, 3, 'a place has its own')
      matchAll(t, of('planned'), [{ channels: 30, connections: 3 }])
      t.notOk(pool.isWhole, 'nothing is there yet')
      return Promise.resolve()
    },
    {
      discover: () => Promise.resolve(changeOf(Array.from({ length: 30 }, (_, n) => `quote.${n}`))),
      endpointOf: channel => (Number(channel.slice(6)) % 3 === 0 ? `${NOBODY}/other` : NOBODY),
    },
    { channelsPerConnection: 10 },
  )
})

t.test('a plan that grows opens connections, and one that shrinks is told alone', async t => {
  await pooled(
    t,
    async ({ pool, of, pass, says }) => {
      const upTo = (n: number) => changeOf(Array.from({ length: n }, (_, at) => `quote.${at}`))
      for (const [channels, connections] of [
        [25, 3],
        [25, 3],
        [5, 3],
        [40, 4],
      ] as const) {
        says.news = () => {
          says.news = () => undefined
          return upTo(channels)
        }
        await pass(2 * SECOND, 500)
        t.equal(pool.connections.length, connections, `${channels} channels`)
        t.equal(pool.plannedChannels, channels)
      }
      const counts = of('planned').map(({ channels }) => channels)
      t.same(counts, [1, 25, 5, 40], 'told where the number changed')
    },
    {},
    { channelsPerConnection: 10 },
  )
})

t.test('an exchange that lists nothing, or fails, is asked again, and what was planned stays', async t => {
  await pooled(t, async ({ pool, of, pass, listedMs, says }) => {
    says.list = () => {
      throw new Error('the exchange is closed')
    }
    says.news = () => 'discover'
    await pass(12 * SECOND, 500)
    says.news = () => undefined
    const beforeMs = listedMs.length
    await pass(120 * SECOND, 2 * SECOND)
    t.ok(listedMs.length - beforeMs >= 2, `asked ${listedMs.length - beforeMs} times more in two minutes`)
    t.ok(listedMs.length - beforeMs <= 120, 'and no more than each second')
    says.list = () => changeOf([])
    await pass(60 * SECOND, 2 * SECOND)
    t.equal(pool.plannedChannels, 1, 'nothing is given up for it')
    const told = of('discovery_failed').map(({ message }) => message)
    t.ok(told.includes('cannot list instruments: the exchange is closed'), JSON.stringify(told))
    t.ok(told.includes('the exchange lists nothing that this config asks for'), JSON.stringify(told))
    t.ok(told.length < listedMs.length, 'not each time')
    says.list = () => changeOf(['quote.A', 'quote.B'])
    await pass(60 * SECOND, 2 * SECOND)
    t.equal(pool.plannedChannels, 2, 'and taken up again')
    const wellMs = listedMs.length
    await pass(60 * SECOND, 2 * SECOND)
    t.equal(listedMs.length, wellMs, 'then it is left in peace')
  })
})

t.test('whatever frames say, two lists are ten seconds apart; what they bring themselves costs none', async t => {
  await pooled(t, async ({ pool, pass, listedMs, says }) => {
    says.news = () => 'discover'
    await pass(60 * SECOND, 500)
    // Moved time has fractions: ten seconds may be a millionth less.
    for (const [n, ms] of listedMs.entries())
      if (n > 0) t.ok(ms - (listedMs[n - 1] ?? 0) > 10 * SECOND - 1, `list ${n}`)
    t.ok(listedMs.length >= 5, `${listedMs.length} lists of a minute`)
    const asked = listedMs.length
    says.news = () => changeOf(['quote.A', 'quote.B'])
    await pass(20 * SECOND, 500)
    t.equal(listedMs.length, asked)
    t.equal(pool.plannedChannels, 2)
  })
})

t.test('names that come and go are told in entries of a bounded length, all of them, in order', async t => {
  await pooled(t, async ({ of, pass, says }) => {
    const counts = fc.sample(fc.nat({ max: 1800 }), { numRuns: 6, seed: 7 })
    for (const count of [0, 500, 501, ...counts]) {
      const names = Array.from({ length: count }, (_, n) => `I-${n}`)
      const before = [of('instruments_added').length, of('instruments_removed').length] as const
      says.news = () => {
        says.news = () => undefined
        return changeOf(['quote.A'], { added: names, removed: [{ instruments: names, reason: 'expired' }] })
      }
      await pass(2 * SECOND, SECOND)
      for (const [n, event] of (['instruments_added', 'instruments_removed'] as const).entries()) {
        const parts = of(event)
          .slice(before[n])
          .map(({ instruments }) => instruments as string[])
        assert.deepEqual(parts.flat(), names)
        assert.equal(parts.length, Math.ceil(count / 500))
        assert.ok(parts.every(({ length }) => length > 0 && length <= 500))
      }
    }
    t.ok(of('instruments_removed').every(({ reason }) => reason === 'expired'))
  })
})

t.test('an instrument that was not listed for a while is told with that span', async t => {
  await pooled(t, async ({ of, pass, says }) => {
    says.news = () => {
      says.news = () => undefined
      const returned = [
        { instrument: 'A', awayMs: 90_000.4 },
        { instrument: 'B', awayMs: 5, cause: 'unheard' },
      ]
      return changeOf(['quote.A'], { added: ['A', 'B'], returned })
    }
    await pass(2 * SECOND, 500)
    const told = of('unlisted')
    matchAll(t, told, [
      { instrument: 'A', cause: /lists it again/ },
      { instrument: 'B', cause: 'unheard' },
    ])
    t.same(
      told.map(({ from_us, to_us }) => Number(to_us) - Number(from_us)),
      [90_000_400, 5000],
    )
  })
})

t.test('what cannot be had is told once by name, and again in each hour', async t => {
  await pooled(t, async ({ pool, of, pass, says }) => {
    says.list = () =>
      changeOf(['quote.A'], { notOffered: [{ channels: ['raw.A'], instruments: ['C'], reason: 'login' }] })
    says.news = () =>
      changeOf(['quote.A'], { notOffered: [{ channels: ['raw.A'], instruments: ['C'], reason: 'login' }] })
    await pass(5 * SECOND, 500)
    const told = () => of('not_offered').map(({ channels, instruments, reason }) => [channels ?? instruments, reason])
    const once = [
      [['raw.A'], 'login'],
      [['C'], 'login'],
    ]
    t.same(told().slice(0, 2), once)
    t.same(pool.notOffered, ['raw.A', 'C'])
    const before = told().length
    await pass(HOUR, 30 * SECOND)
    t.same(told().slice(before), once, 'once more')
    says.news = () => changeOf(['quote.A'])
    await pass(2 * SECOND, 500)
    t.same(pool.notOffered, [], 'the status tells of now')
  })
})

t.test('each hour begins with a list of its own', async t => {
  await pooled(t, async ({ pass, listedMs }) => {
    await pass(3 * HOUR, 30 * SECOND)
    const minutes = listedMs.map(ms => Math.floor(ms / 60_000))
    t.same(minutes, [0, 50, 110, 170])
  })
})

t.test('maintenance that all connections announce is told once; what is told of one is about that one', async t => {
  await pooled(
    t,
    async ({ of, pass, links }) => {
      const facts = (n: number) => ({ conn: links[n]?.conn ?? '', message: 'soon' }) as never
      for (const [n, link] of links.slice(0, 3).entries()) link.maintenance(facts(n))
      t.equal(of('maintenance').length, 1)
      for (const [n, link] of links.slice(0, 3).entries()) link.maintenance(facts(n), 'this')
      t.equal(of('maintenance').length, 4, 'of each one')
      links[1]?.maintenance(facts(1), 'this')
      t.equal(of('maintenance').length, 5, 'that comes right after waits for its turn')
      links[1]?.maintenance(facts(1), 'this')
      t.equal(of('maintenance').length, 5, 'and has one turn alone')
      await pass(598 * SECOND, 10 * SECOND)
      links[0]?.maintenance(facts(0))
      t.equal(of('maintenance').length, 5)
      await pass(3 * SECOND)
      links[0]?.maintenance(facts(0))
      t.equal(of('maintenance').length, 6, 'ten minutes later it is news')
    },
    { discover: () => Promise.resolve(changeOf(['quote.A', 'quote.B', 'quote.C'])) },
    { channelsPerConnection: 1 },
  )
})

t.test('the clock of the exchange is that of the quickest answer since it was asked for', async t => {
  await pooled(t, ({ pool, links: [link] }) => {
    t.equal(pool.takeMeasured(), undefined)
    for (const [offsetUs, roundTripUs] of [
      [500, 9000],
      [100, 2000],
      [900, 2000],
      [-300, 40_000],
    ] as const)
      link?.measured(offsetUs, roundTripUs)
    t.equal(pool.exchangeOffsetUs, -300, 'the last one is shown')
    t.same(pool.takeMeasured(), { offsetUs: 100, roundTripUs: 2000 })
    t.equal(pool.takeMeasured(), undefined, 'each counts once')
    return Promise.resolve()
  })
})
