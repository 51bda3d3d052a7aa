import t from 'tap'
import { SeqRanges } from '../../../platform/seq-ranges.js'
import { TradeScopes } from '../../../exchanges/deribit/trade-scopes.js'
import { TradeSequences } from '../../../exchanges/deribit/trade-sequences.js'

const holesOf = (sequences: TradeSequences) =>
  sequences.takeHoles(Infinity).map(({ instrument, from, to }) => [instrument, from, to])

const numbersOf = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

t.test('ranges are the same set as the numbers, in any order', t => {
  for (let round = 0; round < 50; round++) {
    const numbers = Array.from({ length: 40 }, (_, index) => (index * 17 + round * round) % 61)
    const ranges = new SeqRanges()
    for (const number of numbers) ranges.add(number)
    const set = new Set(numbers)
    t.equal(ranges.count, set.size)
    const missing = ranges.missing({ from: 0, to: 60 }).flatMap(({ from, to }) => numbersOf(from, to))
    t.same(
      missing,
      numbersOf(0, 60).filter(number => !set.has(number)),
    )
  }
  const whole = new SeqRanges()
  whole.add(5, 9)
  whole.add(20, 29)
  whole.add(8, 22)
  t.same(whole.ranges, [{ from: 5, to: 29 }])
  t.same(whole.missing({ from: 1, to: 40 }), [
    { from: 1, to: 4 },
    { from: 30, to: 40 },
  ])
  t.end()
})

t.test('each instrument counts for itself', t => {
  const sequences = new TradeSequences()
  for (const [instrument, seq] of [
    ['A', 5],
    ['B', 100],
    ['A', 6],
    ['B', 101],
    ['A', 9],
  ] as const)
    sequences.see(instrument, seq, 1)
  t.same(holesOf(sequences), [['A', 7, 8]])
  t.same(holesOf(sequences), [], 'a hole is taken once')
  sequences.see('A', 7, 2)
  sequences.see('A', 10, 2)
  t.same(holesOf(sequences), [])
  t.end()
})

t.test('out of order and twice, as over two connections, is no hole', t => {
  const sequences = new TradeSequences()
  for (const seq of [10, 11, 11, 13, 10, 15, 12, 14, 13, 16, 16, 15]) sequences.see('A', seq, 1)
  t.same(holesOf(sequences), [])
  sequences.see('A', 20, 1)
  sequences.see('A', 18, 1)
  t.same(holesOf(sequences), [
    ['A', 17, 17],
    ['A', 19, 19],
  ])
  t.end()
})

t.test('a hole says between which stamps its trades were made', t => {
  const sequences = new TradeSequences()
  sequences.see('A', 1, 1000)
  sequences.see('A', 4, 5000)
  sequences.see('A', 6, 9000)
  t.match(sequences.takeHoles(6000), [{ from: 2, to: 3, fromUs: 1000, toUs: 5000, cause: 'a later trade came' }])
  t.match(sequences.takeHoles(9000), [{ from: 5, to: 5, fromUs: 5000, toUs: 9000 }], 'younger holes wait')
  t.end()
})

t.test('what the exchange lists and what did not come is a hole', t => {
  const sequences = new TradeSequences()
  sequences.see('A', 10, 1)
  sequences.list('A', { from: 9, to: 12 }, 2)
  sequences.list('B', { from: 1, to: 2 }, 2)
  sequences.see('A', 13, 3)
  sequences.list('A', { from: 11, to: 13 }, 4)
  t.same(holesOf(sequences), [
    ['A', 9, 9],
    ['A', 11, 12],
    ['B', 1, 2],
  ])
  sequences.list('A', { from: 9, to: 13 }, 5)
  t.same(holesOf(sequences), [])
  t.end()
})

t.test('what earlier runs recorded continues, whether live trades come before or after it is known', t => {
  const recorded = new SeqRanges()
  recorded.add(1, 50)
  recorded.add(53, 60)
  const after = new TradeSequences()
  after.remember('A', recorded, 1, 2)
  after.see('A', 64, 3)
  t.same(holesOf(after), [
    ['A', 51, 52],
    ['A', 61, 63],
  ])
  const before = new TradeSequences()
  before.see('A', 64, 1)
  before.remember('A', recorded, 1, 2)
  before.see('A', 65, 3)
  t.same(holesOf(before), [
    ['A', 51, 52],
    ['A', 61, 63],
  ])
  t.end()
})

t.test('a thousand holes of an instrument are joined: the memory is bounded', t => {
  const sequences = new TradeSequences()
  for (let seq = 0; seq < 2000; seq += 2) sequences.see('A', seq, 1)
  const holes = sequences.takeHoles(Infinity)
  t.equal(holes.length, 100)
  t.equal(holes.at(-1)?.to, 1997)
  t.end()
})

t.test('whose trades are recorded, by the channels', t => {
  const scopes = new TradeScopes()
  scopes.add(['trades.option.BTC.100ms', 'trades.BTC-PERPETUAL.100ms', 'trades.ETH-PERPETUAL.100ms', 'quote.X'])
  scopes.add(['trades.BTC-25DEC26.100ms', 'trades.BTC-25DEC26-50000-C.100ms', 'trades.../../x.100ms', 'trades'])
  t.same(scopes.all, [
    { kind: 'option', currency: 'BTC', instruments: undefined },
    { kind: 'future', currency: 'BTC', instruments: new Set(['BTC-PERPETUAL', 'BTC-25DEC26']) },
    { kind: 'future', currency: 'ETH', instruments: new Set(['ETH-PERPETUAL']) },
  ])
  t.end()
})
