/** Spans of time and ranges of numbers, against the sets of moments that they stand for. A failure prints its seed. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { addTo, groupBy } from '../../platform/group-by.js'
import { greatest, least } from '../../platform/extremes.js'
import { LineSplitter } from '../../platform/line-splitter.js'
import { SeqRanges } from '../../platform/seq-ranges.js'
import { clip, lengthUs, overlap, unionOf, without, type Span } from '../../platform/spans.js'
import { holds } from '../fixtures/holds.js'

const LAST = 40
const span = fc
  .tuple(fc.nat({ max: LAST }), fc.nat({ max: LAST }))
  .map(([a, b]): Span => ({ fromUs: Math.min(a, b), toUs: Math.max(a, b) }))
const spans = fc.array(span, { maxLength: 10 })

/** The whole µs of spans. */
const momentsOf = (spans: readonly Span[]) =>
  new Set(spans.flatMap(({ fromUs, toUs }) => Array.from({ length: toUs - fromUs }, (_, at) => fromUs + at)))
const sorted = (moments: Iterable<number>) => [...moments].sort((a, b) => a - b)

/** Each moment once, in order, and neighbours as one. */
function checkOrder(spans: readonly Span[]): void {
  for (const [at, { fromUs, toUs }] of spans.entries()) {
    assert.ok(fromUs <= toUs)
    assert.ok(fromUs >= (spans[at - 1]?.toUs ?? -Infinity))
  }
}

t.test('union, remainder, overlap and cut are those of the moments', t => {
  holds(
    t,
    fc.property(spans, spans, span, (spans, others, window) => {
      const [own, other] = [momentsOf(spans), momentsOf(others)]
      const union = unionOf(spans)
      checkOrder(union)
      assert.deepEqual(sorted(momentsOf(union)), sorted(own))
      assert.equal(lengthUs(union), own.size)
      for (const [at, { fromUs }] of union.entries())
        assert.ok(fromUs > (union[at - 1]?.toUs ?? -1), 'those that touch are one')

      const rest = without(spans, others)
      checkOrder(rest)
      assert.deepEqual(
        sorted(momentsOf(rest)),
        sorted(own).filter(moment => !other.has(moment)),
      )
      assert.ok(
        rest.every(({ fromUs, toUs }) => fromUs < toUs),
        'nothing of no length',
      )

      const both = overlap(spans, others)
      checkOrder(both)
      assert.deepEqual(
        sorted(momentsOf(both)),
        sorted(own).filter(moment => other.has(moment)),
      )
      assert.deepEqual(sorted(momentsOf(overlap(others, spans))), sorted(momentsOf(both)))

      assert.deepEqual(
        sorted(momentsOf(clip(spans, window))),
        sorted(own).filter(us => us >= window.fromUs && us < window.toUs),
      )
      assert.equal(lengthUs(rest) + lengthUs(both), own.size)
    }),
    { numRuns: 500 },
  )
  t.end()
})

t.test('spans without an end are those whose end is far away', t => {
  const far = 1e6
  const open = fc.array(fc.tuple(span, fc.boolean()), { maxLength: 6 })
  const toInfinity = (all: [Span, boolean][]) =>
    all.map(([span, isOpen]) => (isOpen ? { ...span, toUs: Infinity } : span))
  const toFar = (all: [Span, boolean][]) => all.map(([span, isOpen]) => (isOpen ? { ...span, toUs: far } : span))
  const named = (spans: readonly Span[]) =>
    spans.map(({ fromUs, toUs }) => ({ fromUs, toUs: toUs === far ? Infinity : toUs }))
  holds(
    t,
    fc.property(open, open, (one, other) => {
      for (const combine of [(a: Span[], b: Span[]) => unionOf([...a, ...b]), without, overlap])
        assert.deepEqual(combine(toInfinity(one), toInfinity(other)), named(combine(toFar(one), toFar(other))))
    }),
    { numRuns: 300 },
  )
  t.end()
})

t.test('what is combined is left as it was', t => {
  holds(
    t,
    fc.property(spans, spans, span, (spans, others, window) => {
      const before = structuredClone([spans, others, window])
      unionOf(spans)
      without(spans, others)
      overlap(spans, others)
      for (const part of clip(spans, window)) part.toUs++
      for (const part of unionOf(spans)) part.toUs++
      for (const part of without(spans, [])) part.toUs++
      assert.deepEqual([spans, others, window], before)
    }),
  )
  t.end()
})

t.test(
  'a set of numbers is the same, whichever ranges brought it, and one that ends before it begins brings nothing',
  t => {
    const range = fc
      .tuple(fc.nat({ max: LAST }), fc.integer({ min: -5, max: 8 }))
      .map(([from, more]) => ({ from, to: from + more }))
    holds(
      t,
      fc.property(fc.array(range, { maxLength: 20 }), range, (added, asked) => {
        const ranges = new SeqRanges()
        const set = new Set<number>()
        for (const { from, to } of added) {
          ranges.add(from, to)
          for (let number = from; number <= to; number++) set.add(number)
          assert.equal(ranges.count, set.size)
        }
        const all = ranges.ranges
        for (const [at, { from, to }] of all.entries())
          assert.ok(from <= to && from > (all[at - 1]?.to ?? -2) + 1, 'in order, none touch')
        const missing = ranges
          .missing(asked)
          .flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, at) => from + at))
        const wanted = Array.from({ length: Math.max(0, asked.to - asked.from + 1) }, (_, at) => asked.from + at)
        assert.deepEqual(
          missing,
          wanted.filter(number => !set.has(number)),
        )
      }),
      { numRuns: 500 },
    )
    t.end()
  },
)

t.test('lines are the same, however the stream was cut, and outlive the memory that they came in', t => {
  holds(
    t,
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 12 })),
      fc.array(fc.nat({ max: 20 }), { maxLength: 30 }),
      (parts, cuts) => {
        const stream = Buffer.concat(parts.flatMap((part, at) => (at % 2 === 0 ? [part] : [part, Buffer.from('\n')])))
        const splitter = new LineSplitter()
        const lines: Buffer[] = []
        // One piece of memory for all chunks, as a decoder has.
        const memory = Buffer.alloc(Math.max(1, stream.length))
        let at = 0
        for (const length of [...cuts, stream.length]) {
          const chunk = memory.subarray(0, stream.copy(memory, 0, at, Math.min(at + length, stream.length)))
          lines.push(...splitter.split(chunk))
          memory.fill(0xaa)
          at = Math.min(at + length, stream.length)
        }
        const expected = stream.toString('latin1').split('\n')
        assert.equal(splitter.rest.toString('latin1'), expected.pop())
        assert.deepEqual(
          lines.map(line => line.toString('latin1')),
          expected,
        )
      },
    ),
    { numRuns: 200 },
  )
  t.end()
})

t.test('groups hold all items in their order, by keys in the order in which they came', t => {
  holds(
    t,
    fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'b', '__proto__', ''), fc.nat())), items => {
      const groups = groupBy(items, ([key]) => key)
      assert.deepEqual([...groups.keys()], [...new Set(items.map(([key]) => key))])
      for (const [key, group] of groups)
        assert.deepEqual(
          group,
          items.filter(item => item[0] === key),
        )
      addTo(groups, 'a', ['a', -1])
      assert.deepEqual(groups.get('a')?.at(-1), ['a', -1])
    }),
  )
  holds(
    t,
    fc.property(fc.array(fc.double({ noNaN: true })), values => {
      assert.equal(least(values), Math.min(...values))
      assert.equal(greatest(values.values()), Math.max(...values))
    }),
  )
  t.end()
})
