import t from 'tap'
import { SeqRanges } from '../../platform/seq-ranges.js'
import { TradeScopes } from '../../exchanges/deribit/trade-scopes.js'
import { expiryMsOf } from '../../exchanges/deribit/names.js'
import { TradeSequences } from '../../exchanges/trade-sequences.js'
import { matchAll } from '../fixtures/match-all.js'

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

t.test('instruments that were over stayed known for ever, until new ones were not watched any more', t => {
  const sequences = new TradeSequences(expiryMsOf)
  const dayOf = (day: number) => new Date(Date.UTC(2026, 0, 1 + day))
  let most = 0
  let watched = 0
  for (let day = 0; day < 2000; day++) {
    const nowUs = dayOf(day).getTime() * 1000
    const expiry = dayOf(day + 7)
    const month = expiry.toLocaleString('en', { month: 'short', timeZone: 'UTC' }).toUpperCase()
    const named = `BTC-${expiry.getUTCDate()}${month}${expiry.getUTCFullYear() % 100}`
    for (let strike = 1; strike <= 100; strike++) sequences.see(`${named}-${strike * 1000}-C`, 1, nowUs)
    sequences.see('BTC-PERPETUAL', day + 1, nowUs)
    sequences.see(`${named}-1000-C`, 3, nowUs)
    watched += holesOf(sequences).length
    most = Math.max(most, sequences.size)
  }
  t.ok(most < 3000, `${most} known at most, of 200,001`)
  t.equal(watched, 2000, 'each new one is watched')
  t.equal(sequences.passed, 2000 * 103, 'what has no end is known all the time')
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
  matchAll(t, sequences.takeHoles(6000), [{ from: 2, to: 3, fromUs: 1000, toUs: 5000, cause: 'a later trade came' }])
  matchAll(t, sequences.takeHoles(9000), [{ from: 5, to: 5, fromUs: 5000, toUs: 9000 }], 'younger holes wait')
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

const S = 1_000_000
const at = (second: number, seq: number) => ({ seq, timestampMs: second * 1000 })
/** As a connection does: what is strange is looked at. */
function come(sequences: TradeSequences, second: number, seq: number): void {
  if (sequences.see('A', seq, second * S)) sequences.doubt('A', at(second, seq), second * S)
}

t.test('numbers that began anew were taken for old trades, and later holes were not seen', t => {
  const sequences = new TradeSequences()
  for (const seq of [250_000_000, 250_000_001]) come(sequences, 1, seq)
  for (const [second, seq] of [
    [5, 1],
    [6, 2],
    [6, 2],
    [7, 4],
    [8, 5],
    [9, 8],
  ] as const)
    come(sequences, second, seq)
  t.same(sequences.takeRenumberings(), [{ instrument: 'A', lastSeq: 250_000_001, firstSeq: 1, fromUs: S, toUs: 7 * S }])
  t.same(holesOf(sequences), [
    ['A', 3, 3],
    ['A', 6, 7],
  ])
  t.same(sequences.takeRenumberings(), [])
  t.end()
})

t.test('a sequence that begins anew within the numbers that are known', t => {
  const sequences = new TradeSequences()
  for (let seq = 1; seq <= 40; seq++) come(sequences, seq, seq)
  for (const [second, seq] of [
    [60, 1],
    [61, 2],
    [62, 3],
    [63, 4],
  ] as const)
    come(sequences, second, seq)
  matchAll(t, sequences.takeRenumberings(), [{ lastSeq: 40, firstSeq: 1 }])
  come(sequences, 64, 6)
  t.same(holesOf(sequences), [['A', 5, 5]])
  t.end()
})

t.test('late copies and old trades are no new sequence', t => {
  const sequences = new TradeSequences()
  come(sequences, 100, 50)
  // Made before, come later, over the other connection.
  for (const seq of [40, 41, 42, 43]) if (sequences.see('A', seq, 101 * S)) sequences.doubt('A', at(99, seq), 101 * S)
  come(sequences, 102, 51)
  // Two are not several, and the old numbers go on.
  come(sequences, 110, 2)
  come(sequences, 111, 3)
  come(sequences, 112, 52)
  come(sequences, 120, 4)
  t.same(sequences.takeRenumberings(), [])
  t.same(holesOf(sequences), [])
  t.end()
})

t.test('a list that holds the end of one sequence and the beginning of the next makes no hole of all numbers', t => {
  const sequences = new TradeSequences()
  come(sequences, 10, 5000)
  sequences.listed('A', [at(9, 4999), at(10, 5000), at(20, 1), at(21, 2), at(22, 3)], 30 * S)
  matchAll(t, sequences.takeRenumberings(), [{ lastSeq: 5000, firstSeq: 1 }])
  t.same(holesOf(sequences), [['A', 1, 3]], 'known by the list alone, they are asked for')
  sequences.listed('A', [at(9, 4999), at(10, 5000), at(10.5, 5001), at(20, 1), at(21, 2), at(22, 3), at(23, 4)], 40 * S)
  t.same(holesOf(sequences), [
    ['A', 4999, 4999],
    ['A', 5001, 5001],
    ['A', 4, 4],
  ])
  const later = new TradeSequences()
  for (const seq of [7, 8, 9]) come(later, 100 + seq, seq)
  later.listed('A', [at(50, 5000), at(51, 5001), at(100, 6), at(107, 7), at(108, 8), at(109, 9)], 120 * S)
  t.same(holesOf(later), [['A', 6, 6]], 'what was before the first of ours is another sequence')
  t.end()
})

t.test('numbers that began anew while no recorder ran', t => {
  const recorded = new SeqRanges()
  recorded.add(900, 1000)
  const sequences = new TradeSequences()
  for (const seq of [3, 4]) come(sequences, 100, seq)
  sequences.remember('A', recorded, 50 * S, 101 * S)
  matchAll(t, sequences.takeRenumberings(), [{ lastSeq: 1000, firstSeq: 3 }])
  t.same(holesOf(sequences), [])
  t.equal(sequences.begunAnewUs('A'), 100 * S)
  come(sequences, 102, 6)
  t.same(holesOf(sequences), [['A', 5, 5]])
  t.end()
})

t.test('numbers that began anew while a recorder was off for seconds: all numbers between were told as missing', t => {
  const recorded = new SeqRanges()
  recorded.add(900, 1000)
  const sequences = new TradeSequences()
  for (const seq of [3, 4]) come(sequences, 57, seq)
  sequences.remember('A', recorded, 50 * S, 58 * S)
  matchAll(t, sequences.takeRenumberings(), [{ lastSeq: 1000, firstSeq: 3 }])
  t.same(holesOf(sequences), [])
  // Those of both sequences that were made while it was off are asked for by their own numbers.
  const made = (seq: number, second: number) => ({ seq, timestampMs: second * 1000 })
  const listed = [made(1001, 51), made(1, 54), made(2, 55), made(3, 57), made(4, 57)]
  const ofBoth = [
    ['A', 1, 2],
    ['A', 1001, 1001],
  ].sort()
  sequences.listed('A', listed, 59 * S)
  t.same([...holesOf(sequences)].sort(), ofBoth)
  // The same where they came only after those of earlier runs were known.
  const after = new TradeSequences()
  after.remember('A', recorded, 50 * S, 58 * S)
  for (const seq of [3, 4, 5]) after.doubt('A', made(seq, 57), 57 * S)
  after.listed('A', [...listed, made(5, 57)], 59 * S)
  t.same([...holesOf(after)].sort(), ofBoth)
  // What lies among those that were recorded may be copies, as at a take-over.
  const beside = new TradeSequences()
  for (const seq of [995, 996]) come(beside, 57, seq)
  beside.remember('A', recorded, 50 * S, 58 * S)
  t.same([beside.takeRenumberings(), holesOf(beside)], [[], []])
  t.end()
})

t.test(
  'trades of before and of after numbers began anew, within a second: all numbers between were told as missing',
  t => {
    const last = 250_000_000
    const row = (ms: number, seq: number) => ({ seq, timestampMs: ms })
    const begin = () => {
      const sequences = new TradeSequences()
      for (const second of [1, 2, 10]) come(sequences, second, last + second)
      return sequences
    }
    const renumbered = [{ instrument: 'A', lastSeq: last + 10, firstSeq: 1 }]
    const holes = [['A', last + 3, last + 9]]
    const old = row(10_000, last + 10)

    const few = begin()
    few.listed('A', [old, row(10_100, 1), row(10_500, 2)], 11 * S)
    t.same(holesOf(few), holes, 'a list that has too few of the new ones to be sure')
    few.listed('A', [old, row(10_100, 1), row(10_500, 2), row(10_900, 3)], 12 * S)
    matchAll(t, few.takeRenumberings(), renumbered)
    few.listed('A', [old, row(10_100, 1), row(10_500, 2), row(10_900, 3), row(11_900, 4)], 13 * S)
    t.same(
      holesOf(few).filter(([, , to]) => Number(to) > 4),
      [],
      'nor once they are known',
    )

    const tied = begin()
    tied.listed('A', [row(10_000, 1), old, row(10_000, 2)], 11 * S)
    tied.listed('A', [old, row(10_000, 1), row(10_000, 2), row(10_001, 3)], 12 * S)
    tied.listed('A', [old, row(10_000, 1), row(10_000, 2), row(10_001, 3), row(10_002, 4)], 13 * S)
    matchAll(t, tied.takeRenumberings(), renumbered)
    t.same(
      holesOf(tied).filter(([, , to]) => Number(to) > last + 9),
      [],
      'made within the same millisecond',
    )

    const late = begin()
    for (const [ms, seq] of [
      [10_100, 1],
      [10_200, 2],
      [10_300, 3],
    ] as const)
      if (late.see('A', seq, ms * 1000)) late.doubt('A', row(ms, seq), ms * 1000)
    matchAll(t, late.takeRenumberings(), renumbered)
    t.notOk(late.see('A', last + 10, 10_400_000), 'a copy that the other connection brings later')
    t.same(holesOf(late), holes)
    t.end()
  },
)

t.test(
  'an instrument whose first trade was received late, after a standstill: what was missed behind it was not asked for',
  t => {
    const sequences = new TradeSequences()
    come(sequences, 20, 5)
    sequences.listed('A', [at(5, 5), at(12, 6), at(15, 7)], 22 * S)
    t.same(holesOf(sequences), [['A', 6, 7]])
    t.end()
  },
)
