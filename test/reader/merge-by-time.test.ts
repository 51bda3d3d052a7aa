import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { LineFrame } from '../../reader/frame.js'
import { mergeByTime, type MergeInput } from '../../reader/merge-by-time.js'
import { holds } from '../fixtures/holds.js'

const name = { exchange: 'deribit', channel: 'quote', startedMs: 0, host: 'h', number: 1 }
const block = Buffer.from('{}')

const frameOf = (recvUs: number, run: string, conn: string, seq: number) =>
  new LineFrame(block, 0, block.length, { recvUs, conn, seq, encoding: 'frame', payloadFrom: 0 }, { ...name, run })

const keyOf = ({ recvUs, conn, seq, segment }: LineFrame) => [recvUs, segment?.run ?? '', conn, seq] as const
const textOf = (frame: LineFrame) => keyOf(frame).join(' ')

/** By time; of one moment as it is documented: by run, connection and count. */
function inOrder(one: LineFrame, other: LineFrame): number {
  const [a, b] = [keyOf(one), keyOf(other)]
  for (const [place, value] of a.entries()) {
    const against = b[place] as typeof value
    if (value !== against) return value < against ? -1 : 1
  }
  return 0
}

/** Frames of two runs with two connections each, times that repeat, told to the segments of some families. */
const recording = fc
  .record({
    steps: fc.array(
      fc.record({
        us: fc.constantFrom(0, 0, 1, 2, 50),
        run: fc.constantFrom('r1', 'r2'),
        conn: fc.constantFrom('d1', 'd2'),
        segment: fc.nat({ max: 5 }),
      }),
      { maxLength: 120 },
    ),
    /** How long before its first frame a segment may begin, µs. */
    early: fc.array(fc.nat({ max: 30 }), { minLength: 12, maxLength: 12 }),
    blockFrames: fc.integer({ min: 1, max: 7 }),
  })
  .map(({ steps, early, blockFrames }) => {
    const segments = new Map<string, LineFrame[]>()
    const seqs = new Map<string, number>()
    let us = 1000
    for (const { us: later, run, conn, segment } of steps) {
      us += later
      const seq = (seqs.get(run + conn) ?? 0) + 1
      seqs.set(run + conn, seq)
      const key = `${run} ${segment}`
      segments.set(key, [...(segments.get(key) ?? []), frameOf(us, run, conn, seq)])
    }
    return [...segments.values()]
      .map((frames, at) => ({ frames: frames.sort(inOrder), early: early[at] ?? 0, blockFrames }))
      .map(segment => ({ ...segment, notBeforeUs: (segment.frames[0]?.recvUs ?? 0) - segment.early }))
      .sort((a, b) => a.notBeforeUs - b.notBeforeUs)
  })

/** Segments that tell when they are opened and closed. */
class Watched {
  readonly open = new Map<number, LineFrame[]>()
  opened = 0

  inputsOf(segments: readonly { frames: LineFrame[]; notBeforeUs: number; blockFrames: number }[]): MergeInput[] {
    return segments.map(({ frames, notBeforeUs, blockFrames }, at) => ({
      notBeforeUs,
      open: () => {
        for (const others of this.open.values())
          assert.ok((others.at(-1)?.recvUs ?? 0) >= notBeforeUs, 'what was over by then is closed')
        this.opened++
        this.open.set(at, frames)
        return this.#blocks(at, frames, blockFrames)
      },
    }))
  }

  *#blocks(at: number, frames: LineFrame[], size: number): Generator<LineFrame[], void> {
    try {
      yield []
      for (let from = 0; from < frames.length; from += size) {
        yield frames.slice(from, from + size)
        if (from % 2 === 0) yield []
      }
    } finally {
      this.open.delete(at)
    }
  }
}

t.test('frames of all segments come once, in the order of time, and nothing is open that is over', t => {
  holds(
    t,
    fc.property(recording, segments => {
      const watched = new Watched()
      const merged = [...mergeByTime(watched.inputsOf(segments))].flat()
      const wanted = segments.flatMap(({ frames }) => frames).sort(inOrder)
      assert.deepEqual(merged.map(textOf), wanted.map(textOf))
      assert.equal(watched.opened, segments.length)
      assert.equal(watched.open.size, 0)
    }),
    { numRuns: 300 },
  )
  t.end()
})

t.test('whoever ends early leaves nothing open', t => {
  holds(
    t,
    fc.property(recording, fc.nat({ max: 20 }), (segments, batches) => {
      const watched = new Watched()
      const merged = mergeByTime(watched.inputsOf(segments))
      for (let batch = 0; batch < batches; batch++) if (merged.next().done === true) break
      merged.return()
      assert.equal(watched.open.size, 0)
    }),
  )
  t.end()
})

t.test('where a clock was set back within a segment, each frame still comes once, in the order of its segment', t => {
  const times = fc.array(fc.integer({ min: 100, max: 130 }), { maxLength: 20 })
  holds(
    t,
    fc.property(fc.array(times, { maxLength: 5 }), lists => {
      const segments = lists.map((list, at) => {
        const frames = list.map((us, index) => frameOf(us, `r${at}`, 'd1', index + 1))
        return { frames, notBeforeUs: 100, blockFrames: 3 }
      })
      const merged = [...mergeByTime(new Watched().inputsOf(segments))].flat()
      assert.equal(merged.length, lists.flat().length)
      for (const [at, { frames }] of segments.entries())
        assert.deepEqual(merged.filter(({ segment }) => segment?.run === `r${at}`).map(textOf), frames.map(textOf))
    }),
  )
  t.end()
})

t.test('batches are bounded, and a segment that fails is an error while the others are closed', t => {
  const many = { frames: Array.from({ length: 3000 }, (_, at) => frameOf(at, 'r1', 'd1', at + 1)), notBeforeUs: 0, blockFrames: 2500 } // prettier-ignore
  const sizes = [...mergeByTime(new Watched().inputsOf([many]))].map(batch => batch.length).filter(size => size > 0)
  t.same(sizes, [1024, 1024, 952])
  const watched = new Watched()
  const failing: MergeInput = {
    notBeforeUs: 5,
    open: () => {
      throw new Error('the disk cannot read it')
    },
  }
  t.throws(() => [...mergeByTime([...watched.inputsOf([many]), failing])], /cannot read it/)
  t.equal(watched.open.size, 0)
  t.end()
})
