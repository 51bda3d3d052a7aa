/** A day of one connection of each exchange: what is taken anew in it, when, and what flows on; and what is said meanwhile. */
import t from 'tap'
import pino from 'pino'
import { bybit } from '../../exchanges/bybit/adapter.js'
import { bybitConfig } from '../../exchanges/bybit/config.js'
import { deribit } from '../../exchanges/deribit/adapter.js'
import { deribitConfig } from '../../exchanges/deribit/config.js'
import { okx } from '../../exchanges/okx/adapter.js'
import { okxConfig } from '../../exchanges/okx/config.js'
import type { Adapter, ExchangeSession, SessionLink } from '../../exchanges/adapter.js'
import { refreshClockMs } from '../../exchanges/book-refresh.js'
import { movedTime, settled } from '../fixtures/moved-time.js'

const DAY_MS = 86_400_000
const log = pino({ level: 'silent' })

interface Entry {
  event: string
  channels?: readonly string[]
  reason?: string
}

/** The other end of a connection: says yes to all, and sends what a channel begins with. */
interface FarEnd {
  adapter: Adapter
  /** What is recorded: books, and others. */
  books: string[]
  others: string[]
  /** Answers to a text, and frames behind them. */
  answer: (text: string, nth: number) => readonly string[]
}

const names = Array.from({ length: 12 }, (_, at) => `X${at}`)

const ofDeribit = (): FarEnd => ({
  adapter: deribit(deribitConfig.parse({ name: 'deribit', snapshotHours: 24 }), undefined, log),
  books: names.map(name => `book.${name}-PERPETUAL.100ms`),
  others: names.map(name => `trades.${name}-PERPETUAL.100ms`),
  answer: (text, nth) => {
    const { id, method, params } = JSON.parse(text) as { id: number; method: string; params: { channels?: string[] } }
    const { channels = [] } = params
    const begins = method === 'public/subscribe' ? channels.filter(channel => channel.startsWith('book.')) : []
    return [
      JSON.stringify({ jsonrpc: '2.0', id, result: channels }),
      ...begins.map(channel => {
        const data = { type: 'snapshot', timestamp: 1795000000000, change_id: nth, bids: [], asks: [] }
        return JSON.stringify({ jsonrpc: '2.0', method: 'subscription', params: { channel, data } })
      }),
    ]
  },
})

const ofBybit = (): FarEnd => ({
  adapter: bybit(bybitConfig.parse({ name: 'bybit', snapshotHours: 24 }), log),
  books: names.map(name => `orderbook.200.${name}USDT`),
  others: names.flatMap(name => [`publicTrade.${name}USDT`, `tickers.${name}USDT`]),
  answer: (text, nth) => {
    const { op, args = [], req_id } = JSON.parse(text) as { op: string; args?: string[]; req_id?: string }
    if (op === 'ping') return ['{"success":true,"ret_msg":"pong","conn_id":"a","op":"ping"}']
    const begins = op === 'subscribe' ? args.filter(topic => !topic.startsWith('publicTrade')) : []
    return [
      JSON.stringify({ success: true, ret_msg: '', conn_id: 'a', req_id, op }),
      ...begins.map(topic => {
        const data = { s: topic.split('.').at(-1), b: [], a: [], u: nth + 2, seq: nth }
        return JSON.stringify({ topic, type: 'snapshot', ts: 1795000000000, data, cts: 1795000000000 })
      }),
    ]
  },
})

const ofOkx = (): FarEnd => ({
  adapter: okx(okxConfig.parse({ adapter: 'okx', name: 'okx', snapshotHours: 24 }), log),
  books: names.map(name => `books.${name}-USDT`),
  others: names.map(name => `open-interest.${name}-USDT-SWAP`),
  answer: (text, nth) => {
    if (text === 'ping') return ['pong']
    const { id, op, args } = JSON.parse(text) as { id: string; op: string; args: { channel: string }[] }
    const acks = args.map(arg => JSON.stringify({ id, event: op, arg, connId: 'a' }))
    const begins = args.map(arg => {
      const row = { asks: [], bids: [], ts: '1795000000000', checksum: 0, seqId: nth, prevSeqId: -1 }
      return JSON.stringify(
        arg.channel === 'books' ? { arg, action: 'snapshot', data: [row] } : { arg, data: [{ oi: '1' }] },
      )
    })
    return op === 'subscribe' ? [...acks, ...begins] : acks
  },
})

