import t from 'tap'
import { countText, tenthsText } from '../../platform/figures.js'

t.test('figures made by hand are those of Intl', t => {
  const whole = new Intl.NumberFormat('en-US')
  const tenths = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 })
  for (const value of [0, 7, 999, 1000, 12_345, 999_999, 1_234_567, 123_456_789_012, -1234])
    t.equal(countText(value), whole.format(value))
  for (const value of [0, 0.04, 0.96, 1.26, 999.96, 1234.5, 12_345.678, 1_000_000.31, -1234.5])
    t.equal(tenthsText(value), tenths.format(value))
  t.end()
})
