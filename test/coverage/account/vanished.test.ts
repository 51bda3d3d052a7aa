/** Segments that someone removed, by the numbers of those that are left. A failure prints its seed. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { longSegments, suspectsOf } from '../../../coverage/account/vanished.js'
import { segmentPath, type SegmentName } from '../../../formats/raw-path.js'
import { segmentEndMs, segmentHourMs } from '../../../formats/segment-span.js'
import { journalEntry } from '../../fixtures/journal-entry.js'
import { holds } from '../../fixtures/holds.js'

const HOUR_MS = 3_600_000
/** Over midnight and the turn of a year. */
const BEGIN_MS = Date.UTC(2026, 11, 31, 22)
const RUN = { exchange: 'deribit', host: 'h1', run: 'r1' }
const FAMILIES = ['journal', 'trades', 'book']

/** A run of hours in which each family opens a segment, one after the other. */
const runOf = (hours: number): SegmentName[] =>
  Array.from({ length: hours * FAMILIES.length }, (_, at) => ({
    ...RUN,
    channel: FAMILIES[at % FAMILIES.length] ?? '',
    startedMs: BEGIN_MS + Math.floor(at / FAMILIES.length) * HOUR_MS + (at % FAMILIES.length) * 1000,
    number: at + 1,
  }))
const nothing = () => new Set<string>()

t.test('a segment that was removed was not missed where it was the first of its hour, or a whole hour was gone', t => {
  const found = (removed: readonly number[]) => {
    const left = runOf(4).filter(({ number }) => !removed.includes(number))
    return suspectsOf(left, nothing).map(({ name, span }) => [
      name.number,
      name.channel,
      (segmentHourMs({ startedMs: span.fromUs / 1000 }) - BEGIN_MS) / HOUR_MS,
    ])
  }
  t.same(found([]), [])
  t.same(found([5]), [[5, 'trades', 1]], 'in the middle of an hour')
  t.same(found([4]), [[4, 'journal', 1]], 'the first of an hour')
  t.same(found([6]), [[6, 'book', 1]], 'the last of an hour')
  t.same(new Set(found([4, 5, 6]).map(([, channel, hour]) => `${channel} ${hour}`)), new Set(['journal 1', 'trades 1', 'book 1'])) // prettier-ignore
  t.end()
})

t.test('whichever segments are removed, each is told of in its family and hour, and nothing while all are there', t => {
  const hours = fc.integer({ min: 1, max: 6 })
  holds(
    t,
    fc.property(hours, fc.array(fc.nat({ max: 17 }), { maxLength: 10 }), (hours, drawn) => {
      const all = runOf(hours)
      const removed = all.filter(({ number }) => drawn.includes(number - 1))
      const left = all.filter(one => !removed.includes(one))
      const suspects = suspectsOf(left, () => new Set(FAMILIES))
      const numbers = left.map(({ number }) => number)
      const [first, last] = [Math.min(...numbers), Math.max(...numbers)]
      for (const gone of removed) {
        // What no number follows, or none goes before, nobody can miss.
        if (gone.number < first || gone.number > last) continue
        // Nor a family of which nothing is left, where another one may have been it.
        if (!left.some(({ channel }) => channel === gone.channel)) continue
        const told = suspects.filter(({ name, span }) => {
          const isThen = segmentHourMs({ startedMs: span.fromUs / 1000 }) === segmentHourMs(gone)
          return name.channel === gone.channel && name.number === gone.number && isThen
        })
        assert.ok(told.length > 0, `${gone.number} of ${gone.channel}`)
      }
      for (const { name, span } of suspects) {
        assert.ok(
          removed.some(({ number }) => number === name.number),
          'a number that is missing',
        )
        assert.ok(span.fromUs < span.toUs && span.toUs <= segmentEndMs({ startedMs: span.fromUs / 1000 }) * 1000)
        const covering = left.filter(one => one.channel === name.channel && segmentHourMs(one) === segmentHourMs({ startedMs: span.fromUs / 1000 })) // prettier-ignore
        assert.deepEqual(covering, [], 'nothing of which a segment is there')
      }
    }),
    { numRuns: 300 },
  )
  t.end()
})

t.test('a family that is gone altogether is told of, as far as its run had channels of it', t => {
  const left = runOf(2).filter(({ channel }) => channel !== 'trades')
  const told = suspectsOf(left, () => new Set(FAMILIES)).map(({ name }) => [name.number, name.channel])
  t.same(told, [[2, 'trades'], [5, 'trades']]) // prettier-ignore
  t.same(suspectsOf(left, nothing), [], 'that nobody subscribed')
  const two = runOf(1).filter(({ number }) => number === 1 || number === 4)
  t.same(suspectsOf([...two, { ...RUN, channel: 'journal', startedMs: BEGIN_MS + 5000, number: 4 }], () => new Set(FAMILIES)).map(({ name }) => `${name.number} ${name.channel}`).sort(), ['2 book', '2 trades', '3 book', '3 trades']) // prettier-ignore
  t.end()
})

t.test('a pause of weeks within a run costs no more than its ends', t => {
  const [one] = runOf(1)
  const later = { ...RUN, channel: 'book', startedMs: BEGIN_MS + 1000 * HOUR_MS, number: 5000 }
  const suspects = suspectsOf([one as SegmentName, { ...later, channel: 'trades', number: 2 }, later], nothing)
  t.ok(suspects.length <= 3 * 2 * 5000, `${suspects.length}`)
  t.end()
})

t.test('a segment of several hours is waited for as long as was told, or until the next of its group', t => {
  const name = (number: number, hour: number, channel = 'book'): SegmentName => ({
    ...RUN,
    channel,
    startedMs: BEGIN_MS + hour * HOUR_MS,
    ofDate: true,
    number,
  })
  const goesOn = (one: SegmentName, atHour: number, toHour: number) =>
    journalEntry({ recvUs: (BEGIN_MS + atHour * HOUR_MS) * 1000 }, 'goes_on', { path: segmentPath(one, 'open'), to_us: (BEGIN_MS + toHour * HOUR_MS) * 1000 }) // prettier-ignore
  const told = (entries: ReturnType<typeof goesOn>[], here: SegmentName[]) =>
    longSegments(entries, here).map(({ name, span }) => [name.number, (span.toUs / 1000 - BEGIN_MS) / HOUR_MS])
  const first = name(1, 0)
  t.same(told([goesOn(first, 0, 1)], []), [[1, 1]])
  t.same(told([goesOn(first, 0, 1), goesOn(first, 1, 2)], []), [[1, 2]], 'the last word counts')
  t.same(told([goesOn(first, 0, 2)], [name(2, 1)]), [[1, 1]], 'another of its group took its place')
  t.same(told([goesOn(first, 0, 2)], [name(2, 1, 'trades')]), [[1, 2]], 'one of another group did not')
  t.same(told([goesOn(first, 0, 2)], [name(2, 0)]), [], 'written anew under the next number')
  t.end()
})
