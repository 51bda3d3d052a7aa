/** When a family counts as silent on a connection that lives, and what is done about it; time is moved by hand. */
import t from 'tap'
import type { Logger } from '../../platform/log.js'
import { OutageLedger } from '../../recorder/connection/outage-ledger.js'
import { SilenceWatch } from '../../recorder/silence-watch.js'
import { settled } from '../fixtures/moved-time.js'
import { JournalledSpans } from '../fixtures/journalled-spans.js'
import type { Entry } from '../fixtures/two-copies.js'

const S = 1e6
const START_US = Date.parse('2026-11-28T12:00:00Z') * 1000
const FAMILIES = ['quote', 'trades'] as const

interface World {
  conns?: readonly string[]
  /** Of families that never rest, s. */
  limits?: Record<string, number>
  /** Frames say when they were made. */
  areStamped?: boolean
  /** What the exchange is asked for fails. */
  isRefusing?: boolean
}

function watched({ conns = ['d1'], limits = {}, areStamped = false, isRefusing = false }: World) {
  let nowUs = START_US
  const told: Entry[] = []
  const asked: [second: number, what: string][] = []
  const warned: string[] = []
  const second = (us: number) => Math.round((us - START_US) / (S / 10)) / 10
  const note = async (what: string) => {
    asked.push([second(nowUs), what])
    await Promise.resolve()
    if (isRefusing) throw new Error('no')
  }
  const router = {
    journal: (event: string, facts: object = {}) => void told.push({ event, ...facts } as Entry),
    gap: (families: string[], gap: object) => void told.push({ event: 'gap', families, ...gap } as Entry),
  }
  const familyOfChannel = (channel: string) => channel.split('.')[0] ?? ''
  const ledger = new OutageLedger(router, familyOfChannel)
  const connections = conns.map(name => {
    const channels = new Set<string>(FAMILIES.map(family => `${family}.A`))
    const account = ledger.open({ conn: name, group: 0, heardUs: () => nowUs, channels: () => channels })
    account.up(nowUs)
    const session = {
      resubscribe: (own: readonly string[]) => note(`${name} takes ${own.join()} anew`),
      missed: (_: readonly string[], sinceUs: number) => note(`${name} missed since ${second(sinceUs)}`),
    }
    const renew = (cause: string) => note(`${name} renewed: ${cause}`)
    return { name, channels, account, session, renew, state: 'live', isPaused: false }
  })
  const exchange = {
    silenceLimits: () => new Map(Object.entries(limits).map(([family, seconds]) => [family, 1000 * seconds])),
    familyOfChannel,
    madeMs: (frame: Buffer) => (areStamped ? Number(frame.toString()) : undefined),
  }
  const log = { info: () => undefined, warn: (_: object, text: string) => void warned.push(text) }
  const deps = { exchange, ledger, clock: { nowUs: () => nowUs }, log: log as unknown as Logger }
  const watch = new SilenceWatch(deps, connections as never)
  /** What each connection brings, ten times a second; all of it, where nothing else is said. */
  const pass = (seconds: number, brings: Record<string, readonly string[]> = {}, isLooking = true) => {
    for (let tick = 1; tick <= seconds * 10; tick++) {
      nowUs += S / 10
      for (const { name, account } of connections)
        if (account.isUp)
          for (const family of brings[name] ?? FAMILIES)
            account.flows.heard(family, nowUs, Buffer.from(String(nowUs / 1000)))
      if (tick % 10 !== 0 || !isLooking) continue
      watch.look((nowUs - START_US) / 1000)
      ledger.settle(nowUs)
    }
  }
  const connection = (n: number) => {
    const found = connections[n]
    if (!found) throw new Error(`no connection ${n}`)
    return found
  }
  const missing = (family: string) =>
    new JournalledSpans(told, family).missing.map(({ fromUs, toUs }) => Math.round((toUs - fromUs) / (S / 10)) / 10)
  return { told, asked, warned, pass, connection, missing, second: () => second(nowUs), nowUs: () => nowUs }
}

const NOTHING = { d1: [] }

t.test('nobody is silent while we do not listen', t => {
  for (const [what, isTold, away] of [
    ['all looked at', true, run => run.pass(20, NOTHING)],
    [
      'we stood still',
      false,
      run => {
        run.pass(20, NOTHING, false)
        // What waited is read first.
        run.pass(1, NOTHING)
      },
    ],
    [
      'reading was paused',
      false,
      run => {
        run.connection(0).isPaused = true
        run.pass(20, NOTHING)
        run.connection(0).isPaused = false
        run.pass(1, NOTHING)
      },
    ],
  ] as [string, boolean, (run: ReturnType<typeof watched>) => void][]) {
    const run = watched({ conns: ['d1', 'd2'], limits: { quote: 5 } })
    run.pass(60)
    away(run)
    run.pass(30)
    t.equal(run.told.length > 0, isTold, `${what}: told ${JSON.stringify(run.told)}`)
    t.equal(run.asked.length > 0, isTold, `${what}: asked ${JSON.stringify(run.asked)}`)
  }
  t.end()
})

t.test('of a connection that is no more there, or not yet, outages are told, and no silence', t => {
  const run = watched({ limits: { quote: 5 } })
  run.pass(60)
  run.connection(0).state = 'waiting'
  run.connection(0).account.down(run.nowUs(), 'cut', run.connection(0).channels)
  run.pass(60, NOTHING)
  run.connection(0).account.up(run.nowUs())
  run.pass(30, NOTHING)
  t.same(run.asked, [], 'nothing is taken anew where nothing is open')
  run.connection(0).state = 'live'
  run.pass(30)
  t.same(
    run.told.map(({ event }) => event),
    ['gap'],
  )
  t.same(run.missing('quote'), [60])
  t.end()
})

