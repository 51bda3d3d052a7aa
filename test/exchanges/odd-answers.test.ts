/** Answers that nobody should give to questions that are open: none of them throws into the connection, or leaves it half. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import pino from 'pino'
import t from 'tap'
import { bybit } from '../../exchanges/bybit/adapter.js'
import { bybitConfig } from '../../exchanges/bybit/config.js'
import { deribit } from '../../exchanges/deribit/adapter.js'
import { deribitConfig } from '../../exchanges/deribit/config.js'
import { generic } from '../../exchanges/generic/adapter.js'
import { genericConfig } from '../../exchanges/generic/config.js'
import { okx } from '../../exchanges/okx/adapter.js'
import { okxConfig } from '../../exchanges/okx/config.js'
import type { Adapter } from '../../exchanges/adapter.js'
import { movedTime, type Pass } from '../fixtures/moved-time.js'
import { silentLink } from './okx/silent-link.js'
import { holds } from '../fixtures/holds.js'

const log = pino({ level: 'silent' })
const credentials = { clientId: 'me', clientSecret: 'hush' }

interface Subject {
  adapter: Adapter
  channels: string[]
  /** The id of a question as it was sent. */
  idOf: (sent: string) => unknown
  families: readonly string[]
}

const feedConfig = {
  adapter: 'generic',
  name: 'feed',
  url: 'ws://127.0.0.1:1',
  send: ['hello'],
  answers: [{ at: '/id', send: '{{/id}}' }],
}
const subjects: Readonly<Record<string, Subject>> = {
  deribit: {
    adapter: deribit(deribitConfig.parse({ name: 'deribit' }), credentials, log),
    channels: ['book.BTC-PERPETUAL.raw', 'trades.BTC-PERPETUAL.raw', 'instrument.state.any.any', 'platform_state'],
    idOf: sent => (JSON.parse(sent) as { id: unknown }).id,
    families: ['rpc', 'other', 'book', 'trades', 'instrument.state', 'platform_state'],
  },
  bybit: {
    adapter: bybit(bybitConfig.parse({ name: 'bybit' }), log),
    channels: ['orderbook.50.BTCUSDT', 'publicTrade.BTCUSDT', 'tickers.BTCUSDT'],
    idOf: sent => (JSON.parse(sent) as { req_id: unknown }).req_id,
    families: ['answers', 'other', 'book', 'trades', 'ticker'],
  },
  okx: {
    adapter: okx(okxConfig.parse({ adapter: 'okx', name: 'okx' }), log),
    channels: ['books.BTC-USDT', 'trades.BTC-USDT', 'instruments.SPOT'],
    idOf: sent => (sent.startsWith('{') ? (JSON.parse(sent) as { id: unknown }).id : sent),
    families: ['control', 'other', 'books', 'trades', 'instruments'],
  },
  generic: {
    adapter: generic(genericConfig.parse(feedConfig)),
    channels: [],
    idOf: sent => sent,
    families: ['other', 'frames'],
  },
}

/** Values of any type, and those that mean something to one of the exchanges. */
const value = (id: unknown, channels: readonly string[]) =>
  fc.oneof(
    fc.constantFrom<unknown>(
      id,
      null,
      true,
      false,
      0,
      -1,
      1e400,
      '',
      'subscribe',
      'error',
      'heartbeat',
      'subscription',
      'snapshot',
      'update',
      '60018',
    ),
    fc.constantFrom<unknown>(
      [],
      {},
      [null],
      { code: 10028 },
      { code: 'x', message: {} },
      { type: 'test_request' },
      { failTopics: [5], successTopics: null },
    ),
    fc.constantFrom(...channels, 'x').map(channel => ({
      channel,
      data: [{ instrument_name: channel, trade_seq: 1.5, i: null, tradeId: '7', instId: 5 }],
    })),
    fc
      .constantFrom(...channels, 'x')
      .map(channel => [{ channel: channel.split('.')[0], instId: channel.split('.')[1] }]),
    fc.jsonValue({ maxDepth: 2 }),
  )
const MEMBERS = [
  'id',
  'req_id',
  'jsonrpc',
  'result',
  'error',
  'method',
  'params',
  'op',
  'success',
  'ret_msg',
  'type',
  'data',
  'topic',
  'ts',
  'event',
  'arg',
  'code',
  'msg',
  'action',
  'usIn',
  'usOut',
]

for (const [name, { adapter, channels, idOf, families }] of Object.entries(subjects)) {
  t.test(`${name}: whatever is answered to what is open, nothing is thrown, and what goes on goes on`, async t => {
    const run = async (answers: readonly object[], pass: Pass) => {
      const sent: string[] = []
      const cut: string[] = []
      const link = { ...silentLink({ sent }), fail: (cause: string) => void cut.push(cause) }
      const session = adapter.openSession(link, () => new Set(channels))
      const started = session.start().catch(() => undefined)
      await pass(10)
      for (const answer of answers) {
        const frame = Buffer.from(JSON.stringify(answer))
        const family = session.data(frame, 1, false) ?? session.control(frame, false).family
        assert.ok(families.includes(family), `${family}: ${frame.toString()}`)
        session.channelOfPiece?.(frame.subarray(0, frame.length >> 1))
        await pass(20)
      }
      for (const channel of session.channels)
        assert.ok(channels.includes(channel) || name === 'generic', `${channel} was never wanted`)
      session.closed()
      // Whatever was answered last may end a start that waits.
      await pass(30_000, 5000)
      await started
    }
    await movedTime(async pass => {
      let id: unknown
      const link = silentLink({ sent: [] })
      const session = adapter.openSession({ ...link, send: text => (id ??= idOf(text)) }, () => new Set(channels))
      const started = session.start().catch(() => undefined)
      await pass(10)
      session.closed()
      await pass(30_000, 5000)
      await started
      const answer = fc
        .dictionary(fc.constantFrom(...MEMBERS), value(id, channels), { maxKeys: 7, noNullPrototype: true })
        .chain(members => fc.constantFrom(members, { ...members, id }, { ...members, id, req_id: id, success: false }))
      await holds(
        t,
        fc.asyncProperty(fc.array(answer, { minLength: 1, maxLength: 6 }), answers => run(answers, pass)),
        {
          numRuns: 120,
          examples: [
            [[{ jsonrpc: '2.0', id, error: null, result: [] }]],
            [[{ id, error: 'text' }]],
            [[{ id, error: { code: 5 } }]],
          ],
        },
      )
    })
  })
}
