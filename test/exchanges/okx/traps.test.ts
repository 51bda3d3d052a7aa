import t from 'tap'
import { BookChain } from '../../../exchanges/book-chain.js'
import { bookIds, books } from '../../../exchanges/okx/book.js'
import { Catalogue } from '../../../exchanges/okx/catalogue.js'
import { familyNamed } from '../../../exchanges/okx/families.js'
import { FirstFrames } from '../../../exchanges/okx/first-frames.js'
import { channelOfFrame, frames, madeMs } from '../../../exchanges/okx/frames.js'
import { httpOrigin } from '../../../exchanges/okx/http.js'
import { instrumentOf } from '../../../exchanges/okx/instruments.js'
import {
  argOf,
  expiryMsOf,
  familyOfChannel,
  partitionOfChannel,
  partitionOfInstrument,
  partitionOfRow,
  subjectOf,
} from '../../../exchanges/okx/names.js'
import { Ops } from '../../../exchanges/okx/ops.js'
import { okxConfig } from '../../../exchanges/okx/config.js'
import { planChannels } from '../../../exchanges/okx/plan.js'
import { Subscriptions } from '../../../exchanges/okx/subscriptions.js'
import { tradeRowsOf } from '../../../exchanges/okx/trade-numbers.js'
import { matchAll } from '../../fixtures/match-all.js'
import { until } from '../../fixtures/recorder-process.js'
import { capturedFrames } from './captured.js'
import { quietSession, silent } from './quiet-session.js'
import { silentLink } from './silent-link.js'

// Waits between requests hold no process.
const alive = setInterval(() => undefined, 1000)
t.teardown(() => clearInterval(alive))

const frame = (value: unknown) => Buffer.from(JSON.stringify(value))
const bookFrame = (action: string, seqId: number, prevSeqId: number, more: object = {}) =>
  frame({
    arg: { channel: 'books', instId: 'BTC-USDT-SWAP' },
    action,
    data: [
      {
        asks: [],
        bids: [['84093.4', '569.17', '0', '82']],
        ts: '1790439595500',
        checksum: 0,
        seqId,
        prevSeqId,
        ...more,
      },
    ],
  })

interface Request {
  id: string
  op: string
  args: { channel: string; instId?: string }[]
}

/** Requests of a connection, answered by the test. */
function answered(wanted: ReadonlySet<string>, answer: (request: Request, ops: Ops) => void) {
  const sent: Request[] = []
  const journal: { event: string; channels?: string[]; code?: number; message?: string }[] = []
  const link = silentLink({ journal })
  link.send = text => {
    const request = JSON.parse(text) as Request
    sent.push(request)
    setImmediate(() => answer(request, ops))
  }
  const ops = new Ops(link, 200)
  const subscriptions = new Subscriptions({
    link,
    ops,
    log: silent,
    wanted: () => wanted,
    asking: () => undefined,
    begun: () => undefined,
  })
  return { ops, subscriptions, sent, journal }
}

const ack = ({ id, op }: Request, arg: object) => ({ id, event: op, arg, connId: 'a' })
const error = (id: string | undefined, code: string, msg: string) => ({ ...(id && { id }), event: 'error', code, msg })

t.test('business channels have a socket of their own', t => {
  for (const channel of ['trades-all.BTC-USDT', 'candle1m.BTC-USDT', 'mark-price-candle1H.BTC-USDT-SWAP'])
    t.equal(familyNamed(familyOfChannel(channel))?.isBusiness, true, channel)
  for (const channel of ['trades.BTC-USDT', 'books.BTC-USDT', 'opt-summary.BTC-USD', 'status'])
    t.not(familyNamed(familyOfChannel(channel))?.isBusiness, true, channel)
  t.end()
})

t.test('pong is no JSON, and no family of its own', t => {
  const { session } = quietSession()
  t.equal(session.data(Buffer.from('pong'), 1), undefined)
  t.same(session.control(Buffer.from('pong')), { family: 'control' })
  t.same(session.control(Buffer.from('pon')), { family: 'other' })
  session.closed()
  t.end()
})

t.test('a checksum of 0, or a wrong one, breaks no chain', t => {
  const chain = new BookChain()
  const see = (bytes: Buffer) => {
    const ids = bookIds(bytes)
    return ids && chain.see(ids, 1)
  }
  t.equal(see(bookFrame('snapshot', 10, -1)), 'snapshot')
  t.equal(see(bookFrame('update', 500, 10, { checksum: 123 })), 'next')
  t.equal(see(bookFrame('update', 501, 500)), 'next', 'ids jump')
  t.equal(see(bookFrame('update', 501, 501, { bids: [] })), 'next', 'a sign of life after a quiet minute')
  t.equal(see(bookFrame('update', 7, 501)), 'next', 'after maintenance numbers are lower, and named')
  t.equal(see(bookFrame('update', 9, 7)), 'next')
  t.equal(see(bookFrame('update', 12, 11)), 'break')
  t.end()
})

