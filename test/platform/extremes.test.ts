import t from 'tap'
import { greatest, least } from '../../platform/extremes.js'

t.test('the extremes of a long list overflowed the stack', t => {
  const many = Array.from({ length: 500_000 }, (_, index) => index)
  t.throws(() => Math.max(...many), RangeError)
  t.equal(greatest(many), 499_999)
  t.equal(least(many), 0)
  t.equal(greatest([]), -Infinity)
  t.equal(least([]), Infinity)
  t.end()
})
