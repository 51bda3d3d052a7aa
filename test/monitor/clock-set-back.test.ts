/** A machine whose clock was ahead, by hours or by years, until somebody set it: what was noted by then lies ahead. */
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { configSchema } from '../../config/schema.js'
import { Alerts } from '../../monitor/alerts/alerts.js'
import { conditionsOf, nothingSeen } from '../../monitor/alerts/conditions.js'
import { due, looked, noAlerts, delivered, type AlertState } from '../../monitor/alerts/state.js'
import { DailyWork } from '../../monitor/daily/daily-work.js'
import { dueMinutes } from '../../monitor/daily/scrub.js'
import { dueDate } from '../../monitor/http/coverage/days.js'
import { healthOf } from '../../monitor/observe/health.js'
import { lastSignMs } from '../../monitor/observe/last-sign.js'
import { isNear } from '../../platform/clock.js'
import { createLogger } from '../../platform/log.js'
import { limitsOf, seen, startMs, type Facts } from './alerts/fixtures/seen.js'

const YEARS_MIN = 4 * 365 * 24 * 60
const HOUR_MS = 3_600_000
const silent = createLogger('test', 'silent')

/** A look, with what it makes due told at once. */
function lookAt(state: AlertState, minute: number, facts: Facts, limits = limitsOf()) {
  const look = seen(minute, facts)
  let next = looked(state, look, limits)
  const alerts = due(next, limits, look.atMs)
  for (const alert of alerts) next = delivered(next, alert, look.atMs)
  return { state: next, told: alerts.map(({ what, key }) => `${what} ${key}`) }
}

t.test('messages of a clock that was years ahead used up what may be sent, until those years had passed', t => {
  const limits = limitsOf({ perHour: 1 })
  const ahead = lookAt(noAlerts, YEARS_MIN, { problemFiles: 1 }, limits)
  t.same(ahead.told, ['raised sync problems'])
  const at = lookAt(ahead.state, 0, { problemFiles: 1, freeGiB: 0.1 }, limits)
  t.same(at.told, [], 'as if the one of before had been sent just now')
  t.same(lookAt(at.state, 61, { problemFiles: 1, freeGiB: 0.1 }, limits).told, ['raised disk'])
  t.end()
})

t.test('what was well again by a clock that was ahead was never told to be so', t => {
  const bad = lookAt(noAlerts, YEARS_MIN, { freeGiB: 0.1 })
  const good = lookAt(bad.state, YEARS_MIN + 1, {})
  t.same(good.told, [])
  const back = lookAt(good.state, 0, {})
  t.same(lookAt(back.state, 4, {}).told, [], 'five good minutes by the clock that is right')
  t.same(lookAt(back.state, 5, {}).told, ['cleared disk'])
  t.end()
})

t.test('what lasts was told again only when the years had passed', t => {
  const limits = limitsOf({ repeatHours: 2 })
  const bad = lookAt(noAlerts, YEARS_MIN, { freeGiB: 0.1 }, limits)
  const back = lookAt(bad.state, 0, { freeGiB: 0.1 }, limits)
  t.same(back.told, [])
  t.same(lookAt(back.state, 119, { freeGiB: 0.1 }, limits).told, [])
  t.same(lookAt(back.state, 120, { freeGiB: 0.1 }, limits).told, ['still disk'])
  t.end()
})

t.test('a recorder that was started by a clock hours ahead was well for as long, whatever it brought', t => {
  const since = new Date(startMs + 8 * HOUR_MS).toISOString()
  const noDataOf = (facts: Facts) => {
    const look = seen(0, { since, ...facts })
    const condition = conditionsOf(look, limitsOf(), nothingSeen).find(({ key }) => key === 'no data')
    return [condition?.state, ...healthOf(look, 120_000).live]
  }
  t.same(noDataOf({ dataAgoS: 1 }), ['good'])
  t.same(noDataOf({ dataAgoS: 400 }), ['bad', 'no data for 400 s'])
  t.same(noDataOf({ dataAgoS: -8 * 3600 }), ['bad', 'no data for ever'], 'nothing came since the clock was set')
  t.end()
})