t.test('ids of a book are found in its bytes as a parser finds them', t => {
  const captured = capturedFrames(t)
  const own = [bookFrame('snapshot', 5, -1), bookFrame('update', 342177337533, 342177337464)]
  const all = [...(captured?.values() ?? [])].flat().filter(text => text.includes('"action"'))
  for (const bytes of [...own, ...all.map(text => Buffer.from(text))]) {
    const { action, data } = JSON.parse(bytes.toString()) as {
      action: string
      data: [{ seqId?: number; prevSeqId?: number }]
    }
    const [{ seqId, prevSeqId }] = data
    const ids = bookIds(bytes)
    const expected = {
      isSnapshot: action === 'snapshot',
      changeId: seqId,
      prevChangeId: action === 'snapshot' ? undefined : prevSeqId,
    }
    if (seqId === undefined) t.equal(ids, undefined)
    else t.same(ids, expected)
  }
  const spoiled = Buffer.from(
    '{"arg":{"channel":"books","instId":"A"},"action":"update","data":[{"asks":[],"bids":[],"ts":"1","seqId":1700000000000000001,"prevSeqId":1700000000000000000}]}',
  )
  t.equal(bookIds(spoiled), undefined, 'beyond 2^53 a parser spoils them: better none than a wrong one')
  t.end()
})

t.test('a trade stands for the fills that it says', t => {
  const row = { instId: 'SOL-USDT-SWAP', tradeId: '1632918528', px: '1', sz: '1', side: 'sell', ts: '5', count: '26' }
  t.same(tradeRowsOf({ data: [row] }), [
    { instrument: 'SOL-USDT-SWAP', first: 1632918503, last: 1632918528, timestampMs: 5 },
  ])
  const first = (count: string) => tradeRowsOf({ data: [{ ...row, count }] })[0]?.first
  for (const odd of ['', '0', '-3', 'many', '1.5', '99999999999']) t.equal(first(odd), 1632918528, `count ${odd}`)
  t.same(tradeRowsOf({ data: [{ ...row, tradeId: '12345678901234567890' }] }), [], 'no number that a float holds')
  t.end()
})

t.test('the last trade, sent on each subscription, is no new one and shows what was missed', t => {
  const { session, trades } = quietSession()
  const trade = (tradeId: number, count = 1) =>
    frame({
      arg: { channel: 'trades', instId: 'BTC-USDT' },
      data: [
        { instId: 'BTC-USDT', tradeId: String(tradeId), px: '1', sz: '1', side: 'buy', ts: '1', count: String(count) },
      ],
    })
  for (const bytes of [trade(100), trade(103, 3), trade(103, 3)]) t.equal(session.data(bytes, 1), 'trades')
  t.same(trades.sequences.takeHoles(Infinity), [], 'the same one after a new subscription')
  session.data(trade(110, 2), 2)
  const holes = trades.sequences.takeHoles(Infinity)
  t.same(
    holes.map(({ from, to }) => [from, to]),
    [[104, 108]],
  )
  session.closed()
  t.end()
})

t.test('contract sizes, names, families', t => {
  t.same(partitionOfInstrument('BTC-USDT-SWAP'), { kind: 'perpetual', currency: 'USDT' })
  t.same(partitionOfInstrument('BTC-USD-SWAP'), { kind: 'perpetual', currency: 'BTC' })
  t.same(partitionOfInstrument('BTC-USD_UM-SWAP'), { kind: 'perpetual', currency: 'USD' })
  t.same(partitionOfInstrument('BTC-USD-241220'), { kind: 'future', currency: 'BTC' })
  t.same(partitionOfInstrument('BTC-USD-241217-92000-C'), { kind: 'option', currency: 'BTC' })
  t.same(partitionOfInstrument('BTC-USDT'), { kind: 'spot', currency: 'USDT' })
  t.same(
    partitionOfRow('BTC-USDT', 'index-tickers'),
    { kind: 'index', currency: 'BTC' },
    'an index is called as a pair is',
  )
  t.equal(partitionOfInstrument('BTC-USDT_BTC-USDT-SWAP').kind, 'none', 'a spread')
  t.equal(partitionOfInstrument('BTC-ABOVE-DAILY-260224-1600-65000').kind, 'none', 'an event')
  t.equal(expiryMsOf('books.BTC-USD-241217-92000-C'), Date.UTC(2024, 11, 17, 8))
  t.equal(expiryMsOf('books.BTC-USDT-SWAP'), Infinity)
  t.same(argOf('estimated-price.BTC-USD-241220'), {
    channel: 'estimated-price',
    instType: 'FUTURES',
    instId: 'BTC-USD-241220',
  })
  t.same(argOf('option-trades.BTC-USD'), { channel: 'option-trades', instType: 'OPTION', instFamily: 'BTC-USD' })
  t.equal(argOf('economic-calendar'), undefined)
  t.same(subjectOf('opt-summary.BTC-USD'), {
    family: 'opt-summary',
    kinds: ['option'],
    name: undefined,
    whose: 'BTC-USD',
  })
  t.same(partitionOfChannel('liquidation-orders.MARGIN'), { kind: 'spot', currency: 'OTHER' })
  t.end()
})

