import { setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { refusalOf } from '../../../exchanges/bybit/refusal.js'
import { Requests } from '../../../exchanges/bybit/requests.js'
import { Subscriptions } from '../../../exchanges/bybit/subscriptions.js'
import { createLogger } from '../../../platform/log.js'
import { framesIn, needsFrames } from '../../fixtures/exchange-frames.js'
import { matchAll } from '../../fixtures/match-all.js'

interface Call {
  op: string
  args: string[]
  req_id: string
}
type Event = { event: string; channels: string[]; [fact: string]: unknown }

/** Subscriptions on a connection that answers by `reply`; undefined: not at all. */
function connection(
  t: Test,
  wanted: string[],
  reply: (call: Call, calls: readonly Call[]) => object | undefined,
  withinMs = 5000,
) {
  const calls: Call[] = []
  const journal: Event[] = []
  const ended: string[] = []
  let nowMs = 0
  const requests = new Requests(
    {
      send(text: string) {
        const call = JSON.parse(text) as Call
        calls.push(call)
        const answer = reply(call, calls)
        if (answer) setImmediate(() => requests.settle(answer as Record<string, unknown>))
      },
    },
    withinMs,
  )
  const subscriptions = new Subscriptions({
    link: {
      conn: 'd1',
      nowUs: () => nowMs * 1000,
      journal: (event: string, facts: object) => void journal.push({ event, ...(facts as { channels: string[] }) }),
      subscribed: (channels: readonly string[], facts: object = {}) =>
        void journal.push({ event: 'subscribed', channels: [...channels], ...facts }),
    },
    requests,
    log: createLogger('test'),
    wanted: () => new Set(wanted),
    began: () => undefined,
    ended: channels => void ended.push(...channels),
    nowMs: () => nowMs,
  })
  t.teardown(() => {
    subscriptions.close()
    requests.close()
  })
  const settle = (message: object) => void requests.settle(message as Record<string, unknown>)
  return { subscriptions, settle, calls, journal, ended, pass: (ms: number) => (nowMs += ms) }
}

const yes = ({ op, req_id }: Call) => ({ success: true, ret_msg: '', req_id, op })
const no = ({ op, req_id }: Call, ret_msg: string) => ({ success: false, ret_msg, req_id, op })
const names = (count: number) => Array.from({ length: count }, (_, index) => `publicTrade.S${index}USDT`)

t.test(
  'one bad topic refuses all of a request: the others are taken, it is told and asked for again later',
  async t => {
    const { subscriptions, calls, journal } = connection(
      t,
      ['publicTrade.A', 'publicTrade.NOPE', 'publicTrade.B'],
      call =>
        call.args.includes('publicTrade.NOPE') ? no(call, 'error:handler not found,topic:publicTrade.NOPE') : yes(call),
    )
    await subscriptions.update()
    t.same([...subscriptions.channels], ['publicTrade.A', 'publicTrade.B'])
    matchAll(t, journal, [
      { event: 'rejected', channels: ['publicTrade.NOPE'], message: /handler not found/, again_in_s: 60 },
      { event: 'subscribed', channels: ['publicTrade.A', 'publicTrade.B'] },
    ])
    await subscriptions.update()
    t.equal(calls.length, 2, 'not asked for again at once')
  },
)

t.test('a pair that is not known refuses its request in other words', async t => {
  const { subscriptions } = connection(t, ['spot.publicTrade.A', 'spot.publicTrade.NOPE'], call =>
    call.args.includes('publicTrade.NOPE') ? no(call, 'Invalid symbol :[publicTrade.NOPE]') : yes(call),
  )
  await subscriptions.update()
  t.same([...subscriptions.channels], ['spot.publicTrade.A'])
})

t.test('at most ten topics go into a request, fewer where that is too many', async t => {
  const plain = connection(t, names(25), yes)
  await plain.subscriptions.update()
  t.same(
    plain.calls.map(({ args }) => args.length),
    [10, 10, 5],
  )
  const strict = connection(t, names(10), call => (call.args.length > 5 ? no(call, 'args size >10') : yes(call)))
  await strict.subscriptions.update()
  t.same(
    strict.calls.map(({ args }) => args.length),
    [10, 5, 5],
  )
  t.equal(strict.subscriptions.channels.size, 10)
})

t.test('"already subscribed" is a yes: it was a reason to start over, for ever', async t => {
  const { subscriptions, journal } = connection(t, ['publicTrade.A', 'publicTrade.B'], call =>
    call.args.includes('publicTrade.A') ? no(call, 'error:already subscribed,topic:publicTrade.A') : yes(call),
  )
  await subscriptions.update()
  t.same([...subscriptions.channels].sort(), ['publicTrade.A', 'publicTrade.B'])
  t.notOk(journal.some(({ event }) => event === 'rejected'))
})

t.test('a refusal that says nothing of which topic: each is asked for by itself', async t => {
  const { subscriptions } = connection(t, ['publicTrade.A', 'publicTrade.B', 'publicTrade.C'], call =>
    call.args.includes('publicTrade.B') ? no(call, 'something new') : yes(call),
  )
  await subscriptions.update()
  t.same([...subscriptions.channels], ['publicTrade.A', 'publicTrade.C'])
})

t.test('the socket of options answers without the id of the request: by its topics', async t => {
  const option = (name: string) => `tickers.BTC-25JUN27-${name}-P-USDT`
  const wanted = Array.from({ length: 20 }, (_, index) => option(String(1000 + index)))
  const { subscriptions, settle } = connection(t, wanted, () => undefined)
  const answers = (topics: string[], failTopics: string[] = []) => ({
    success: true,
    conn_id: 'x',
    data: { failTopics, successTopics: topics.filter(topic => !failTopics.includes(topic)) },
    type: 'COMMAND_RESP',
  })
  const done = subscriptions.update()
  await turn()
  // The second request is answered before the first.
  settle(answers(wanted.slice(10, 20), [option('1011')]))
  settle(answers(wanted.slice(0, 10)))
  await done
  t.equal(subscriptions.channels.size, 19)
  t.notOk(subscriptions.channels.has(option('1011')))
})

t.test('an answer that never comes costs only its own request, and what frames came of flows', async t => {
  const { subscriptions, journal } = connection(
    t,
    names(12),
    call => (call.args.includes('publicTrade.S0USDT') ? undefined : yes(call)),
    50,
  )
  subscriptions.heard('publicTrade.S0USDT')
  await subscriptions.update()
  t.same([...subscriptions.channels].sort(), ['publicTrade.S0USDT', 'publicTrade.S10USDT', 'publicTrade.S11USDT'])
  const rejected = journal.find(({ event }) => event === 'rejected')
  t.equal(rejected?.channels.length, 9)
  t.match(rejected, { message: /no answer/, again_in_s: 2 })
  subscriptions.heard('publicTrade.S1USDT')
  t.ok(subscriptions.channels.has('publicTrade.S1USDT'), 'a frame says more than an answer')
})

t.test('a yes that no frame follows was a lie: asked once more, then reported', async t => {
  const book = 'orderbook.1.BTC-25JUN27-106000-P-USDT'
  const { subscriptions, calls, journal, ended, pass } = connection(t, [book, 'publicTrade.BTC'], yes)
  await subscriptions.update()
  t.ok(subscriptions.channels.has(book))
  const until = async (condition: () => boolean) => {
    while (!condition()) await new Promise(resolve => setTimeout(resolve, 20))
  }
  pass(21_000)
  await until(() => calls.length >= 3)
  t.same(
    calls.map(({ op }) => op),
    ['subscribe', 'unsubscribe', 'subscribe'],
  )
  await until(() => subscriptions.channels.has(book))
  pass(21_000)
  await until(() => !subscriptions.channels.has(book))
  matchAll(t, journal.at(-1), {
    event: 'rejected',
    channels: [book],
    message: /no frame came/,
    again_in_s: 60,
    since_us: 0,
  })
  t.ok(ended.includes(book))
  t.ok(subscriptions.channels.has('publicTrade.BTC'), 'trades may rest')
  subscriptions.heard(book)
  t.ok(subscriptions.channels.has(book), 'a frame came after all')
})

t.test('taken anew, a channel is ended first: a second subscription brings no fresh book', async t => {
  const { subscriptions, calls } = connection(t, ['orderbook.200.A', 'orderbook.200.B'], yes)
  await subscriptions.update()
  const order: string[] = []
  await subscriptions.resubscribe(['orderbook.200.A'], 'book break', channels => order.push(...channels))
  t.same(order, ['orderbook.200.A'])
  t.same(
    calls.slice(1).map(({ op, args }) => [op, args]),
    [
      ['unsubscribe', ['orderbook.200.A']],
      ['subscribe', ['orderbook.200.A']],
    ],
  )
})

t.test('every refusal that was captured is understood', async t => {
  if (!needsFrames(t, 'bybit')) return
  const refused = framesIn('bybit', 'control.jsonl')
    .map(frame => JSON.parse(frame) as { success?: boolean; ret_msg?: string })
    .filter(({ success }) => success === false)
  t.ok(refused.length >= 4)
  for (const { ret_msg: message = '' } of refused) t.not(refusalOf(message), 'unclear', message)
})
