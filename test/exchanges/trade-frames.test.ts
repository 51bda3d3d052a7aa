/** Frames that stand for several trades, in any order and more than once: the holes are what no frame brought. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { SeqRanges, type SeqRange } from '../../platform/seq-ranges.js'
import { TradeSequences } from '../../exchanges/trade-sequences.js'
import { holds } from '../fixtures/holds.js'

const SECOND_US = 1_000_000
/** Numbers at which the sequence stood long before. */
const BASE = 1000

const frame = fc
  .record({ from: fc.integer({ min: BASE, max: BASE + 80 }), more: fc.integer({ min: 0, max: 9 }) })
  .map(({ from, more }): SeqRange => ({ from, to: from + more }))
const frames = fc.array(frame, { minLength: 1, maxLength: 40 })

const numbersIn = (ranges: readonly SeqRange[]) =>
  new Set(ranges.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, at) => from + at)))

/** The numbers between the first and the last of a set that are not in it. */
function gapsOf(came: ReadonlySet<number>): number[] {
  const [first, last] = [Math.min(...came), Math.max(...came)]
  return Array.from({ length: last - first + 1 }, (_, at) => first + at).filter(number => !came.has(number))
}

const holeNumbers = (sequences: TradeSequences) => [...numbersIn(sequences.takeHoles(Infinity))].sort((a, b) => a - b)

t.test('a frame that stands for several trades filled one hole of several, and the others were asked for', t => {
  holds(
    t,
    fc.property(frames, list => {
      const sequences = new TradeSequences()
      // The first number that ever came; what is older was never to be had.
      sequences.see('A', BASE - 1, 1)
      for (const [at, { from, to }] of list.entries()) sequences.see('A', to, at + 2, from)
      assert.deepEqual(holeNumbers(sequences), gapsOf(new Set([BASE - 1, ...numbersIn(list)])))
    }),
    {
      examples: [
        [
          [
            { from: BASE + 9, to: BASE + 9 },
            { from: BASE + 4, to: BASE + 5 },
            { from: BASE, to: BASE + 8 },
          ],
        ],
      ],
    },
  )
  t.end()
})

t.test('what the exchange lists and what came make the same holes, whichever is known first', t => {
  holds(
    t,
    fc.property(frames, frames, fc.array(fc.boolean(), { minLength: 80, maxLength: 80 }), (came, listed, dice) => {
      const sequences = new TradeSequences()
      sequences.see('A', BASE - 1, 1)
      const waiting = [came, listed].map(list => [...list])
      for (let turn = 0; waiting.some(({ length }) => length > 0); turn++) {
        const [first = [], second = []] = dice[turn % 80] === true ? waiting : [...waiting].reverse()
        const from = first.length > 0 ? first : second
        const range = from.shift()
        if (!range) continue
        if (from === waiting[0]) sequences.see('A', range.to, turn, range.from)
        else sequences.list('A', range, turn)
      }
      const cameNumbers = new Set([BASE - 1, ...numbersIn(came)])
      const all = new Set([...cameNumbers, ...numbersIn(listed)])
      const wanted = Array.from({ length: Math.max(...all) - BASE + 1 }, (_, at) => BASE + at)
      assert.deepEqual(
        holeNumbers(sequences),
        wanted.filter(number => !cameNumbers.has(number)),
      )
    }),
  )
  t.end()
})

t.test('what earlier runs recorded and what came since: the holes lie in and between them, in whatever order', t => {
  holds(
    t,
    fc.property(frames, frames, fc.boolean(), (before, since, isRememberedFirst) => {
      // Numbers only count up: those of the earlier run are all lower.
      const earlier = before.map(({ from, to }) => ({ from: from - 100, to: to - 100 }))
      const recorded = new SeqRanges()
      for (const { from, to } of earlier) recorded.add(from, to)
      const sequences = new TradeSequences()
      const remember = () => sequences.remember('A', recorded, SECOND_US, 2 * SECOND_US)
      const [first = { from: BASE, to: BASE }, ...others] = [...since].sort((a, b) => a.from - b.from)
      if (isRememberedFirst) remember()
      sequences.see('A', first.to, 3 * SECOND_US, first.from)
      if (!isRememberedFirst) remember()
      for (const { from, to } of others) sequences.see('A', to, 3 * SECOND_US, from)
      assert.deepEqual(holeNumbers(sequences), gapsOf(new Set([...numbersIn(earlier), ...numbersIn(since)])))
    }),
  )
  t.end()
})

t.test('a hole is taken once its time has come, and trades that come behind that are not missed a second time', t => {
  holds(
    t,
    fc.property(frames, fc.integer({ min: 0, max: 40 }), (list, takenAfter) => {
      const sequences = new TradeSequences()
      sequences.see('A', BASE - 1, 0)
      const taken: number[] = []
      const came = new Set([BASE - 1])
      for (const [at, { from, to }] of list.entries()) {
        sequences.see('A', to, at, from)
        for (const number of numbersIn([{ from, to }])) came.add(number)
        if (at !== takenAfter) continue
        const holes = sequences.takeHoles(at)
        assert.ok(holes.every(({ fromUs, toUs }) => fromUs <= toUs && toUs <= at))
        taken.push(...numbersIn(holes))
        assert.deepEqual(sequences.takeHoles(at), [], 'each once')
      }
      const rest = holeNumbers(sequences)
      assert.deepEqual([...new Set([...taken, ...rest])].length, taken.length + rest.length, 'no number in two holes')
      for (const gap of gapsOf(came)) assert.ok(taken.includes(gap) || rest.includes(gap), `${gap} is asked for`)
      for (const number of rest) assert.ok(!came.has(number), `${number} came before it was asked for`)
    }),
  )
  t.end()
})

t.test('numbers that are passed are counted once, whatever copies come', t => {
  holds(
    t,
    fc.property(frames, list => {
      const sequences = new TradeSequences()
      const ordered = [...list].sort((a, b) => a.to - b.to)
      for (const { from, to } of [...ordered, ...ordered, ...list]) sequences.see('A', to, 1, from)
      const [first] = ordered
      assert.equal(sequences.passed, (ordered.at(-1)?.to ?? 0) - (first?.from ?? 0) + 1)
    }),
  )
  t.end()
})
