import t from 'tap'
import { joinedProofs, TradeProofs } from '../../../exchanges/okx/trade-proofs.js'

const unknown = () => undefined

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
