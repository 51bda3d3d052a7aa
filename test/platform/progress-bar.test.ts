import t from 'tap'
import { secondsLeft } from '../../platform/progress-bar.js'

t.test('the time left of long work', async t => {
  t.equal(secondsLeft(10, 20, 40), 20, 'as long as those before took')
  t.equal(secondsLeft(1, 3, 1), 1, 'rounded up')
  t.equal(secondsLeft(5, 0, 7), 0, 'nothing is known before the first')
  t.equal(secondsLeft(5, 7, 0), 0)
})
