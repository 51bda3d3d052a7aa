import t from 'tap'
import { createWakeUp } from '../../compactor/watch.js'

/** Whether a promise is kept by the end of this turn. */
const isKept = async (promise: Promise<void>) => {
  let kept = false
  void promise.then(() => (kept = true))
  await new Promise(resolve => setImmediate(resolve))
  return kept
}

t.test('a call wakes whoever waits, and one that comes while nobody does is kept for the next, once', async t => {
  const { wake, woken } = createWakeUp()
  const first = woken()
  t.notOk(await isKept(first), 'nothing happened yet')
  wake()
  t.ok(await isKept(first))
  const second = woken()
  t.notOk(await isKept(second), 'what woke one is used up')
  wake()
  wake()
  t.ok(await isKept(second))
  wake()
  wake()
  t.ok(await isKept(woken()), 'it came while nobody waited')
  const third = woken()
  t.notOk(await isKept(third), 'twice while nobody waited is one look around')
  wake()
  t.ok(await isKept(third))
})
