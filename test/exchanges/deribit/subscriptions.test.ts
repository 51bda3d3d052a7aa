// Puts back what it changes of the process.
import { createHmac } from 'node:crypto'
import { createLogger } from '../../../platform/log.js'
import t from 'tap'
import { booksDue, refreshClockMs } from '../../../exchanges/book-refresh.js'
import { signedGrant } from '../../../exchanges/deribit/login.js'
import { refusalsThat } from '../../../exchanges/deribit/refusal-codes.js'
import { Refusals } from '../../../exchanges/refusals.js'
import { createCreditPools, Rpc } from '../../../exchanges/deribit/rpc.js'
import { PASSING, Subscriptions } from '../../../exchanges/deribit/subscriptions.js'
import type { SessionLink } from '../../../exchanges/adapter.js'
import { matchAll } from '../../fixtures/match-all.js'

interface Call {
  id: number
  method: string
  params: { channels: string[] }
}
type Reply = { result: unknown } | { error: { code: number; message: string } }

/** Subscriptions on a connection that is answered by `reply`. */
function connection(
  wanted: string[],
  reply: (call: Call) => Reply,
  rawFallback?: '100ms' | 'agg2',
  limited: () => void = () => undefined,
) {
  const calls: Call[] = []
  const journal: { event: string; channels: string[]; [fact: string]: unknown }[] = []
  const link = {
    conn: 'd1',
    send(text: string) {
      const call = JSON.parse(text) as Call
      calls.push(call)
      setImmediate(() => rpc.settle({ id: call.id, ...reply(call) }, 0))
    },
    journal: (event: string, facts: object = {}) => journal.push({ event, ...(facts as { channels: string[] }) }),
    subscribed: (channels: readonly string[], facts: object = {}) =>
      journal.push({ event: 'subscribed', channels: [...channels], ...facts }),
    nowUs: () => 0,
    limited,
  } as unknown as SessionLink
  const rpc = new Rpc(link, createCreditPools())
  const log = createLogger('test')
  const subscriptions = new Subscriptions({ link, rpc, log, wanted: () => new Set(wanted), rawFallback })
  return { subscriptions, calls, journal }
}

const all = ({ params }: Call): Reply => ({ result: [...params.channels].reverse() })
const RAW_REFUSED = { code: 13778, message: 'raw_subscriptions_not_available_for_unauthorized' }
const likeExchange = (call: Call): Reply =>
  call.params.channels.some(channel => channel.endsWith('.raw')) ? { error: RAW_REFUSED } : all(call)

t.test('what the answer leaves out is journalled with its cause, and not asked for again at once', async t => {
  const { subscriptions, calls, journal } = connection(['quote.A', 'quote.NOPE'], () => ({ result: ['quote.A'] }))
  t.teardown(() => subscriptions.close())
  await subscriptions.update()
  await subscriptions.update()
  t.same([...subscriptions.channels], ['quote.A'])
  t.equal(calls.length, 1)
  matchAll(t, journal, [
    { event: 'subscribed', channels: ['quote.A'] },
    { event: 'rejected', channels: ['quote.NOPE'], message: /not in the answer/, again_in_s: 60 },
  ])
})

t.test('a refusal that passes is tried again by itself', async t => {
  let refused = 0
  const wanted = ['quote.A']
  const { subscriptions, journal } = connection(wanted, call =>
    call.params.channels.includes('quote.B') && refused++ === 0
      ? { error: { code: 11052, message: 'subscribe_error_unsubscribed' } }
      : all(call),
  )
  t.teardown(() => subscriptions.close())
  await subscriptions.update()
  wanted.push('quote.B')
  await subscriptions.update()
  matchAll(t, journal.slice(1), [{ event: 'rejected', channels: ['quote.B'], code: 11052, again_in_s: 2 }])
  while (subscriptions.channels.size < 2) await new Promise(resolve => setTimeout(resolve, 50))
  matchAll(t, journal.at(-1), { event: 'subscribed', channels: ['quote.B'] })
})

for (const error of [...refusalsThat('passes'), ...refusalsThat('login')]) {
  const { code, message } = error
  t.test(`${code} ${message}: a connection that is given nothing at its begin did not begin`, async t => {
    let limits = 0
    const { subscriptions, journal } = connection(
      ['quote.A'],
      () => ({ error }),
      undefined,
      () => limits++,
    )
    t.teardown(() => subscriptions.close())
    await t.rejects(subscriptions.update(), { code: 'RPC_REFUSED', refusal: code })
    t.same(journal, [], 'it was not refused a channel: it was refused all')
    t.equal(limits, code === 10028 ? 1 : 0)
  })
}

t.test('one that is given some of what it asked for begins, and says what it was not given', async t => {
  const many = Array.from({ length: 700 }, (_, n) => `quote.N${n}`)
  let calls = 0
  const { subscriptions, journal } = connection(many, call =>
    ++calls === 1 ? { error: { code: 13028, message: 'temporarily_unavailable' } } : all(call),
  )
  t.teardown(() => subscriptions.close())
  await subscriptions.update()
  t.ok(subscriptions.channels.size > 0)
  const refused = journal.filter(({ event }) => event === 'rejected').flatMap(({ channels }) => channels)
  t.same([...subscriptions.channels, ...refused].sort(), [...many].sort())
  matchAll(t, journal.at(-1), { event: 'rejected', code: 13028, again_in_s: 2 })
})