/** A connection that is up, over so long a time. */
async function connected(
  far: FarEnd,
  run: (
    world: { session: ExchangeSession; journal: (Entry & { atMs: number })[]; sent: string[]; cut: string[] },
    pass: (ms: number, stepMs?: number) => Promise<void>,
  ) => Promise<void>,
) {
  await movedTime(async pass => {
    const journal: (Entry & { atMs: number })[] = []
    const [sent, cut]: [string[], string[]] = [[], []]
    const note = (entry: Entry) => void journal.push({ ...entry, atMs: refreshClockMs() })
    const nowUs = () => Math.round(1000 * refreshClockMs())
    const link: SessionLink = {
      conn: 'd1',
      send: text => {
        sent.push(text)
        setImmediate(() => {
          for (const frame of far.answer(text, sent.length)) {
            const bytes = Buffer.from(frame)
            if (session.data(bytes, nowUs(), false) === undefined) session.control(bytes, false)
          }
        })
      },
      ping: () => undefined,
      journal: (event, facts) => note({ event, ...facts }),
      subscribed: (channels, facts) => note({ event: 'subscribed', channels, ...facts }),
      nowUs,
      complain: ({ message }) => note({ event: 'complaint', reason: message }),
      limited: () => note({ event: 'limited' }),
      maintenance: () => note({ event: 'maintenance' }),
      measured: () => undefined,
      fail: cause => void cut.push(cause),
    }
    const wanted = new Set([...far.books, ...far.others])
    const session = far.adapter.openSession(link, () => wanted)
    const started = session.start()
    await pass(20_000, 100)
    await started
    await run({ session, journal, sent, cut }, pass)
    session.closed()
    const { length } = sent
    await pass(DAY_MS, 600_000)
    t.equal(sent.length, length, 'nothing is said on a connection that ended')
    t.same(cut, [])
  })
}

for (const [name, far] of Object.entries({ deribit: ofDeribit(), bybit: ofBybit(), okx: ofOkx() })) {
  t.test(`${name}: in a day each book is taken anew once, a few at a time, and all else flows on`, async t => {
    await connected(far, async ({ session, journal }, pass) => {
      t.same([...session.channels].sort(), [...far.books, ...far.others].sort())
      const before = journal.length
      const fromMs = refreshClockMs()
      // Looks are a minute apart, and requests are answered behind them.
      for (let minute = 0; minute < 24 * 60; minute++) {
        await pass(59_000, 59_000)
        await pass(1000, 250)
      }
      const day = journal.slice(before)
      const ended = day.filter(({ event }) => event === 'unsubscribed')
      t.ok(ended.every(({ reason }) => reason === 'planned snapshot'))
      const times = new Map<string, number[]>()
      for (const { channels = [], atMs } of ended)
        for (const one of channels) times.set(one, [...(times.get(one) ?? []), atMs])
      for (const book of far.books) t.equal(times.get(book)?.length, 1, book)
      const tickers = far.others.filter(channel => channel.startsWith('tickers.'))
      for (const ticker of tickers) {
        const [atMs = NaN, ...more] = times.get(ticker) ?? []
        t.same(more, [])
        const intoDay = atMs % DAY_MS
        t.ok(intoDay >= 0 && intoDay <= 660_000, `${ticker}: ${Math.round(intoDay / 1000)} s into the day`)
      }
      t.same(
        [...times.keys()].filter(channel => !far.books.includes(channel) && !tickers.includes(channel)),
        [],
      )
      const bookTimes = far.books.map(book => times.get(book)?.[0] ?? 0).sort((a, b) => a - b)
      t.ok((bookTimes.at(-1) ?? 0) - (bookTimes[0] ?? 0) > 6 * 3_600_000, 'spread over the day')
      t.same([...session.channels].sort(), [...far.books, ...far.others].sort(), 'all are held again')
      t.same(
        day.filter(({ event }) => !['subscribed', 'unsubscribed'].includes(event)),
        [],
      )
      t.ok(refreshClockMs() - fromMs >= DAY_MS)
    })
  })
}