t.test('index channels name the index, not the contract', t => {
  const swap = instrumentOf({
    instType: 'SWAP',
    instId: 'NEAR-USDT-SWAP',
    uly: 'NEAR-USDT',
    instFamily: 'NEAR-USDT',
    state: 'live',
  })
  const plan = planChannels(swap ? [swap] : [], okxConfig.parse({ adapter: 'okx', name: 'okx' }))
  t.ok(plan.has('index-tickers.NEAR-USDT'))
  t.notOk(plan.has('index-tickers.NEAR-USDT-SWAP'))
  t.ok(plan.has('instruments.SWAP'), 'changes of what is listed')
  t.end()
})

t.test('an error names no channel but in its text, and costs no other', async t => {
  const wanted = new Set(['trades.BTC-USDT', 'index-tickers.NEAR-USDT-SWAP', 'books.BTC-USDT'])
  const { subscriptions, journal } = answered(wanted, (request, ops) => {
    for (const arg of request.args)
      if (arg.channel === 'index-tickers')
        ops.failed(
          error(
            request.id,
            '60018',
            `Wrong URL or channel:index-tickers, instId:${arg.instId} doesn't exist. Please use…`,
          ),
        )
      else ops.acked(ack(request, arg))
  })
  await subscriptions.update()
  t.same([...subscriptions.channels].sort(), ['books.BTC-USDT', 'trades.BTC-USDT'])
  const rejected = journal.filter(({ event }) => event === 'rejected')
  t.same(
    rejected.map(({ channels, code }) => [channels, code]),
    [[['index-tickers.NEAR-USDT-SWAP'], 60018]],
  )
  subscriptions.close()
})

t.test('where the text names none of many channels, the bad one is found by halves', async t => {
  const names = Array.from({ length: 8 }, (_, index) => `tickers.C${index}-USDT`)
  const { subscriptions, sent, journal } = answered(new Set(names), (request, ops) => {
    // The whole request fails for one of its channels.
    if (request.args.some(({ instId }) => instId === 'C5-USDT'))
      ops.failed(error(request.id, '60012', 'Invalid request'))
    else for (const arg of request.args) ops.acked(ack(request, arg))
  })
  await subscriptions.update()
  t.equal(subscriptions.channels.size, 7)
  t.notOk(subscriptions.channels.has('tickers.C5-USDT'))
  t.same(
    journal.filter(({ event }) => event === 'rejected').map(({ channels }) => channels),
    [['tickers.C5-USDT']],
  )
  t.ok(sent.length <= 7, `${sent.length} requests`)
  subscriptions.close()
})

t.test('answers that never come: data do as well, and what stays silent is asked for again', async t => {
  const { subscriptions, ops, sent, journal } = answered(new Set(['tickers.A-USDT', 'tickers.B-USDT']), request => {
    if (sent.length === 1) ops.flows('tickers.A-USDT')
    else for (const arg of request.args) ops.acked(ack(request, arg))
  })
  await subscriptions.update()
  t.same([...subscriptions.channels], ['tickers.A-USDT'])
  t.same(
    journal.filter(({ event }) => event === 'rejected').map(({ channels, message }) => [channels, message]),
    [[['tickers.B-USDT'], 'no answer']],
  )
  await until('the other one is asked for again', () => subscriptions.channels.size === 2, 10_000)
  subscriptions.close()
})

t.test('answers that lie: what is promised and does not flow is taken anew, then counted on no more', async t => {
  const again: string[][] = []
  const given: string[] = []
  const flowing: string[] = []
  const complaints: object[] = []
  const firsts = new FirstFrames(
    {
      link: silentLink({ complaints }),
      speaksUp: channel => !channel.startsWith('trades.'),
      resubscribe: channels => Promise.resolve(void again.push(channels)),
      given: channel => void given.push(channel),
      flows: channel => void flowing.push(channel),
    },
    50,
  )
  const promised = ['books.A-USDT', 'books.B-USDT', 'trades.A-USDT', 'books.C-USDT']
  firsts.asked(promised)
  firsts.came('books.C-USDT')
  firsts.begun(promised)
  firsts.came('books.A-USDT')
  await until('it is taken anew', () => again.length > 0, 10_000)
  t.same(again[0], ['books.B-USDT'], 'not C, whose first frame came before the request was answered')
  t.equal(complaints.length > 0, true)
  await until('it is given up', () => given.length > 0, 10_000)
  t.same(given, ['books.B-USDT'])
  for (const channel of ['books.A-USDT', 'books.B-USDT']) firsts.came(channel)
  t.same(flowing, ['books.B-USDT'], 'a frame came after all')
  firsts.close()
})

