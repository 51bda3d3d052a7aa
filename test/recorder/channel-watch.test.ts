import t from 'tap'
import { createLogger } from '../../platform/log.js'
import type { HeardChannel } from '../../exchanges/adapter.js'
import type { OutageAccount } from '../../recorder/connection/outage-account.js'
import { ChannelWatch } from '../../recorder/channel-watch.js'

const S = 1_000_000
const START_US = Date.parse('2026-11-28T12:00:00Z') * 1000
const QUOTES = 'quote.BTC-PERPETUAL'

interface Told {
  conn: string
  also?: string[]
  channels: string[]
  from_us: number
  to_us: number
}

/** Quotes come five times a second, and all else as well, as long as they do. */
function watched(connections: number) {
  let nowUs = START_US
  let restsUs = 0
  const heard: HeardChannel = { lastUs: -Infinity, frames: 0, pauseUs: 0, pausedUs: 0 }
  const world = { quotes: true, others: true, upUs: START_US, isUp: true }
  const told: Told[] = []
  const anew: string[] = []
  let othersUs = START_US
  const account = () =>
    ({
      get isUp() {
        return world.isUp
      },
      get upUs() {
        return world.upUs
      },
      isSilent: () => false,
      families: new Set(['quote', 'book']),
      flows: { lastUsOf: () => Math.max(othersUs, heard.lastUs) },
    }) as unknown as OutageAccount
  const carriers = Array.from({ length: connections }, (_, i) => ({
    ...{ name: `d${i + 1}`, state: 'live' as const, channels: new Set([QUOTES]), isPaused: false, account: account() },
    session: { resubscribe: (channels: readonly string[]) => Promise.resolve(void anew.push(...channels)) } as never,
  }))
  const deps = {
    exchange: { heardOf: (name: string) => (name === QUOTES ? heard : undefined), familyOfChannel: () => 'quote' },
    clock: { nowUs: () => nowUs },
    router: { journal: (_event: string, facts: object) => void told.push(facts as Told) },
    log: createLogger('test', 'silent'),
  }
  const watch = new ChannelWatch(deps, carriers)
  const pass = (seconds: number) => {
    for (let tick = 0; tick < seconds * 5; tick++) {
      nowUs += S / 5
      restsUs = Math.max(0, restsUs - S / 5)
      if (world.others) othersUs = nowUs
      if (world.quotes && restsUs === 0) {
        const pauseUs = nowUs - heard.lastUs
        if (pauseUs > heard.pauseUs && heard.lastUs > 0) Object.assign(heard, { pauseUs, pausedUs: heard.lastUs })
        heard.lastUs = nowUs
        heard.frames++
      }
      if (tick % 5 === 4) watch.look()
    }
  }
  const second = (us: number) => Math.round((us - START_US) / (S / 10)) / 10
  return { world, told, anew, pass, rest: (seconds: number) => (restsUs = seconds * S), watch, second }
}

t.test('one channel that fell silent while all else came was in no gap', async t => {
  const { world, told, anew, pass, second } = watched(2)
  pass(70)
  world.quotes = false
  pass(20)
  world.quotes = true
  pass(3)
  t.equal(told.length, 1)
  const [one] = told
  t.same([one?.conn, one?.also, one?.channels], ['d1', ['d2'], [QUOTES]])
  t.same(
    [one?.from_us, one?.to_us].map(us => second(us ?? 0)),
    [70, 90.2],
  )
  t.same(anew, [QUOTES, QUOTES], 'taken anew on each connection, once')
})

t.test('what lasts at the end is told until then', async t => {
  const { world, told, pass, watch, second } = watched(1)
  pass(70)
  world.quotes = false
  pass(10)
  watch.close()
  t.same(
    told.map(({ from_us, to_us }) => [from_us, to_us].map(second)),
    [[70, 80]],
  )
})

t.test('rests that a channel takes now and then, and halts of the whole exchange, are no silence', async t => {
  const { world, told, pass, rest, watch } = watched(1)
  pass(30)
  for (const seconds of [2, 4, 2, 4.6, 8, 15]) {
    rest(seconds)
    pass(40)
  }
  Object.assign(world, { quotes: false, others: false })
  pass(60)
  Object.assign(world, { quotes: true, others: true })
  pass(10)
  watch.close()
  t.same(told, [])
})

t.test('what an outage took is told as that alone', async t => {
  const { world, told, pass, watch } = watched(1)
  pass(70)
  Object.assign(world, { quotes: false, isUp: false })
  pass(30)
  Object.assign(world, { quotes: true, isUp: true, upUs: START_US + 100 * S })
  pass(30)
  watch.close()
  t.same(told, [])
})
