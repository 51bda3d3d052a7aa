/** What must hold of alerts whatever is seen, and whatever the clock does; a failure prints the seed that brings it back. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { conditionsOf, nothingSeen } from '../../../monitor/alerts/conditions.js'
import { messageOfAlert } from '../../../monitor/alerts/message.js'
import {
  due,
  looked,
  noAlerts,
  parseState,
  delivered,
  type Alert,
  type AlertState,
} from '../../../monitor/alerts/state.js'
import { limitsOf, seen, type Facts } from './fixtures/seen.js'
import { holds } from '../../fixtures/holds.js'

const facts: fc.Arbitrary<Facts> = fc.record({
  dataAgoS: fc.constantFrom(1, 100, 200),
  freeGiB: fc.constantFrom(0.5, 1.1, 50),
  problemFiles: fc.constantFrom(0, 3),
  behindHours: fc.constantFrom(0, 5.5, 9),
  isReadOnly: fc.boolean(),
  clockS: fc.constantFrom(0, -0.9, 3),
})
const story = fc.array(fc.tuple(fc.constantFrom(1, 3, 7, 70), facts), { minLength: 1, maxLength: 25 })

type Told = Pick<Alert, 'key' | 'what'> & { minute: number }

/** Each message reaches its receiver. */
function* tellingOf(looks: Iterable<readonly [minute: number, Facts]>, alerts: object): Generator<Told, AlertState> {
  const limits = limitsOf(alerts)
  let state = noAlerts
  for (const [minute, facts] of looks) {
    const look = seen(minute, facts)
    state = looked(state, look, limits)
    for (const { key, what, ...rest } of due(state, limits, look.atMs)) {
      yield { key, what, minute }
      state = delivered(state, { key, what, ...rest }, look.atMs)
    }
    // Over a restart, too.
    state = parseState(JSON.stringify(state))
  }
  return state
}

/** The minutes of a story, one step after the other; behind it all is well for so long. */
function minutesOf(story: readonly (readonly [step: number, Facts])[], wellSteps: number): [number, Facts][] {
  let minute = 0
  const told = story.map(([step, facts]): [number, Facts] => [(minute += step), facts])
  const well = Array.from({ length: wellSteps }, (_, n): [number, Facts] => [minute + 6 * (n + 1), {}])
  return [...told, ...well]
}

/** Of each alert: first raised, perhaps told again, cleared once. */
function requireOrder(all: readonly Told[]): Set<string> {
  const open = new Set<string>()
  for (const { key, what, minute } of all) {
    assert.equal(open.has(key), what !== 'raised', `${minute} ${what} ${key}`)
    if (what === 'cleared') open.delete(key)
    else open.add(key)
  }
  return open
}

t.test('each alert is raised once, told again only while it lasts, and cleared once when all is well', t => {
  holds(
    t,
    fc.property(story, fc.constantFrom(0, 2), (story, repeatHours) => {
      const all = [...tellingOf(minutesOf(story, 3), { repeatHours, perHour: 1000 })]
      assert.deepEqual([...requireOrder(all)], [], 'nothing is left open')
    }),
    { numRuns: 60 },
  )
  t.end()
})

t.test('no more messages in any hour than allowed, and all that is left open is cleared in the end', t => {
  holds(
    t,
    fc.property(story, fc.integer({ min: 1, max: 3 }), (story, perHour) => {
      const all = [...tellingOf(minutesOf(story, 70), { perHour, repeatHours: 0 })]
      for (const { minute } of all) {
        const within = all.filter(one => one.minute <= minute && one.minute > minute - 60)
        assert.ok(within.length <= perHour, `${within.length} messages in the hour before ${minute}`)
      }
      assert.deepEqual([...requireOrder(all)], [])
    }),
    { numRuns: 30 },
  )
  t.end()
})

t.test('wherever the clock is set to and back, what is bad is told within the hour, and what is well is cleared', t => {
  const jump = fc.integer({ min: -5_000_000, max: 5_000_000 })
  holds(
    t,
    fc.property(fc.array(fc.tuple(jump, facts), { maxLength: 8 }), jump, (looks, endMinute) => {
      const lasting: [number, Facts][] = Array.from({ length: 14 }, (_, n) => [endMinute + 5 * n, { freeGiB: 0.1 }])
      const well: [number, Facts][] = Array.from({ length: 26 }, (_, n) => [endMinute + 70 + 5 * n, {}])
      const all = [...tellingOf([...looks, ...lasting, ...well], { perHour: 3, repeatHours: 0 })]
      const open = requireOrder(all)
      assert.deepEqual([...open], [])
      const ofDisk = all.filter(({ key }) => key === 'disk')
      assert.equal(ofDisk.at(-1)?.what, 'cleared')
    }),
    { numRuns: 60 },
  )
  t.end()
})

t.test('what was wrong waited behind all-clears until it was over, and nobody heard of it', t => {
  const looks: [number, Facts][] = [
    [0, { problemFiles: 1, isReadOnly: true }],
    [1, {}],
    [6, {}],
    [30, { freeGiB: 0.1 }],
    [61, { freeGiB: 0.1 }],
    [62, {}],
  ]
  t.same(
    [...tellingOf(looks, { perHour: 2 })].map(({ minute, what, key }) => `${minute} ${what} ${key}`),
    ['0 raised disk refuses', '0 raised sync problems', '61 raised disk', '61 cleared disk refuses'],
  )
  t.end()
})