t.test('the last of several signs, and none of those that lie ahead', t => {
  t.equal(lastSignMs(1e12, []), 0)
  t.equal(lastSignMs(1e12, [undefined, 5, 7, 6]), 7)
  t.equal(lastSignMs(1e12, [5, 1e12 + 50]), 1e12 + 50, 'it was written between two looks')
  t.equal(lastSignMs(1e12, [5, 1e12 + HOUR_MS]), 5)
  t.end()
})

t.test('the watcher elsewhere was called no more, and raised the alarm', async t => {
  let calls = 0
  const server = createServer((_request, response) => {
    calls++
    response.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const dataDir = t.testdir()
  const pingFile = join(dataDir, 'ping')
  writeFileSync(pingFile, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  const config = configSchema.parse({ exchange: { name: 'deribit' }, dataDir, alerts: { pingFile, pingMinutes: 5 } })
  const { signal } = new AbortController()
  const alerts = new Alerts(config, silent)
  /** Looks until the call that this look begins, if it does, has come. */
  const lookFor = async (minute: number, isCalled: boolean) => {
    const before = calls
    const called = isCalled && once(server, 'request', { signal: AbortSignal.timeout(20_000) })
    alerts.note(seen(minute), signal, true)
    await called
    t.equal(calls, before + Number(isCalled), `at ${minute} min`)
    // The answer is there before the next look.
    while (isCalled && server.listening && (await connectionsOf(server)) > 0) {
      server.closeIdleConnections()
      await new Promise(resolve => setImmediate(resolve))
    }
    await new Promise(resolve => setImmediate(resolve))
  }
  await lookFor(8 * 60, true)
  await lookFor(8 * 60 + 4, false)
  await lookFor(8 * 60 + 5, true)
  await lookFor(0, true)
  await lookFor(4, false)
  await lookFor(5, true)
})

const connectionsOf = (server: ReturnType<typeof createServer>) =>
  new Promise<number>((resolve, reject) => {
    server.getConnections((error, count) => {
      if (error) reject(error)
      else resolve(count)
    })
  })

t.test('work of each day was not begun again before the hours had passed', t => {
  const asked: string[] = []
  const job = {
    ...{ name: 'report', writtenMs: () => undefined, begin: () => [] },
    canBegin: (date: string) => {
      asked.push(date)
      return false
    },
  }
  const work = new DailyWork([job], silent)
  const { signal } = new AbortController()
  for (const time of ['23T20:00', '23T20:59', '23T21:00', '23T10:00', '23T10:30', '23T11:00'])
    work.tick(Date.parse(`2026-11-${time}:00Z`), signal)
  t.same(asked, Array(4).fill('2026-11-22'), 'each hour, and at once when the clock was set')
  t.end()
})

t.test('files were proven, and days measured, no more', t => {
  const now = { nowMs: startMs, upSinceMs: startMs - 2 * HOUR_MS }
  t.equal(dueMinutes(7, now, startMs - HOUR_MS), undefined, 'an hour ago')
  t.equal(dueMinutes(7, now, startMs + HOUR_MS), undefined)
  t.equal(dueMinutes(7, now, startMs + 4 * 365 * 24 * HOUR_MS), 60)
  const date = new Date(startMs).toISOString().slice(0, 10)
  t.equal(dueDate(new Map([[date, startMs + 8 * HOUR_MS]]), startMs), date)
  t.not(dueDate(new Map([[date, startMs - 1000]]), startMs), date)
  t.end()
})

t.test('near is near on both sides, and never is not', t => {
  t.ok(isNear(1000, 1999, 1000))
  t.notOk(isNear(1000, 2000, 1000))
  t.ok(isNear(1999, 1000, 1000))
  t.notOk(isNear(2000, 1000, 1000))
  t.notOk(isNear(-Infinity, 1000, 1e15))
  t.notOk(isNear(1000, 1000, 0), 'what is good for no time at all')
  t.end()
})
