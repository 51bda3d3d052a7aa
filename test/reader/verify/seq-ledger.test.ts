import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { missingSegments, numbersText } from '../../../reader/verify/raw/missing-segments.js'
import { SeqLedger, type SeqHole, type TimeTurn } from '../../../reader/verify/raw/seq-ledger.js'
import { holds } from '../../fixtures/holds.js'

const BLOCK = 4096

/** Receive time of a frame: three of each µs. */
const usOf = (seq: number) => 1_000_000 + Math.floor(seq / 3)

class Told {
  readonly holes: SeqHole[] = []
  readonly turns: TimeTurn[] = []
  hole = (hole: SeqHole) => this.holes.push(hole)
  turn = (turn: TimeTurn) => this.turns.push(turn)
}

/** Spans of numbers that nobody brings, wide or narrow, at the edges of blocks too. */
const gaps = fc.array(
  fc.tuple(
    fc.oneof(fc.nat({ max: 20_000 }), fc.constantFrom(0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK - 1)),
    fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 9000 })),
  ),
  { maxLength: 6 },
)

function holesOf(present: readonly boolean[]): [number, number][] {
  const holes: [number, number][] = []
  const last = present.lastIndexOf(true)
  for (let seq = 1; seq <= last; seq++) {
    if (present[seq]) continue
    const open = holes.at(-1)
    if (open?.[1] === seq - 1) open[1] = seq
    else holes.push([seq, seq])
  }
  return holes
}

t.test('exactly what nobody brought is told, once, between the times of what stands beside it', t => {
  holds(
    t,
    fc.property(
      gaps,
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 9000 }),
      (gaps, families, windowSeqs) => {
        const count = 20_000
        const present = Array.from({ length: count + 1 }, (_, seq) => seq > 0)
        for (const [from, length] of gaps) present.fill(false, Math.max(1, from), Math.min(count + 1, from + length))
        const [ledger, told] = [new SeqLedger('d1'), new Told()]
        // As families bring them: one after the other, for a while each; what is over is settled then.
        for (let from = 1; from <= count; from += windowSeqs) {
          ledger.settle(usOf(from), told)
          for (let family = 0; family < families; family++)
            for (let seq = from; seq < Math.min(from + windowSeqs, count + 1); seq++)
              if (present[seq] && seq % families === family) assert.ok(ledger.note(seq, usOf(seq)), `${seq} is new`)
        }
        ledger.settle(Infinity, told)
        assert.deepEqual(told.turns, [])
        const wanted = holesOf(present)
        assert.deepEqual(
          told.holes.map(({ fromSeq, toSeq }) => [fromSeq, toSeq]),
          wanted,
        )
        for (const { fromSeq, toSeq, fromUs, toUs } of told.holes) {
          assert.ok(fromUs <= (fromSeq === 1 ? Infinity : usOf(fromSeq - 1)), 'not after the frame before it')
          assert.ok(toUs >= usOf(toSeq + 1), 'not before the frame behind it')
        }
        assert.equal(ledger.frames, present.filter(Boolean).length)
      },
    ),
    { numRuns: 40 },
  )
  t.end()
})

t.test('a number that comes twice is told each further time, whether its block is full, open or settled', t => {
  const [ledger, told] = [new SeqLedger('d1'), new Told()]
  for (let seq = 1; seq <= 2 * BLOCK + 10; seq++) t.ok(ledger.note(seq, usOf(seq)) || seq < 0)
  for (const seq of [1, BLOCK, BLOCK + 1, 2 * BLOCK + 3]) t.notOk(ledger.note(seq, usOf(seq)), `${seq} again`)
  ledger.settle(Infinity, told)
  t.notOk(ledger.note(5, usOf(5)), 'of what was settled')
  t.notOk(ledger.note(0, 1), 'numbers begin with 1')
  t.same(told.holes, [])
  t.end()
})

t.test('receive times that go back from one block to a later one are told, from where and to where', t => {
  const [ledger, told] = [new SeqLedger('d1'), new Told()]
  for (let seq = 1; seq <= BLOCK; seq++) ledger.note(seq, 5_000_000 + seq)
  for (let seq = BLOCK + 1; seq <= BLOCK + 5; seq++) ledger.note(seq, 3_000_000)
  ledger.settle(Infinity, told)
  t.same(told.turns, [{ conn: 'd1', seq: BLOCK + 1, fromUs: 5_000_000 + BLOCK, toUs: 3_000_000 }])
  t.end()
})

