/** What was missing in the last 24 hours, put together of the accounts of two days. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { EventOfDay } from '../../../coverage/account/day.js'
import { observationOf } from '../../../monitor/observe/observation.js'
import { isOpenGap } from '../../../monitor/observe/open-gap.js'
import { withAccount } from '../../../monitor/observe/with-account.js'
import { coverageDay, coverageEvent } from '../../fixtures/coverage-day.js'
import { seenAt } from '../../fixtures/seen-rate.js'
import { holds } from '../../fixtures/holds.js'

const DAY_MS = 86_400_000
const MIDNIGHT_MS = Date.parse('2026-11-22T00:00:00Z')
const nothing = (atMs: number) =>
  observationOf({ atMs, parts: [], rates: new Map(), gaps: [], use: undefined, space: undefined })

/** From some minutes before or behind midnight on. */
const event = (fromMin: number, toMin: number, given: Partial<EventOfDay> = {}) =>
  coverageEvent(MIDNIGHT_MS + 60_000 * fromMin, {
    ...{ toMs: MIDNIGHT_MS + 60_000 * toMin, seconds: 60 * (toMin - fromMin), families: ['quote'] },
    ...given,
  })

function recentOf(
  atMin: number,
  yesterday: EventOfDay[] | undefined,
  today: EventOfDay[],
  healed: EventOfDay[][] = [],
) {
  const atMs = MIDNIGHT_MS + 60_000 * atMin
  const [before = [], now = []] = healed
  const { recent } = withAccount(
    nothing(atMs),
    coverageDay('2026-11-22', atMs, { events: today, healedEvents: now }),
    yesterday && coverageDay('2026-11-21', atMs, { events: yesterday, healedEvents: before }),
  )
  assert.ok(recent)
  return recent
}

const told = (losses: readonly EventOfDay[]) =>
  losses.map(({ fromMs, toMs, families, seconds }) => [
    ...[(fromMs - MIDNIGHT_MS) / 60_000, (toMs - MIDNIGHT_MS) / 60_000],
    ...[families.join(), seconds / 60],
  ])

t.test('what went on over midnight is one, with the time of both days', t => {
  const losses = recentOf(30, [event(-10, 0)], [event(0, 5, { lasts: true })]).losses
  t.same(told(losses), [[-10, 5, 'quote', 15]])
  t.ok(losses[0]?.lasts, 'and as it is now')
  t.end()
})

t.test('two that had one cause changed places at midnight, and told the families of each other', t => {
  const trades = { families: ['trades'], whose: 'trades' }
  const { losses } = recentOf(60, [event(-20, 0), event(-5, 0, trades)], [event(0, 30, trades), event(0, 2)])
  t.same(told(losses), [
    [-20, 2, 'quote', 22],
    [-5, 30, 'trades', 35],
  ])
  t.end()
})

t.test('of two that could go on, the one of the very same families does', t => {
  const both = { families: ['quote', 'trades'] }
  const { losses } = recentOf(60, [event(-20, 0, both), event(-5, 0)], [event(0, 30), event(0, 2, both)])
  t.same(told(losses), [
    [-20, 2, 'quote,trades', 22],
    [-5, 30, 'quote', 35],
  ])
  t.end()
})

t.test('what begins at midnight and has nothing to do with what ended there is another', t => {
  const cases: [string, Partial<EventOfDay>, number][] = [
    ['the same', {}, 1],
    ['fewer of its families', { families: ['quote'] }, 1],
    ['other families', { families: ['book'] }, 2],
    ['another cause', { cause: 'exchange halted' }, 2],
  ]
  for (const [what, given, count] of cases) {
    const before = [event(-20, 0, { families: ['quote', 'trades'] })]
    const { losses } = recentOf(60, before, [event(0, 30, { families: ['quote', 'trades'], ...given })])
    t.equal(losses.length, count, what)
  }
  t.equal(recentOf(60, [event(-20, -1)], [event(0, 30)]).losses.length, 2, 'what ended before')
  t.equal(recentOf(60, undefined, [event(0, 30)]).losses.length, 1, 'where yesterday is not known yet')
  t.end()
})

