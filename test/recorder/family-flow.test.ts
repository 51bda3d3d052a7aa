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