t.test('where so much is missing that it does not fit, nothing is told in place of something wrong', t => {
  const [ledger, told] = [new SeqLedger('d1'), new Told()]
  for (let block = 0; block <= 100_001; block++) ledger.note(block * BLOCK + 1, 1)
  t.ok(ledger.overflowed)
  ledger.settle(Infinity, told)
  t.same([told.holes, told.turns], [[], []])
  t.end()
})

const SLACK_US = 60_000_000
const SLOT_US = 3_600_000_000

t.test('each segment that is not here lies within a span that is told of it', t => {
  const run = fc.array(
    fc.record({ afterUs: fc.nat({ max: 2 * SLOT_US }), jitterUs: fc.nat({ max: SLACK_US }), isHere: fc.boolean() }),
    { maxLength: 30 },
  )
  holds(
    t,
    fc.property(run, fc.boolean(), (steps, mayFollow) => {
      let us = 1_790_000_000_000_000
      const all = steps.map(({ afterUs, jitterUs, isHere }, index) => {
        us += afterUs
        // A family's segment is named for its first frame, which may be stamped a little before others.
        const startedMs = Math.floor((us - jitterUs) / 1000)
        return { number: index + 1, startedMs, isHere }
      })
      const name = { exchange: 'deribit', channel: 'quote', host: 'h', run: 'r' }
      const here = all
        .filter(({ isHere }) => isHere)
        .map(({ number, startedMs }) => ({ path: '', isOpen: false, bytes: 1, name: { ...name, number, startedMs } }))
      const missing = missingSegments(here.reverse(), { slotUs: SLOT_US, long: new Map() }, mayFollow)
      const last = Math.max(0, ...here.map(({ name }) => name.number))
      const told = missing.flatMap(({ fromNumber, toNumber }) =>
        toNumber === Infinity ? [] : Array.from({ length: toNumber - fromNumber + 1 }, (_, at) => fromNumber + at),
      )
      assert.deepEqual(
        told,
        all.filter(({ isHere, number }) => !isHere && number < last).map(({ number }) => number),
      )
      assert.equal(
        missing.some(({ toNumber }) => toNumber === Infinity),
        mayFollow,
      )
      for (const { number, startedMs } of all.filter(({ isHere }) => !isHere)) {
        const span = missing.find(({ fromNumber, toNumber }) => number >= fromNumber && number <= toNumber)
        if (!span) continue
        assert.ok(span.fromUs <= startedMs * 1000, `${numbersText(span)} begins before ${number}`)
        assert.ok(span.toUs >= startedMs * 1000 + SLOT_US, `${numbersText(span)} ends behind ${number}`)
      }
    }),
    { numRuns: 200 },
  )
  t.end()
})

t.test('a segment that went on beyond its slot is missing as long as the journal says', t => {
  const name = { exchange: 'deribit', channel: 'trades', host: 'h', run: 'r', number: 2, startedMs: 1_790_000_000_000 }
  const toUs = name.startedMs * 1000 + 6 * SLOT_US
  const long = new Map([[2, { name, toUs }]])
  const of = (...numbers: number[]) =>
    missingSegments(numbers.map(number => ({ path: '', isOpen: false, bytes: 1, name: { ...name, number } })), { slotUs: SLOT_US, long }, false) // prettier-ignore
  t.ok(of(1, 3).some(({ fromNumber, toNumber, toUs: end }) => fromNumber <= 2 && toNumber >= 2 && end >= toUs))
  t.same(of(1, 2, 3), [], 'it is here')
  t.equal(numbersText({ fromNumber: 2, toNumber: 2, fromUs: 0, toUs: 1 }), 'segment 2')
  t.equal(numbersText({ fromNumber: 2, toNumber: 4, fromUs: 0, toUs: 1 }), 'segments 2 to 4')
  t.equal(numbersText({ fromNumber: 2, toNumber: Infinity, fromUs: 0, toUs: 1 }), 'segments 2 and later')
  t.end()
})
