import t from 'tap'
import { createLogger } from '../../platform/log.js'
import { clockFacts } from '../../recorder/clock-facts.js'
import { Complaints } from '../../recorder/complaints.js'
import { ReceiveClock } from '../../recorder/receive-clock.js'
import type { FamilyCount } from '../../recorder/frame-router.js'
import { matchAll } from '../fixtures/match-all.js'

interface Entry {
  event: string
  [fact: string]: unknown
}

function scene() {
  const journal: Entry[] = []
  const time = { ms: 0 }
  const router = {
    counts: new Map<string, FamilyCount>(),
    journal: (event: string, facts: object = {}) => void journal.push({ event, ...facts }),
  }
  return { journal, time, router, log: createLogger('test'), nowUs: () => time.ms * 1000 }
}

t.test('a thousand equal complaints are one entry and a count', t => {
  const { journal, time, router, log, nowUs } = scene()
  const complaints = new Complaints(router, log, nowUs, () => time.ms)
  for (let n = 0; n < 1000; n++) {
    complaints.report({ event: 'connect_failed', message: `refused after ${n} ms`, facts: { conn: 'd1' } })
    time.ms += 10
  }
  complaints.report({ event: 'connect_failed', message: 'something else' })
  complaints.tick()
  matchAll(t, journal, [{ message: 'refused after 0 ms', conn: 'd1' }, { message: 'something else' }])
  time.ms = 70_000
  complaints.tick()
  t.match(journal[2], { event: 'repeated', of: 'connect_failed', count: 999, from_us: 10_000, to_us: 9_990_000 })
  complaints.report({ event: 'connect_failed', message: 'refused after 7 ms' })
  complaints.close()
  matchAll(t, journal.slice(3), [{ event: 'repeated', count: 1 }], 'what was counted is told at the end')
  t.end()
})

t.test('clocks: drift since the last minute, and the exchange', t => {
  const clocks = { wall: 1_000_000_000, monotonic: 0 }
  const clock = new ReceiveClock({ wallUs: () => clocks.wall, monotonicUs: () => clocks.monotonic })
  clocks.monotonic += 60_000_000
  clocks.wall += 60_000_250
  t.same(clockFacts(clock, { offsetUs: -40, roundTripUs: 900 }), {
    offset_us: 250,
    drift_us: 250,
    exchange_offset_us: -40,
    round_trip_us: 900,
  })
  clocks.monotonic += 60_000_000
  clocks.wall += 59_999_900
  t.match(clockFacts(clock, undefined), { offset_us: 150, drift_us: -100, exchange_offset_us: null })
  const stamps = clock.stamps()
  const before = stamps.nowUs()
  clocks.wall -= 5_000_000
  t.ok(clock.checkForStep() < 0)
  t.ok(clock.nowUs() < before)
  t.ok(stamps.nowUs() >= before, 'stamps of one connection never go back')
  t.end()
})