t.test('what others bring is taken anew once, then by a new connection, at growing distances', t => {
  const run = watched({ conns: ['d1', 'd2'] })
  run.pass(60)
  run.pass(600, { d1: ['trades'] })
  const [[firstS] = [0]] = run.asked
  t.ok(firstS >= 63 && firstS <= 65, `three seconds are the delay of one connection behind the other: ${firstS}`)
  t.same(
    run.asked.map(([atS, what]) => [Math.round(atS - firstS), what]),
    [
      [0, 'd1 takes quote.A anew'],
      [60, 'd1 renewed: silent in quote'],
      [180, 'd1 renewed: silent in quote'],
      [420, 'd1 renewed: silent in quote'],
    ],
  )
  t.same(run.missing('quote'), [], 'it is covered')
  t.end()
})

t.test('one that falls silent again and again is not taken anew each time; one that was well for long is', t => {
  const run = watched({ conns: ['d1', 'd2'] })
  run.pass(60)
  for (let time = 0; time < 20; time++) {
    run.pass(10, { d1: ['trades'] })
    run.pass(20)
  }
  t.ok(run.asked.length >= 3 && run.asked.length <= 4, `${run.asked.length} times in 20 silences of ten minutes`)
  run.pass(200)
  const before = run.asked.length
  run.pass(10, { d1: ['trades'] })
  t.equal(run.asked.length, before, 'not yet well')
  run.pass(310)
  run.pass(10, { d1: ['trades'] })
  t.match(run.asked.at(-1)?.[1], 'd1 takes quote.A anew', 'begun anew, gently')
  t.equal(run.asked.length, before + 1)
  t.end()
})

t.test('a pause is as long as the exchange made nothing, where it says when it made its frames', t => {
  for (const [what, madeAfterS, isAnswer, missing] of [
    ['made at once after the one before: late, not lost', 0.1, false, []],
    ['made in the middle', 4, false, [4]],
    ['made when it came', 10.1, false, [10.1]],
    ['made later than it came: clocks differ', 60, false, [10.1]],
    ['made before the one before: it says nothing', -5, false, [10.1]],
    ['an answer to a subscription may be of any time', 0.1, true, [10.1]],
  ] as const) {
    const run = watched({ conns: ['d1', 'd2'], areStamped: true })
    run.pass(60)
    const { account } = run.connection(0)
    // Nobody else is there to say that nothing was sent.
    run.connection(1).account.down(run.nowUs(), 'cut', run.connection(1).channels)
    const lastUs = run.nowUs()
    run.pass(10, { d1: ['trades'] })
    if (isAnswer) account.flows.of('quote').subscribed(run.nowUs())
    account.flows.heard('quote', run.nowUs() + S / 10, Buffer.from(String((lastUs + madeAfterS * S) / 1000)))
    run.pass(10)
    // What both lacked, its outage tells once it is over.
    run.connection(1).account.up(run.nowUs())
    run.pass(20)
    t.same(run.missing('quote'), missing, what)
    t.same(run.missing('trades'), [], `${what}: the others are as they were`)
  }
  t.end()
})

t.test('what may have been missed is asked for once a minute at most, and from the first silence on', t => {
  const run = watched({ limits: { quote: 5 } })
  run.pass(30)
  const beganS: number[] = []
  for (let time = 0; time < 12; time++) {
    beganS.push(run.second())
    run.pass(8, NOTHING)
    run.pass(9)
  }
  run.pass(61)
  const asks = run.asked.flatMap(([atS, what]) => {
    const since = /missed since (\S+)/.exec(what)?.[1]
    return since === undefined ? [] : [{ atS, sinceS: Number(since) }]
  })
  t.ok(asks.length >= 3, `${asks.length} times`)
  for (const [n, { atS, sinceS }] of asks.entries()) {
    const before = asks[n - 1]
    if (before) t.ok(atS - before.atS >= 60, `asked at ${atS} after ${before.atS}`)
    t.ok(beganS.includes(sinceS), `since the last frame before a silence, ${sinceS}`)
    t.ok(before === undefined || sinceS > before.sinceS, 'nothing is asked for twice')
  }
  for (const silentS of beganS)
    t.ok(
      asks.some(({ atS, sinceS }) => sinceS <= silentS && atS > silentS),
      `the silence at ${silentS} s is asked for`,
    )
  t.end()
})

t.test('an exchange that refuses to take channels anew, or to tell what was missed, ends nothing', async t => {
  const run = watched({ limits: { quote: 5 }, isRefusing: true })
  run.pass(30)
  run.pass(20, NOTHING)
  run.pass(10)
  await settled()
  t.same([...new Set(run.warned)].sort(), [
    'a family fell silent on a connection that lives',
    'not asked for what was missed',
    'not resubscribed',
  ])
  t.ok(run.missing('quote').length > 0, 'it is told all the same')
})

t.test('a silence ends when the family is given up, but not in the moment in which its channels are taken anew', t => {
  const run = watched({ conns: ['d1', 'd2'] })
  run.pass(60)
  const { account, channels } = run.connection(0)
  run.pass(10, { d1: ['trades'] })
  t.ok(account.isSilent('quote'))
  channels.delete('quote.A')
  run.pass(30, { d1: ['trades'] })
  t.ok(account.isSilent('quote'), 'it may come back')
  channels.add('quote.A')
  run.pass(5, { d1: ['trades'] })
  channels.delete('quote.A')
  run.pass(59, { d1: ['trades'] })
  t.ok(account.isSilent('quote'), 'the minute begins anew')
  run.pass(5, { d1: ['trades'] })
  t.notOk(account.isSilent('quote'), 'nobody waits for it any more')
  t.end()
})
