import t from 'tap'
import type { Recording } from '../../../exchanges/adapter.js'
import { joinedProofs, TradeProofs } from '../../../exchanges/okx/trade-proofs.js'

import { until } from '../../fixtures/recorder-process.js'
import { quietSession } from './quiet-session.js'
import { silentLink } from './silent-link.js'

const unknown = () => undefined
const S = 1_000_000

t.test('an outage without a trade, or of which all were fetched, was told as missing: the first frame shows it', t => {
  const proofs = new TradeProofs()
  proofs.asked(['BTC-USDT', 'ETH-USDT', 'SOL-USDT'])
  proofs.shown('BTC-USDT', { beforeUs: 10, madeUs: 9, recvUs: 30 })
  proofs.shown('BTC-USDT', { beforeUs: 30, madeUs: 31, recvUs: 32 })
  t.same(proofs.take(unknown), [], 'a frame may come before the answer')
  proofs.begun(['BTC-USDT', 'ETH-USDT'], 31)
  proofs.shown('ETH-USDT', { beforeUs: undefined, madeUs: 5, recvUs: 35 })
  t.same(
    proofs.take(name => (name === 'ETH-USDT' ? 12 : undefined)),
    [
      { instrument: 'BTC-USDT', fromUs: 10, toUs: 31, madeUs: 9 },
      { instrument: 'ETH-USDT', fromUs: 12, toUs: 35, madeUs: 5 },
    ],
    'since the last trade that came, to this run or an earlier one',
  )
  t.same(proofs.take(unknown), [], 'each once')
  t.equal(proofs.isWaiting, true)
  proofs.ended(['SOL-USDT'])
  t.equal(proofs.isWaiting, false)
  t.end()
})

t.test('what was proven was lost where a channel was asked for again at once', t => {
  const proofs = new TradeProofs()
  for (const beforeUs of [10, 30]) {
    proofs.asked(['A'])
    proofs.begun(['A'], beforeUs + 5)
    proofs.shown('A', { beforeUs, madeUs: beforeUs + 6, recvUs: beforeUs + 7 })
  }
  t.same(proofs.take(unknown), [{ instrument: 'A', fromUs: 10, toUs: 37, madeUs: 36 }])
  t.end()
})

t.test('with two connections the pause of a kill stayed missing though all its trades were fetched', t => {
  const proofs = new TradeProofs()
  for (const beforeUs of [undefined, 30]) {
    proofs.asked(['A'])
    proofs.begun(['A'], 25)
    proofs.shown('A', { beforeUs, madeUs: 20, recvUs: 30 })
  }
  t.same(
    proofs.take(() => 10),
    [{ instrument: 'A', fromUs: 10, toUs: 30, madeUs: 20 }],
    'since the last trade of the earlier run',
  )
  t.end()
})

t.test('nothing comes of what never traded: the exchange is asked', t => {
  const proofs = new TradeProofs()
  proofs.asked(['A', 'B'])
  proofs.begun(['A', 'B'], 0)
  proofs.shown('A', { beforeUs: 1, madeUs: 1, recvUs: 2 })
  t.same(proofs.takeQuiet(4_000_000), [])
  t.same(proofs.takeQuiet(6_000_000), ['B'])
  t.same(proofs.takeQuiet(6_000_000), [])
  t.equal(proofs.take(unknown).length, 1)
  t.end()
})

t.test('what many instruments prove is told as one, by the span that they share', t => {
  const proof = (instrument: string, fromUs: number, toUs: number) => ({ instrument, fromUs, toUs })
  const all = [proof('A', 10, 30), proof('B', 20, 31), proof('C', 25, 32)]
  t.same(joinedProofs(all, 20), [
    { instruments: ['A', 'B'], fromUs: 20, toUs: 31 },
    { instruments: ['C'], fromUs: 25, toUs: 32 },
  ])
  t.same(joinedProofs(all, -Infinity), [], 'at the very first start nothing was missed')
  t.end()
})

t.test('the last trade before a silence of all stood as complete: all are asked for', async t => {
  const wanted = new Set(['trades.A', 'trades.B', 'trades.C', 'tickers.A'])
  const sent: { op: string; args: { instId: string }[] }[] = []
  const link = silentLink()
  let nowS = 1
  const nowUs = () => nowS * S
  link.nowUs = nowUs
  const { session, trades } = quietSession(link, () => wanted)
  link.send = text => {
    if (text === 'ping') return
    const { id, op, args } = JSON.parse(text) as (typeof sent)[number] & { id: string }
    sent.push({ op, args })
    const answer = (arg: object) => session.control(Buffer.from(JSON.stringify({ id, event: op, arg })))
    setImmediate(() => args.forEach(answer))
  }
  const trade = (instId: string, tradeId: number, madeS: number) => {
    const row = { instId, tradeId: String(tradeId), ts: String(madeS * 1000), count: '1' }
    session.data(Buffer.from(JSON.stringify({ arg: { channel: 'trades', instId }, data: [row] })), nowS * S)
  }
  const journal: { event: string; scopes?: string[]; from_us?: number; to_us?: number; instrument?: string }[] = []
  const recording = {
    journal: (event: string, facts: object) => void journal.push({ event, ...facts }),
    nowUs,
    earlier: async function* () {},
  } as unknown as Recording
  trade('B', 7, 0.5)
  nowS = 2
  await session.start()
  for (const [instrument, id] of Object.entries({ A: 5, B: 7 })) trade(instrument, id, 0.5)
  const stopping = new AbortController()
  const running = trades.run(recording, stopping.signal)
  nowS = 10
  trade('B', 8, 10)
  await until('what came at first is told', () => journal.some(({ event }) => event === 'compared'))
  journal.length = 0
  sent.length = 0
  // Nothing comes from here on; then a trade of one, before anybody looked.
  nowS = 80
  trade('B', 10, 80)
  nowS = 81
  const asking = session.missed([...wanted], 12 * S)
  await until('they are asked for', () => sent.some(({ op }) => op === 'subscribe'))
  trade('A', 7, 13)
  trade('B', 10, 80)
  trade('C', 3, 14)
  await asking
  nowS = 90
  const told = (event: string) => journal.filter(one => one.event === event)
  await until('it is told', () => told('compared').length === 2 && told('trade_hole').length === 2)
  stopping.abort()
  await running
  session.closed()
  t.same(
    sent.map(({ op, args }) => [op, args.map(({ instId }) => instId).join('')]),
    [
      ['unsubscribe', 'ABC'],
      ['subscribe', 'ABC'],
    ],
    'trades alone are taken anew',
  )
  t.same(
    told('compared').map(({ scopes, from_us: fromUs = 0, to_us: toUs = 0 }) => [scopes, fromUs / S, toUs / S]),
    [
      [['trades.A', 'trades.B'], 12, 81],
      [['trades.C'], 14, 81],
    ],
    'of one that never came before, only since its last trade',
  )
  t.same(
    told('trade_hole')
      .map(({ instrument }) => instrument)
      .sort(),
    ['A', 'B'],
  )
})
