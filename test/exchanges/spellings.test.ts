/** What is found in the bytes of frames is what a parser finds, however they are spelled; or nothing is guessed. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { bookIds as okxIds } from '../../exchanges/okx/book.js'
import { frames as okxFrames } from '../../exchanges/okx/frames.js'
import { tradeRowsOf } from '../../exchanges/okx/trade-numbers.js'
import { books as bybitBooks } from '../../exchanges/bybit/book.js'
import { frames as bybitFrames, madeMs as bybitMs } from '../../exchanges/bybit/frames.js'
import { bookIdsIn, eachTradeId, tradeIdOf } from '../../exchanges/bybit/sequence-bytes.js'
import { books as deribitBooks } from '../../exchanges/deribit/book.js'
import { madeMs as deribitMs } from '../../exchanges/deribit/frame-time.js'
import { frames as deribitFrames } from '../../exchanges/deribit/frames.js'
import { recordedTrades } from '../../exchanges/deribit/recorded-trades.js'
import { levelsOf } from '../../exchanges/book.js'
import { seeded } from '../fixtures/dice.js'
import { holds } from '../fixtures/holds.js'

/** JSON of a value in one of the ways in which it may be spelled: blanks, escapes, members in another order. */
function spelled(value: unknown, dice: () => number): string {
  const blank = () => ['', '', '', ' ', '\n', '\t '][Math.floor(dice() * 6)] ?? ''
  if (Array.isArray(value))
    return `[${blank()}${(value as unknown[]).map(item => spelled(item, dice)).join(`${blank()},${blank()}`)}${blank()}]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value as Record<string, unknown>).map(([key, member]) => ({
      key,
      member,
      at: dice(),
    }))
    // As the exchange has them, mostly.
    if (dice() < 0.3) members.sort((a, b) => a.at - b.at)
    const texts = members.map(({ key, member }) => `"${key}"${blank()}:${blank()}${spelled(member, dice)}`)
    return `{${blank()}${texts.join(`${blank()},${blank()}`)}${blank()}}`
  }
  return JSON.stringify(value)
}

const seed = fc.integer({ min: 1, max: 2 ** 31 - 1 })

/** Ids as they come, and numbers that are none. */
const id = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 48 }),
  fc.constantFrom(0, 1, 999_999_999_999_999, 1e15, 2 ** 53 + 2, -1, 1.5, 1e21, 12e-1),
)
const level = fc.tuple(fc.integer({ min: 1, max: 9e6 }), fc.integer({ min: 0, max: 9e6 })).map(pair => pair.map(String))
const levels = fc.array(level, { maxLength: 4 })

t.test('OKX: a number that is no whole one was taken for its first digits', t => {
  const data = fc.record({
    asks: levels,
    bids: levels,
    ts: fc.constant('1795000000123'),
    checksum: id,
    prevSeqId: id,
    seqId: id,
  })
  const frame = fc.record({ action: fc.constantFrom('snapshot', 'update'), row: data })
  holds(
    t,
    fc.property(frame, seed, ({ action, row }, seed) => {
      const message = { arg: { channel: 'books', instId: 'BTC-USDT' }, action, data: [row] }
      const bytes = Buffer.from(spelled(message, seeded(seed)))
      const { seqId, prevSeqId } = row
      const isSnapshot = action === 'snapshot'
      const isUnderstood =
        Number.isSafeInteger(seqId) && (isSnapshot || (Number.isSafeInteger(prevSeqId) && prevSeqId !== -1))
      const expected = { isSnapshot, changeId: seqId, prevChangeId: isSnapshot ? undefined : prevSeqId }
      assert.deepEqual(okxIds(bytes), isUnderstood ? expected : undefined, bytes.toString())
      assert.equal(okxFrames.channelOf(bytes, 'books'), 'books.BTC-USDT')
    }),
    { numRuns: 400 },
  )
  t.end()
})

t.test('Bybit: the place of a change is read as a parser reads it', t => {
  const frame = fc.record({
    topic: fc.constant('orderbook.50.BTCUSDT'),
    type: fc.constantFrom('snapshot', 'delta'),
    ts: fc.constant(1795000000123),
    data: fc.record({ s: fc.constant('BTCUSDT'), b: levels, a: levels, u: id, seq: id }),
    cts: fc.constant(1795000000120),
  })
  holds(
    t,
    fc.property(frame, seed, (message, seed) => {
      const bytes = Buffer.from(spelled(message, seeded(seed)))
      const { u } = message.data
      const isSnapshot = message.type === 'snapshot' || u === 1
      const found = bookIdsIn(bytes)
      assert.deepEqual(
        found,
        { isSnapshot, changeId: u, prevChangeId: isSnapshot ? undefined : u - 1 },
        bytes.toString(),
      )
      const change = bybitBooks.changeOf(bytes.toString())
      assert.deepEqual([change?.isSnapshot, change?.changeId, change?.exchangeMs], [isSnapshot, u, 1795000000120])
      assert.equal(change?.bids.length, message.data.b.length)
      assert.equal(bybitFrames.channelOf(bytes, 'book.spot'), 'spot.orderbook.50.BTCUSDT')
    }),
    { numRuns: 400 },
  )
  t.end()
})

t.test('Deribit: a book, as its bytes and as a parser have it', t => {
  const side = fc.array(
    fc.tuple(
      fc.constantFrom('new', 'change', 'delete'),
      fc.integer({ min: 1, max: 9e6 }),
      fc.integer({ min: 0, max: 9e6 }),
    ),
    { maxLength: 4 },
  )
  const data = fc.record({
    type: fc.constantFrom('snapshot', 'change'),
    timestamp: fc.constant(1795000000123),
    prev: id,
    change_id: id,
    bids: side,
    asks: side,
  })
  holds(
    t,
    fc.property(data, seed, ({ prev, ...rest }, seed) => {
      const params = {
        channel: 'book.BTC-PERPETUAL.raw',
        data: { ...rest, ...(rest.type === 'change' && { prev_change_id: prev }) },
      }
      const text = spelled({ jsonrpc: '2.0', method: 'subscription', params }, seeded(seed))
      const change = deribitBooks.changeOf(text)
      if (!change) return assert.fail('not understood')
      assert.equal(change.isSnapshot, rest.type === 'snapshot')
      assert.equal(deribitBooks.isSnapshot(Buffer.from(JSON.stringify({ params }))), rest.type === 'snapshot')
      assert.deepEqual(
        change.bids,
        rest.bids.map(([action, price, amount]) => [price, action === 'delete' ? 0 : amount]),
      )
      assert.equal(deribitFrames.channelOf(Buffer.from(text), 'book'), params.channel)
    }),
    { numRuns: 200 },
  )
  t.end()
})

t.test('trades of frames are those that a parser finds, with all numbers that they stand for', t => {
  const instrument = fc.constantFrom('BTC-PERPETUAL', 'ETH-25DEC26-3000-C', 'A"\\\\é')
  const rows = fc.array(
    fc.record({
      trade_seq: fc.integer({ min: 0, max: 1e12 }),
      timestamp: fc.integer({ min: 1e12, max: 2e12 }),
      instrument_name: instrument,
    }),
    { maxLength: 5 },
  )
  holds(
    t,
    fc.property(rows, seed, fc.boolean(), (rows, seed, isAnswer) => {
      const message = isAnswer
        ? { jsonrpc: '2.0', id: 'trades', result: { trades: rows, has_more: false } }
        : { jsonrpc: '2.0', method: 'subscription', params: { channel: 'trades.any.any.raw', data: rows } }
      const bytes = Buffer.from(spelled(message, seeded(seed)))
      const found: [string, number, number][] = []
      recordedTrades.each(bytes, (...trade) => found.push(trade))
      assert.deepEqual(
        found,
        rows.map(({ instrument_name, trade_seq }) => [instrument_name, trade_seq, trade_seq]),
      )
      assert.equal(recordedTrades.newestMs(bytes), Math.max(0, ...rows.map(({ timestamp }) => timestamp)))
    }),
    { numRuns: 300 },
  )
  const fills = (tradeId: unknown, count: unknown) => {
    const [row] = tradeRowsOf({ data: [{ instId: 'A', tradeId, count, ts: '5' }] })
    return row && [row.first, row.last]
  }
  for (const [tradeId, count, expected] of [
    ['9', '3', [7, 9]],
    ['9', '9', [1, 9]],
    ['9', '10', [9, 9]],
    ['9', '', [9, 9]],
    ['9', '0', [9, 9]],
    ['9', '-2', [9, 9]],
    ['9', '1.5', [9, 9]],
    ['9', 3, [9, 9]],
    ['', '1', undefined],
    ['1e3', '1', undefined],
    ['9999999999999999', '1', undefined],
    [9, '1', undefined],
  ] as const)
    t.same(fills(tradeId, count), expected, `${tradeId} of ${count} fills`)
  t.end()
})

t.test('ids of trades are found wherever they stand, and two texts have two numbers', t => {
  holds(
    t,
    fc.property(fc.uniqueArray(fc.uuid(), { maxLength: 30 }), ids => {
      const frame = Buffer.from(
        JSON.stringify({ topic: 'publicTrade.BTCUSDT', data: ids.map(i => ({ T: 1, s: '"i":"', i, BT: false })) }),
      )
      const found: number[] = []
      eachTradeId(frame, id => found.push(id))
      const own = ids.map(tradeIdOf)
      assert.deepEqual(found, own, 'each once, in the order of the frame, and no other')
      assert.equal(new Set(own).size, ids.length)
      assert.ok(own.every(Number.isSafeInteger))
    }),
  )
  t.end()
})

t.test('when a frame was made: of 13 digits, and of nothing else', t => {
  for (const [ts, expected] of [
    ['1795000000123', 1795000000123],
    ['179500000012', undefined],
    ['"179500000012"', undefined],
    ['null', undefined],
    ['-179500000012', undefined],
  ] as const) {
    t.equal(bybitMs(Buffer.from(`{"topic":"tickers.BTCUSDT","ts":${ts},"data":{}}`)), expected, `Bybit ${ts}`)
    const deribit = `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"quote.A","data":{"timestamp":${ts}}}}`
    t.equal(deribitMs(Buffer.from(deribit)), expected, `Deribit ${ts}`)
  }
  t.equal(bybitMs(Buffer.from('{"retCode":0,"ts":1795000000123}')), undefined, 'an answer tells of the past')
  t.end()
})

t.test('levels that are not understood make no book, and none of them is half a level', t => {
  const odd = fc.constantFrom<unknown>('', ' ', 'x', null, 5, [], {}, undefined, 'Infinity', 'NaN')
  holds(
    t,
    fc.property(levels, fc.nat({ max: 4 }), odd, fc.constantFrom(0, 1), (levels, at, value, place) => {
      assert.deepEqual(
        levelsOf(levels.map(level => [...level, '0', '3'])),
        levels.map(level => level.map(Number)),
        'what stands behind is of no matter',
      )
      const broken: unknown[][] = levels.map(level => [...level])
      const own = broken[at]
      if (!own) return
      own[place] = value
      // A blank is a number to a parser of numbers, and none of an exchange's.
      if (value === ' ') return
      assert.equal(levelsOf(broken), undefined)
    }),
  )
  for (const none of [undefined, null, {}, 'x', [5], [null], [['1']], [[]]]) t.equal(levelsOf(none), undefined)
  t.same(levelsOf([]), [])
  t.end()
})
