import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { Doubt } from '../../../formats/journal/doubts.js'
import { BookBuilder } from '../../../reader/book/book-builder.js'
import { BookTimeline, concerns } from '../../../reader/book/timeline.js'
import { holds } from '../../fixtures/holds.js'

const CHANNEL = 'book.BTC-PERPETUAL.100ms'
const doubtAt = (sinceUs: number, whose: Partial<Doubt> = {}): Doubt => ({
  ...{ sinceUs, host: undefined, conn: undefined, channels: undefined, because: 'nobody listened', ...whose },
})

/** Times at which a frame came, each a snapshot, and those of doubts. */
const times = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 12 }).map(list => list.sort((a, b) => a - b))

t.test('a book is looked at once at each moment, as it stood by the frames up to it and the doubts before it', t => {
  const moments = fc.record({
    fromUs: fc.integer({ min: 0, max: 20 }),
    toUs: fc.integer({ min: 0, max: 45 }),
    everyUs: fc.integer({ min: 1, max: 9 }),
  })
  holds(
    t,
    fc.property(times, times, moments, (frames, doubts, moments) => {
      const looks: [atUs: number, isKnown: boolean][] = []
      const builder = new BookBuilder()
      const look = (atUs: number) => looks.push([atUs, builder.isKnown])
      const timeline = new BookTimeline(builder, CHANNEL, doubts.map(us => doubtAt(us)), moments, look) // prettier-ignore
      for (const [at, recvUs] of frames.entries()) {
        while (!timeline.advance(recvUs));
        builder.begin({ recvUs, exchangeMs: 1, source: 'h/d1', isSnapshot: true, changeId: at + 1, prevChangeId: undefined }) // prettier-ignore
      }
      while (!timeline.end());
      const wanted: [number, boolean][] = []
      for (let at = moments.fromUs; at < moments.toUs; at += moments.everyUs) {
        const last = frames.findLast(us => us <= at)
        wanted.push([at, last !== undefined && !doubts.some(us => us >= last && us < at)])
      }
      assert.deepEqual(looks, wanted)
    }),
    { numRuns: 500 },
  )
  t.end()
})

t.test('many moments between two frames are looked at in several goes, none left out', t => {
  const looks: number[] = []
  const moments = { fromUs: 0, toUs: 10_000, everyUs: 1 }
  const timeline = new BookTimeline(new BookBuilder(), CHANNEL, [], moments, atUs => looks.push(atUs))
  let goes = 1
  while (!timeline.advance(9_999)) goes++
  t.ok(goes > 1, `${goes} goes`)
  t.equal(looks.length, 9_999)
  t.ok(timeline.end())
  t.same([looks.length, looks.every((us, at) => us === at)], [10_000, true])
  t.end()
})

t.test('a doubt is about the books of whom it names', t => {
  for (const [whose, source, channel, isAbout] of [
    [{}, 'vps1/d1', CHANNEL, true],
    [{ host: 'vps1' }, 'vps1/d1', CHANNEL, true],
    [{ host: 'vps1' }, 'vps2/d1', CHANNEL, false],
    [{ conn: 'd1' }, 'vps1/d1', CHANNEL, true],
    [{ conn: 'd1' }, 'vps1/d1.http', CHANNEL, true],
    [{ conn: 'd1' }, 'vps1/d12', CHANNEL, false],
    [{ conn: 'd1' }, 'vps1/d2', CHANNEL, false],
    [{ channels: [CHANNEL] }, 'vps1/d1', CHANNEL, true],
    [{ channels: [] }, 'vps1/d1', CHANNEL, false],
    [{ channels: ['book.ETH-PERPETUAL.100ms'] }, 'vps1/d1', CHANNEL, false],
    [{ host: 'vps1', conn: 'd1', channels: [CHANNEL] }, 'vps1/d1', CHANNEL, true],
    [{ host: '' }, '/d1', CHANNEL, true],
  ] as const)
    t.equal(concerns(doubtAt(1, whose), source, channel), isAbout, JSON.stringify([whose, source, channel]))
  t.end()
})

t.test('only doubts about the source that brought the book take it away', t => {
  const seen = (doubt: Doubt) => {
    const builder = new BookBuilder()
    const timeline = new BookTimeline(builder, CHANNEL, [doubt], { fromUs: 20, toUs: 21, everyUs: 1 }, () => undefined)
    timeline.advance(5)
    builder.begin({ recvUs: 5, exchangeMs: 1, source: 'vps1/d1', isSnapshot: true, changeId: 1, prevChangeId: undefined }) // prettier-ignore
    timeline.end()
    return builder.isKnown
  }
  t.notOk(seen(doubtAt(10)))
  t.ok(seen(doubtAt(10, { conn: 'd2' })), 'of another connection')
  t.ok(seen(doubtAt(10, { channels: ['book.ETH-PERPETUAL.100ms'] })), 'of another channel')
  t.ok(seen(doubtAt(4)), 'before the snapshot came')
  t.ok(seen(doubtAt(30)), 'behind all that was asked')
  t.end()
})