t.test('what healed over midnight was counted twice', t => {
  const healed = [[event(-10, 0)], [event(0, 5), event(7, 8)]]
  t.equal(recentOf(30, [], [], healed).healed, 2)
  t.equal(recentOf(1445, [], [], healed).healed, 1, 'a day after the first of them')
  t.end()
})

t.test('of the last 24 hours to the moment: what ended before is not in it, what lasted into it is, whole', t => {
  const yesterday = [event(-700, -690), event(-500, -10)]
  t.same(told(recentOf(750, yesterday, [event(3, 4)]).losses), [
    [-500, -10, 'quote', 490],
    [3, 4, 'quote', 1],
  ])
  t.end()
})

t.test('whatever two days tell, each moment of the last day is in what is told, and no event is changed', t => {
  const families = fc.constantFrom<string[]>(['quote'], ['trades'], ['quote', 'trades'])
  const cause = fc.constantFrom('reset', 'halt')
  const of = (from: number, to: number) =>
    fc.array(
      fc
        .record({ a: fc.integer({ min: from, max: to }), b: fc.integer({ min: from, max: to }), families, cause })
        .filter(({ a, b }) => a !== b)
        .map(({ a, b, ...given }) => event(Math.min(a, b), Math.max(a, b), given)),
      { maxLength: 6 },
    )
  holds(
    t,
    fc.property(of(-4, 0), of(0, 4), fc.integer({ min: 1, max: 5 }), (yesterday, today, atMin) => {
      const before = JSON.stringify([yesterday, today])
      const { losses } = recentOf(atMin, yesterday, today)
      assert.equal(JSON.stringify([yesterday, today]), before)
      for (const own of [...yesterday, ...today].filter(({ toMs }) => toMs > MIDNIGHT_MS + 60_000 * atMin - DAY_MS))
        assert.ok(
          losses.some(({ fromMs, toMs, cause }) => fromMs <= own.fromMs && toMs >= own.toMs && cause === own.cause),
          'it is told',
        )
      const seconds = (events: readonly EventOfDay[]) => events.reduce((sum, { seconds }) => sum + seconds, 0)
      assert.equal(seconds(losses), seconds([...yesterday, ...today]), 'with all of its time, once')
      const begins = losses.map(({ fromMs }) => fromMs)
      assert.deepEqual(begins, [...begins].sort((a, b) => a - b)) // prettier-ignore
    }),
    { numRuns: 300 },
  )
  t.end()
})

t.test('an open gap is one that goes on, or of which the exchange was asked in vain', t => {
  t.same(
    [{}, { lasts: true }, { couldHeal: true }, { lasts: true, couldHeal: true }].map(given => isOpenGap(event(0, 1, given))),
    [false, true, true, true],
  ) // prettier-ignore
  t.end()
})

t.test('gaps of a family are those of its exchange, and none is not the same as not known', t => {
  const seen = seenAt(MIDNIGHT_MS, 3)
  t.equal(seen.families[0]?.gapsToday, undefined)
  t.equal(withAccount(seen).families[0]?.gapsToday, undefined, 'until today was measured')
  const families = { 'deribit quote': { gaps: 3, seconds: 12 }, 'bybit quote': { gaps: 9, seconds: 90 } }
  t.match(withAccount(seen, coverageDay('2026-11-22', MIDNIGHT_MS, { families })).families[0], {
    ...{ gapsToday: 3, gapSecondsToday: 12 },
  })
  t.match(withAccount(seen, coverageDay('2026-11-22', MIDNIGHT_MS)).families[0], { gapsToday: 0, gapSecondsToday: 0 })
  t.end()
})
