import t from 'tap'
import { FamilyFlow } from '../../recorder/connection/family-flow.js'
import { Rhythm } from '../../recorder/connection/rhythm.js'

const SECOND_US = 1_000_000
const frame = Buffer.from('{}')

t.test(
  'a first frame before the answer to its subscription was taken for flow, and the other connection for silent',
  t => {
    const flow = new FamilyFlow(new Rhythm())
    flow.heard(10 * SECOND_US, frame)
    flow.subscribed(10.2 * SECOND_US)
    t.equal(flow.ownUs, -Infinity, 'the last state of the exchange, sent once on each subscription')
    flow.heard(11 * SECOND_US, frame)
    t.equal(flow.ownUs, -Infinity, 'as well right behind the answer')
    flow.heard(20 * SECOND_US, frame)
    t.equal(flow.ownUs, 20 * SECOND_US, 'what comes by itself')
    t.end()
  },
)

t.test('of a family that flows a subscription forgets some seconds', t => {
  const flow = new FamilyFlow(new Rhythm())
  for (let at = 0; at <= 200; at++) flow.heard((at * SECOND_US) / 10, frame)
  flow.subscribed(20.05 * SECOND_US)
  t.ok(flow.ownUs >= 12 * SECOND_US && flow.ownUs <= 17.05 * SECOND_US, String(flow.ownUs))
  t.equal(flow.lastUs, 20 * SECOND_US)
  t.end()
})

t.test('a rest of one connection is none of the family, as long as another one brings it', t => {
  const rhythm = new Rhythm()
  const [first, second] = [new FamilyFlow(rhythm), new FamilyFlow(rhythm)]
  const every100ms = (flow: FamilyFlow, from: number, to: number) => {
    for (let at = 10 * from; at <= 10 * to; at++) flow.heard((at * SECOND_US) / 10, frame)
  }
  const pauses: unknown[] = []
  const learned = () => {
    rhythm.learn(pause => pauses.push(pause) > 0)
    return pauses.splice(0)
  }
  every100ms(first, 1, 9)
  every100ms(second, 1, 5)
  second.heard(9 * SECOND_US, frame)
  t.same(learned(), [], 'the other one brought it meanwhile')
  t.equal(second.takePauses().length, 2, 'its own: before the first frame, and from 5 to 9 s')
  t.equal(rhythm.limitUs, 2 * SECOND_US)
  for (const flow of [second, first]) flow.heard(10 * SECOND_US, frame)
  t.same(learned(), [{ fromUs: 9 * SECOND_US, toUs: 10 * SECOND_US }], 'a rest of both, counted once')
  t.equal(rhythm.limitUs, 3 * SECOND_US)
  t.end()
})

t.test('of what answers a subscription nothing is taken for flow, before and after frames that came closely', t => {
  const flow = new FamilyFlow(new Rhythm())
  for (let at = 0; at < 99; at++) flow.heard((1 + at / 5) * SECOND_US, frame)
  flow.subscribed(21 * SECOND_US)
  for (let at = 0; at < 10; at++) flow.heard((21 + at / 5) * SECOND_US, frame)
  t.equal(flow.isKnown, false, '99 own frames, and 10 answers')
  flow.heard(24.1 * SECOND_US, frame)
  t.equal(flow.isKnown, true)
  t.equal(flow.ownUs, 24.1 * SECOND_US)
  t.end()
})