t.test(
  'OKX: a quiet book whose snapshot came before the request was answered was taken anew, and then given up',
  async t => {
    await connected(ofOkx(), async ({ session, journal }, pass) => {
      const before = journal.length
      const { size } = session.channels
      await pass(200_000, 1000)
      t.same(journal.slice(before), [])
      t.equal(session.channels.size, size)
    })
  },
)

t.test(
  'Deribit: heartbeats are answered, releases are told, tokens are kept nowhere, and errors are told once each',
  async t => {
    await connected(ofDeribit(), async ({ session, journal, sent }) => {
      const take = (message: object) => {
        const bytes = Buffer.from(JSON.stringify(message))
        return session.data(bytes, 1, false) ?? session.control(bytes, false)
      }
      const before = sent.length
      t.same(take({ jsonrpc: '2.0', method: 'heartbeat', params: { type: 'heartbeat' } }), { family: 'rpc' })
      t.equal(sent.length, before, 'a sign of life asks for nothing')
      t.same(take({ jsonrpc: '2.0', method: 'heartbeat', params: { type: 'test_request' } }), { family: 'rpc' })
      await settled()
      t.match(sent.at(-1), '"method":"public/test"')
      for (const odd of [{}, { params: null }, { params: { type: 5 } }]) take({ method: 'heartbeat', ...odd })
      await settled()
      t.equal(sent.length, before + 1)
      const notification = (channel: string, data: unknown) => ({
        jsonrpc: '2.0',
        method: 'subscription',
        params: { channel, data },
      })
      t.equal(take(notification('platform_state', { maintenance: false })), 'platform_state')
      t.notOk(journal.some(({ event }) => event === 'maintenance'))
      take(notification('platform_state', { maintenance: true }))
      t.equal(journal.at(-1)?.event, 'maintenance')
      const answer =
        '{"jsonrpc":"2.0","id":99,"result":{"access_token":"se\\"cret","expires_in":900,"refresh_token" : "other"}}'
      const filed = session.control(Buffer.from(answer), false)
      t.equal(
        filed.recorded?.toString(),
        '{"jsonrpc":"2.0","id":99,"result":{"access_token":"[secret]","expires_in":900,"refresh_token" : "[secret]"}}',
      )
      t.same(take({ error: { code: 10028, message: 'too_many_requests' } }), { family: 'rpc' })
      t.same(
        journal.slice(-2).map(({ event }) => event),
        ['limited', 'complaint'],
      )
      t.match(journal.at(-1)?.reason, /10028 too_many_requests/)
    })
  },
)

t.test(
  'what is no frame of the protocol is filed as what it is, and a piece names its channel where it can',
  async t => {
    for (const [name, far] of Object.entries({ deribit: ofDeribit(), bybit: ofBybit(), okx: ofOkx() })) {
      await connected(far, ({ session }) => {
        for (const odd of [
          '',
          '{',
          'null',
          '[]',
          '5',
          '"text"',
          '\u0000\u0001',
          '{"topic":5}',
          '{"params":{"channel":7}}',
          '{"arg":[]}',
        ]) {
          const bytes = Buffer.from(odd)
          t.ok(
            ['other', 'rpc', 'answers', 'control'].includes(
              session.data(bytes, 1, false) ?? session.control(bytes, false).family,
            ),
            `${name} ${odd}`,
          )
          t.equal(session.channelOfPiece?.(bytes), undefined)
        }
        const book = far.books[0] ?? ''
        const [, whole = ''] = far.answer(
          JSON.stringify(
            name === 'deribit'
              ? { id: 1, method: 'public/subscribe', params: { channels: [book] } }
              : name === 'okx'
                ? { id: 'x', op: 'subscribe', args: [{ channel: 'books', instId: 'X0-USDT' }] }
                : { op: 'subscribe', args: [book], req_id: 'r' },
          ),
          1,
        )
        t.equal(session.channelOfPiece?.(Buffer.from(whole.slice(0, -10))), book, `${name}: ${whole}`)
        return Promise.resolve()
      })
    }
  },
)