t.test('what was looked at no more, its limit set to 0, was told again for ever', t => {
  const on = { noDataSeconds: 120, repeatHours: 1 }
  const looksOf = (from: number, to: number, step: number) =>
    Array.from({ length: (to - from) / step }, (_, n): [number, Facts] => [from + step * n, { dataAgoS: 9000 }])
  const first = tellingOf(looksOf(0, 120, 30), on)
  const lines: string[] = []
  let state = noAlerts
  for (let next = first.next(); ; next = first.next()) {
    if (next.done) {
      state = next.value
      break
    }
    lines.push(`${next.value.minute} ${next.value.what} ${next.value.key}`)
  }
  t.same(lines, ['0 raised no data', '60 still no data'])
  const off = limitsOf({ ...on, noDataSeconds: 0 })
  const later: string[] = []
  for (const [minute, facts] of looksOf(120, 120 + 26 * 60, 30)) {
    const look = seen(minute, facts)
    state = looked(state, look, off)
    for (const alert of due(state, off, look.atMs)) {
      later.push(`${minute} ${alert.what} ${alert.key}: ${alert.text.slice(0, 24)}`)
      state = delivered(state, alert, look.atMs)
    }
  }
  t.same(later, [`${120 + 24 * 60} cleared no data: nobody looks any more at`])
  t.end()
})

t.test('where dataDir was away for a moment, all that lay in quarantine was told as new', t => {
  const limits = limitsOf()
  let state = looked(noAlerts, seen(0, { quarantineFiles: 5 }), limits)
  const { disk, ...away } = seen(1)
  t.ok(disk)
  state = looked(state, { ...away, disk: undefined }, limits)
  state = looked(state, seen(2, { quarantineFiles: 5 }), limits)
  t.same(due(state, limits, seen(2).atMs), [])
  state = looked(state, seen(3, { quarantineFiles: 6 }), limits)
  t.same(
    due(state, limits, seen(3).atMs).map(({ text }) => text),
    ['1 more files with lines that could not be converted, 6 in all'],
  )
  t.end()
})

t.test('what a library says over several lines went out as several', t => {
  const text = 'Binder Error: no column\n\nLINE 1: SELECT x\r\n        ^\t'
  const { text: line } = messageOfAlert({ key: 'compactor failing', what: 'raised', text, sinceMs: 0 }, 'h')
  t.equal(line, '[ALERT] edgetape h: Binder Error: no column LINE 1: SELECT x ^; type: edgetape verify raw')
  t.end()
})

t.test('a state that was cut off, or is no such thing, is as if nobody had been told', t => {
  const full = JSON.stringify(delivered(looked(noAlerts, seen(0, { freeGiB: 0 }), limitsOf()), firstDue(), 1))
  for (let length = 0; length < full.length; length += 7) t.same(parseState(full.slice(0, length)), noAlerts)
  t.not(parseState(full), noAlerts)
  for (const text of ['null', '[]', '3', '{"standing":{"disk":{}},"memory":{},"sentMs":[]}', '{"standing":[]}'])
    t.same(parseState(text), noAlerts, text)
  t.end()
})

function firstDue(): Alert {
  const [first] = due(looked(noAlerts, seen(0, { freeGiB: 0 }), limitsOf()), limitsOf(), seen(0).atMs)
  assert.ok(first)
  return first
}

t.test('between what raises an alert and what ends it nothing changes', t => {
  const limits = limitsOf({ minFreeGiB: 2, syncBehindHours: 10, clockSeconds: 1, memoryPercent: 90 })
  const value = fc.double({ min: 0, max: 1.5, noNaN: true })
  const cases: { key: string; facts: (share: number) => Facts; isBadAbove: boolean }[] = [
    { key: 'disk', facts: share => ({ freeGiB: 2 * share }), isBadAbove: false },
    { key: 'sync', facts: share => ({ behindHours: 10 * share }), isBadAbove: true },
    { key: 'clock', facts: share => ({ clockS: -share }), isBadAbove: true },
    { key: 'memory', facts: share => ({ heapShare: 0.9 * share }), isBadAbove: true },
  ]
  for (const { key, facts, isBadAbove } of cases)
    holds(
      t,
      fc.property(value, share => {
        const found = conditionsOf(seen(0, facts(share)), limits, nothingSeen).find(one => one.key === key)
        // Of what is counted in whole bytes and µs a hair is nothing.
        const isAt = (bound: number) => Math.abs(share - bound) < 1e-6
        const [bad, good] = isBadAbove ? [share > 1, share < 0.8] : [share < 1, share > 1.25]
        if (isAt(1) || isAt(isBadAbove ? 0.8 : 1.25)) return
        assert.equal(found?.state, bad ? 'bad' : good ? 'good' : 'steady', `${key} ${share}`)
      }),
      { numRuns: 40 },
    )
  t.end()
})
