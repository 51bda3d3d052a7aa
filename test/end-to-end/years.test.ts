/** The short form of `npm run bench years`: of the calls alone, which no busy machine changes. */
import t from 'tap'
import { costsOfYears } from '../../bench/years/main.js'
import { needs } from '../fixtures/needs.js'

// Mostly waits.

/**
 * What has to do with the days around a moment may find two more of them, and segments of the day before that may reach to
 * midnight; what starts writes files of its own.
 */
const MOST = [
  { name: 'ready view, one moment', times: 4 },
  { name: 'recorder, start', times: 1.2 },
  { name: 'status', times: 1.1 },
  { name: 'coverage --date', times: 2 },
]

t.test('ten days cost what one costs', { timeout: 300_000 }, async t => {
  if (!needs(t, 'strace')) return
  const only = new RegExp(`^(?:${MOST.map(({ name }) => name).join('|')})$`)
  const { costs } = await costsOfYears({ days: [1, 10], hours: 2, only, callsOnly: true })
  for (const { name, times } of MOST) {
    const [one = NaN, ten = NaN] = (costs.get(name) ?? []).map(({ calls }) => calls ?? NaN)
    t.ok(ten <= times * one + 500, `${name}: ${one} calls with one day, ${ten} with ten`)
  }
})
