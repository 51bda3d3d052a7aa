/** How long a family rests, learned from what all of its connections brought, and what is made of their pauses. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { FamilyFlow, Flows } from '../../recorder/connection/family-flow.js'
import { PAUSE_US, Rhythm } from '../../recorder/connection/rhythm.js'
import { holds } from '../fixtures/holds.js'

const SECOND_US = 1_000_000
const frame = Buffer.from('{}')

/** Frames at these seconds, then what is learned of them. */
function heardAt(seconds: readonly number[], wasWhole: (fromS: number, toS: number) => boolean = () => true) {
  const rhythm = new Rhythm()
  const flow = new FamilyFlow(rhythm)
  for (const at of seconds) {
    flow.heard(at * SECOND_US, frame)
    rhythm.learn(({ fromUs, toUs }) => wasWhole(fromUs / SECOND_US, toUs / SECOND_US))
  }
  return { rhythm, flow }
}

const each = (stepS: number, count: number, fromS = 1) => Array.from({ length: count }, (_, n) => fromS + stepS * n)

t.test('nothing is known before thirty frames over three seconds', t => {
  t.equal(heardAt(each(0.05, 200)).rhythm.limitUs, 2 * SECOND_US)
  t.equal(heardAt(each(0.5, 29)).rhythm.limitUs, undefined, 'too few')
  t.equal(heardAt(each(0.05, 50)).rhythm.limitUs, undefined, 'too soon')
  t.notOk(heardAt(each(0.05, 50)).rhythm.isDense)
  t.equal(heardAt([]).rhythm.limitUs, undefined)
  t.end()
})

t.test('three times the longest rest, but no less than two seconds', t => {
  for (const [restS, limitS, isDense] of [
    [0.5, 2, true],
    [0.7, 2.1, true],
    [5, 15, true],
    [5.1, 15.3, false],
    [60, 180, false],
  ] as const) {
    const { rhythm } = heardAt([...each(0.1, 60), ...each(0.1, 60, 6.9 + restS)])
    t.ok(Math.abs((rhythm.limitUs ?? 0) - limitS * SECOND_US) < 1000, `${restS} s: ${rhythm.limitUs}`)
    t.equal(rhythm.isDense, isDense, `${restS} s`)
  }
  t.end()
})

t.test('of a pause in which a connection was down nothing is learned', t => {
  const seconds = [...each(0.1, 60), ...each(0.1, 60, 20), ...each(0.1, 60, 30)]
  t.ok((heardAt(seconds).rhythm.limitUs ?? 0) > 30 * SECOND_US)
  const { rhythm } = heardAt(seconds, fromS => fromS > 10)
  t.ok((rhythm.limitUs ?? Infinity) < 13 * SECOND_US, 'only of the second one')
  t.end()
})

t.test('a long rest is forgotten within an hour, and one that was a loss at once', t => {
  const dense = (fromS: number, toS: number) => each(0.5, 2 * (toS - fromS), fromS)
  const now = heardAt([...dense(1, 60), ...dense(90, 100)]).rhythm
  t.ok((now.limitUs ?? 0) > 80 * SECOND_US)
  // Rests of 0.7 s, each of which is looked at.
  const later = heardAt([...dense(1, 60), ...dense(90, 100), ...each(0.7, 9000, 101)]).rhythm
  t.ok((later.limitUs ?? Infinity) < 3 * SECOND_US, `${later.limitUs}`)
  const loss = heardAt([...dense(1, 60), ...dense(90, 100)]).rhythm
  loss.forget(SECOND_US)
  t.equal(loss.limitUs, 3 * SECOND_US)
  loss.forget(5 * SECOND_US)
  t.equal(loss.longestUs, SECOND_US, 'forgetting makes nothing longer')
  t.end()
})

t.test('what the clock was set by is no rest', t => {
  for (const stepS of [3600, -3600]) {
    const { rhythm, flow } = heardAt(each(0.1, 100))
    flow.heard(11.6 * SECOND_US, frame)
    flow.shift(stepS * SECOND_US)
    rhythm.shift(stepS * SECOND_US)
    flow.heard((11.7 + stepS) * SECOND_US, frame)
    rhythm.learn(() => true)
    t.equal(rhythm.limitUs, 2 * SECOND_US, `${stepS} s`)
    t.same(flow.takePauses(), [])
  }
  t.end()
})

t.test(
  'whatever comes when, limits are never below the longest rest that was learned, and pauses tell of all time',
  t => {
    const gapMs = fc.oneof(
      fc.integer({ min: 0, max: 500 }),
      fc.integer({ min: 500, max: 700 }),
      fc.integer({ min: 700, max: 20_000 }),
    )
    holds(t, fc.property(fc.array(gapMs, { minLength: 1, maxLength: 60 }), gaps => {
      const rhythm = new Rhythm()
      const flow = new FamilyFlow(rhythm)
      let atUs = SECOND_US
      let longestUs = 0
      flow.heard(atUs, frame)
      flow.takePauses()
      for (const ms of gaps) {
        const fromUs = atUs
        atUs += 1000 * ms
        flow.heard(atUs, frame)
        rhythm.learn(() => true)
        const isPause = 1000 * ms > PAUSE_US
        if (isPause) longestUs = Math.max(longestUs, 1000 * ms)
        assert.deepEqual(flow.takePauses().map(({ fromUs, toUs }) => [fromUs, toUs]), isPause ? [[fromUs, atUs]] : [])
        assert.equal(rhythm.longestUs, longestUs)
        const { limitUs } = rhythm
        assert.ok(limitUs === undefined || limitUs >= 3 * longestUs)
        assert.equal(flow.lastUs, atUs)
      }
      assert.equal(flow.frames, gaps.length + 1)
    }),
    { numRuns: 150 },
  ) // prettier-ignore
    t.end()
  },
)

t.test('the first frame behind a moment, which no look has passed', t => {
  const flow = new FamilyFlow(new Rhythm())
  t.equal(flow.firstUsAfter(0), Infinity)
  for (const at of [1, 1.1, 5, 5.1, 9]) flow.heard(at * SECOND_US, frame)
  for (const [after, first] of [
    [0, 1],
    [1.1, 5],
    [3, 5],
    [5.1, 9],
    [9, Infinity],
  ] as const)
    t.equal(flow.firstUsAfter(after * SECOND_US), first * SECOND_US, `behind ${after} s`)
  t.equal(flow.firstUsAfter(5 * SECOND_US), 9 * SECOND_US, 'one that came closely is told by the last of all')
  t.end()
})

t.test('what pauses without end fills no memory, and the families of a connection are one by one', t => {
  const flows = new Flows(() => new Rhythm())
  for (let n = 1; n <= 500; n++) flows.heard('quote', 2 * n * SECOND_US, frame)
  t.equal(flows.of('quote').takePauses().length, 50)
  t.equal(flows.of('quote').takePauses().length, 0)
  t.equal(flows.lastUsOf(['trades']), -Infinity)
  t.equal(flows.lastUsOf(['trades', 'quote']), 1000 * SECOND_US)
  t.equal(flows.lastUsOf([]), -Infinity)
  flows.shift(-SECOND_US)
  t.equal(flows.of('quote').lastUs, 999 * SECOND_US)
  t.equal(flows.of('trades').lastUs, -Infinity, 'never is never, whatever the clock')
  t.end()
})
