import t from 'tap'
import type { Shown } from '../../exchanges/shown.js'
import { FrameCounter, FrameRouter } from '../../recorder/frame-router.js'
import { Glances } from '../../recorder/glances.js'
import { BATCH_BYTES, LineBatch } from '../../recorder/line-batch.js'
import { ReceiveClock } from '../../recorder/receive-clock.js'
import type { Storage } from '../../recorder/storage/storage.js'

const SEARCHED_MAX = 1000
const START_MS = Date.UTC(2026, 10, 24)

function recording() {
  const storage: Pick<Storage, 'newBatch' | 'takeLine' | 'append'> = {
    newBatch: (group, fromUs, toUs) => new LineBatch(group, fromUs, toUs, Buffer.allocUnsafeSlow(BATCH_BYTES)),
    takeLine: () => false,
    append: () => undefined,
  }
  const router = new FrameRouter(storage as Storage, new ReceiveClock(), 60)
  const shown: Shown[] = ['BTC', 'ETH'].map(name => ({
    name,
    family: 'ticker',
    text: `"${name}"`,
    read: frame => ({ price: Number(/\d+/.exec(frame.toString())?.[0]) }),
  }))
  const glances = new Glances({ shown: () => shown }, router)
  const source = new FrameCounter('d1')
  const take = (name: string, price: number) =>
    router.take('ticker', source, START_MS * 1000, Buffer.from(`{"name":"${name}","price":${price}}`))
  const prices = () => glances.all().map(({ name, price }) => [name, price])
  return { glances, take, prices }
}

t.test('the first frame of each thing behind a look is shown at the next one', t => {
  const { glances, take, prices } = recording()
  take('SOL', 1)
  glances.look(START_MS)
  for (const [name, price] of [['SOL', 2], ['BTC', 3], ['BTC', 4], ['ETH', 5]] as const) take(name, price) // prettier-ignore
  t.same(prices(), [])
  glances.look(START_MS + 1000)
  t.same(prices(), [['BTC', 3], ['ETH', 5]]) // prettier-ignore
  take('ETH', 6)
  glances.look(START_MS + 2000)
  t.same(prices(), [['BTC', 3], ['ETH', 6]], 'what did not come anew is shown as it was') // prettier-ignore
  t.end()
})

t.test('what is rare is not sought in every frame of its family', t => {
  const { glances, take, prices } = recording()
  take('SOL', 1)
  glances.look(START_MS)
  for (let frame = 0; frame < SEARCHED_MAX; frame++) take('SOL', frame)
  take('BTC', 7)
  glances.look(START_MS + 1000)
  t.same(prices(), [], 'the thousand frames behind the look were searched')
  take('BTC', 8)
  glances.look(START_MS + 2000)
  t.same(prices(), [['BTC', 8]], 'the next look begins again')
  t.end()
})
