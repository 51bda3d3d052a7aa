import t from 'tap'
import { CoverageDays } from '../../../monitor/http/coverage/days.js'
import { createLogger } from '../../../platform/log.js'

t.test('where there was always news of today, no other day was ever measured', async t => {
  const days = new CoverageDays(t.testdir(), createLogger('test', 'silent'))
  const { signal } = new AbortController()
  const today = Date.parse('2026-11-29T12:00:00Z')
  for (let look = 0; look < 6; look++) {
    if (look === 3) t.equal(days.before('2026-11-20'), undefined, 'not known yet')
    days.hurry()
    days.tick(today + look * 10_000, signal)
    await days.ended()
  }
  t.same(
    days.all().map(({ date }) => date),
    ['2026-11-29', '2026-11-28', '2026-11-27'],
  )
  t.equal(days.before('2026-11-20'), null, 'somebody went back beyond the first day')
})
