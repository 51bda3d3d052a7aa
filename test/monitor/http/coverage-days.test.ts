import t from 'tap'
import { CoverageDays } from '../../../monitor/http/coverage/days.js'
import { createLogger } from '../../../platform/log.js'

t.test('where there was always news of today, no other day was ever measured', async t => {
  const lists = { 'date=2026-11-28': {}, 'date=2026-11-27': {}, 'date=2026-11-26': {} }
  const days = new CoverageDays(t.testdir({ lists }), createLogger('test', 'silent'))
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
    ['2026-11-29', '2026-11-28', '2026-11-27', '2026-11-25', '2026-11-24', '2026-11-23'],
  )
  t.equal(days.before('2026-11-20'), null, 'somebody went back beyond the first day')
})

t.test('in a new dataDir each day before it took a process', async t => {
  const days = new CoverageDays(t.testdir(), createLogger('test', 'silent'))
  const { signal } = new AbortController()
  const nowMs = Date.parse('2026-11-29T12:00:00Z')
  for (let look = 0; look < 2; look++) {
    days.tick(nowMs + look * 1000, signal)
    await days.ended()
  }
  const all = days.all()
  t.same(
    all.map(({ date }) => date),
    ['29', '28', '27', '26', '25', '24', '23'].map(day => `2026-11-${day}`),
  )
  t.ok(all.every(({ isEmpty }) => isEmpty))
})