t.test('channels that the exchange does not know are no reason to try again', async t => {
  const { subscriptions, journal } = connection(['quote.A'], () => ({
    error: { code: -32602, message: 'Invalid params' },
  }))
  t.teardown(() => subscriptions.close())
  await subscriptions.update()
  matchAll(t, journal, [{ event: 'rejected', code: -32602, again_in_s: 60 }])
})

t.test('raw that is refused does not take the other channels of its call with it', async t => {
  const { subscriptions, journal } = connection(['book.A.raw', 'quote.A'], likeExchange)
  t.teardown(() => subscriptions.close())
  await subscriptions.update()
  t.same([...subscriptions.channels], ['quote.A'])
  matchAll(t, journal[0], { event: 'rejected', channels: ['book.A.raw'], code: 13778, again_in_s: null })
  matchAll(t, journal[1], { event: 'subscribed', channels: ['quote.A'] })
})

t.test('raw that is refused becomes the configured interval, in every call', async t => {
  const books = Array.from({ length: 700 }, (_, index) => `book.B${index}.raw`)
  const { subscriptions, calls, journal } = connection([...books, 'quote.A'], likeExchange, '100ms')
  t.teardown(() => subscriptions.close())
  await subscriptions.update()
  t.same([...subscriptions.channels].sort(), [...books.map(book => book.replace('.raw', '.100ms')), 'quote.A'].sort())
  t.equal(calls.length, 3, 'one refused call, then each once')
  const rejected = journal.filter(({ event, instead }) => event === 'rejected' && instead === '100ms')
  t.same(
    rejected.flatMap(({ channels }) => channels),
    books,
  )
})

t.test('one channel is taken anew while the others flow on', async t => {
  const { subscriptions, calls, journal } = connection(['book.A.100ms', 'book.B.100ms'], all)
  t.teardown(() => subscriptions.close())
  await subscriptions.update()
  const ended: string[] = []
  await subscriptions.resubscribe(['book.A.100ms', 'book.GONE.100ms'], 'planned snapshot', channels =>
    ended.push(...channels),
  )
  t.same(
    calls.slice(1).map(({ method, params }) => [method, params.channels]),
    [
      ['public/unsubscribe', ['book.A.100ms']],
      ['public/subscribe', ['book.A.100ms']],
    ],
  )
  t.same(ended, ['book.A.100ms'])
  matchAll(t, journal.slice(1), [
    { event: 'unsubscribed', channels: ['book.A.100ms'], reason: 'planned snapshot' },
    { event: 'subscribed', channels: ['book.A.100ms'], reason: 'planned snapshot' },
  ])
  t.equal(subscriptions.channels.size, 2)
})

t.test('an unknown channel is asked for a few times, ever later, and then no more', t => {
  let now = 0
  const refusals = new Refusals(PASSING, () => now)
  const waits: number[] = []
  for (let tries = 0; tries < 6; tries++) {
    waits.push(refusals.note(['x']))
    t.equal(refusals.allows('x'), false)
    now += waits.at(-1) === Infinity ? 1e12 : (waits.at(-1) ?? 0)
  }
  t.same(waits, [60_000, 240_000, 960_000, 3_600_000, Infinity, Infinity])
  refusals.keepOnly(() => false)
  t.equal(refusals.allows('x'), true, 'what is wanted anew is asked for anew')
  t.equal(refusals.nextWaitMs, Infinity)
  t.same(
    [1, 2, 3, 4, 5, 6].map(() => refusals.note(['y'], 11051)),
    [2000, 8000, 30_000, 60_000, 60_000, 60_000],
  )
  t.end()
})

t.test('each book has one moment a day, spread, and another on the other connection', t => {
  const dayMs = 86_400_000
  const books = Array.from({ length: 2000 }, (_, index) => `book.BTC-25DEC26-${index}-C.100ms`)
  const start = Date.UTC(2026, 10, 23, 22, 59, 30)
  const perHour: number[] = []
  const seen: string[] = []
  for (let at = start; at < start + dayMs; at += 60_000) {
    const due = booksDue(books, 'd1', dayMs, at, at + 60_000)
    seen.push(...due)
    const hour = Math.floor((at - start) / 3_600_000)
    perHour[hour] = (perHour[hour] ?? 0) + due.length
  }
  t.same(seen.sort(), [...books].sort(), 'each once, over midnight too')
  t.ok(Math.max(...perHour) < 3 * (2000 / 24), `spread: ${perHour.join(' ')}`)
  const [d1, d2] = ['d1', 'd2'].map(conn => booksDue(books, conn, dayMs, start, start + 3_600_000))
  t.ok((d1 ?? []).filter(book => d2?.includes(book)).length < 30)
  t.end()
})

t.test('the wall clock, once it was set, refreshed all books at once, or none for hours', t => {
  const { now } = Date
  t.teardown(() => (Date.now = now))
  const before = refreshClockMs()
  t.ok(Math.abs(before - now()) < 60_000, 'about the time of day, so that moments stay theirs after a restart')
  for (const setBy of [6 * 3_600_000, -6 * 3_600_000]) {
    Date.now = () => now() + setBy
    const after = refreshClockMs()
    t.ok(after >= before && after - before < 60_000, `${after - before} ms after it was set by ${setBy} ms`)
  }
  t.end()
})

t.test('a login by signature is what the documentation asks for', t => {
  const grant = signedGrant({ clientId: 'id', clientSecret: 'secret' }, 1_700_000_000_000.7, 'abc')
  t.same(grant, {
    grant_type: 'client_signature',
    client_id: 'id',
    timestamp: 1_700_000_000_000,
    nonce: 'abc',
    data: '',
    signature: createHmac('sha256', 'secret').update('1700000000000\nabc\n').digest('hex'),
  })
  t.end()
})
