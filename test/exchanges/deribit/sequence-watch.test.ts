import t from 'tap'
import type { BookIds } from '../../../exchanges/book-chain.js'
import type { BookWatch } from '../../../exchanges/book-watch.js'
import { channelEnd, channelStart } from '../../../exchanges/deribit/frame-channel.js'
import { SequenceWatch } from '../../../exchanges/deribit/sequence-watch.js'
import { TradeSequences } from '../../../exchanges/trade-sequences.js'

const frameOf = (channel: string, data: object) =>
  JSON.stringify({ jsonrpc: '2.0', method: 'subscription', params: { channel, data } })

function watch() {
  const trades = new TradeSequences()
  const ids: BookIds[] = []
  const books = { see: (_channel: string, seen: BookIds) => void ids.push(seen) } as unknown as BookWatch
  const sequences = new SequenceWatch(books, trades)
  const see = (channel: string, family: string, text: string) => {
    const frame = Buffer.from(text)
    sequences.see(channel, family, frame, channelEnd(frame, channelStart(frame)), 1_000_000)
  }
  return { trades, ids, see }
}

t.test('the trade of a frame that lacks its last byte was taken as there, and never asked for', async t => {
  const { trades, see } = watch()
  const channel = 'trades.option.BTC.100ms'
  const frame = (seq: number) => frameOf(channel, [{ instrument_name: 'BTC-P', trade_seq: seq, trade_id: String(seq) }])
  see(channel, 'trades', frame(1))
  see(channel, 'trades', frame(2).slice(0, -1))
  see(channel, 'trades', frame(3))
  t.same(
    trades.takeHoles(Infinity).map(({ from, to }) => [from, to]),
    [[2, 2]],
  )
})

t.test('the change of a book that lacks its last byte was taken as there', async t => {
  const { ids, see } = watch()
  const channel = 'book.BTC-P.100ms'
  const book = { timestamp: 1, change_id: 7, bids: [['new', 1, 2]], asks: [] }
  const frames = [
    frameOf(channel, { type: 'snapshot', ...book }),
    frameOf(channel, { type: 'change', ...book, prev_change_id: 6 }),
    // Its members in another order.
    frameOf(channel, { prev_change_id: 6, type: 'change', ...book }),
  ]
  for (const frame of frames) see(channel, 'book', frame.slice(0, -1))
  t.same(ids, [])
  for (const frame of frames) see(channel, 'book', frame)
  t.equal(ids.length, 3)
})