t.test('64008: a connection that will be ended says so', t => {
  const journal: object[] = []
  const { session } = quietSession(silentLink({ journal }))
  const notice = frame({
    event: 'notice',
    msg: 'The connection will soon be closed for a service upgrade. Please reconnect.',
    code: '64008',
    connId: '8517149b',
  })
  t.same(session.control(notice), { family: 'control' })
  matchAll(t, journal, [{ event: 'maintenance' }])
  session.closed()
  t.end()
})

t.test('few requests with many channels: one of a connection may have 480 an hour', async t => {
  const names = Array.from({ length: 850 }, (_, index) => `tickers.COIN${index}-USDT`)
  const { subscriptions, sent } = answered(new Set(names), (request, ops) => {
    for (const arg of request.args) ops.acked(ack(request, arg))
  })
  await subscriptions.update()
  t.equal(subscriptions.channels.size, 850)
  t.equal(sent.length, 9)
  for (const { id, args } of sent) {
    t.match(id, /^[a-z0-9]{1,32}$/i)
    t.ok(JSON.stringify(args).length < 64 * 1024)
  }
  subscriptions.close()
})

t.test('instruments come and go as they are pushed, and vanish from lists', t => {
  const clock = { ms: 0 }
  const catalogue = new Catalogue(() => true, { nowMs: () => clock.ms, wallMs: () => Date.UTC(2026, 8, 1) + clock.ms })
  const row = (instId: string, state: string, more: object = {}) => ({ instType: 'SWAP', instId, state, ...more })
  const listed = ['A-USDT-SWAP', 'B-USDT-SWAP'].flatMap(name => instrumentOf(row(name, 'live')) ?? [])
  catalogue.replace(listed)
  catalogue.hear(row('C-USDT-SWAP', 'preopen'))
  catalogue.hear(row('', 'live'))
  t.same(catalogue.settle(), { added: ['C-USDT-SWAP'], removed: [] }, 'a listing, before it opens')
  catalogue.hear(row('A-USDT-SWAP', 'expired'))
  clock.ms += 11_000
  t.same(catalogue.settle(), { added: [], removed: [{ instruments: ['A-USDT-SWAP'], reason: 'expired' }] })
  const left = listed.filter(({ instrument_name }) => instrument_name !== 'B-USDT-SWAP')
  clock.ms += 120_000
  const gone = [1, 2, 3].map(() => catalogue.replace(left).removed.flatMap(({ instruments }) => instruments))
  t.ok(gone.flat().includes('B-USDT-SWAP'), 'what several lists lack is gone')
  t.end()
})

t.test('where methods are asked', t => {
  const origin = (url: string, httpUrl?: string) => httpOrigin({ url, httpUrl }).origin
  t.equal(origin('wss://ws.okx.com:8443/ws/v5/public'), 'https://www.okx.com')
  t.equal(origin('wss://wspap.okx.com:8443/ws/v5/public'), 'https://www.okx.com')
  t.equal(origin('ws://127.0.0.1:8090/ws/v5/public'), 'http://127.0.0.1:8090')
  t.equal(origin('wss://ws.okx.com:8443/ws/v5/public', 'https://openapi.okx.com'), 'https://openapi.okx.com')
  t.end()
})

t.test('what frames say of themselves', t => {
  const bytes = bookFrame('update', 3, 2)
  t.equal(channelOfFrame(bytes), 'books.BTC-USDT-SWAP')
  t.equal(madeMs(bytes), 1790439595500)
  const spaced = Buffer.from('{ "arg": {"instId":"BTC-USDT","channel":"books"}, "data": [] }')
  t.equal(channelOfFrame(spaced), undefined)
  t.equal(frames.channelOf(spaced, 'books'), 'books.BTC-USDT')
  const acked = frame({ event: 'subscribe', arg: { channel: 'books', instId: 'BTC-USDT' } })
  t.equal(frames.channelOf(acked, 'control'), undefined, 'an answer is no frame of its channel')
  const change = books.changeOf(bytes.toString())
  t.same(change?.asks, [])
  t.match(change, { exchangeMs: 1790439595500, isSnapshot: false, changeId: 3, prevChangeId: 2 })
  t.same(change?.bids, [[84093.4, 569.17]])
  t.end()
})
