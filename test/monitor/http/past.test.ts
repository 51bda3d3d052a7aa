/** The past that the page draws: bounded, in step with the clock, whatever comes and goes. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { dateBefore, dueDate } from '../../../monitor/http/coverage/days.js'
import { History } from '../../../monitor/http/history.js'
import { observationOf, type Observation } from '../../../monitor/observe/observation.js'
import { dateOf } from '../../../platform/utc-date.js'
import { holds } from '../../fixtures/holds.js'

const NOON_MS = Date.parse('2026-11-22T12:00:00Z')
const DAY_MS = 86_400_000

/** Families of a feed with their rates. */
function seenWith(atMs: number, rates: Readonly<Record<string, number>>): Observation {
  const of = new Map(Object.entries(rates).map(([name, frames]) => [name, { frames, bytes: 1 }] as const))
  const families = Object.fromEntries(Object.keys(rates).map(name => [name, { frames: 1, bytes: 1 }]))
  return observationOf({
    ...{ atMs, gaps: [], use: undefined, space: undefined },
    parts: [{ part: 'recorder', state: 'running', status: { exchange: 'generic', families } }],
    rates: new Map([['recorder', { families: of, connections: new Map() }]]),
  })
}

t.test('all lines end at the same moment, whatever comes and goes between', t => {
  const rates = fc.dictionary(fc.constantFrom('frames.a', 'frames.b', 'frames.c'), fc.double({ min: 0, max: 1e6, noNaN: true })) // prettier-ignore
  holds(
    t,
    fc.property(fc.array(fc.tuple(fc.integer({ min: -9000, max: 20_000 }), rates), { maxLength: 40 }), steps => {
      const history = new History('/nowhere')
      let atMs = NOON_MS
      let taken = -Infinity
      for (const [step, rates] of steps) {
        atMs += step
        const isTaken = atMs - taken >= 5000 || atMs < taken
        if (isTaken) taken = atMs
        history.note(seenWith(atMs, rates))
        const { series, atMs: endMs } = history.all()
        assert.equal(endMs, taken)
        const lengths = new Set(Object.values(series).map(({ length }) => length))
        assert.ok(lengths.size <= 1, 'as long as each other')
        for (const values of Object.values(series)) assert.ok(values.some(value => value !== null), 'none of nothing') // prettier-ignore
        if (!isTaken) continue
        const known = Object.values(series).filter(values => values.at(-1) !== null)
        assert.equal(known.length, Object.keys(rates).length, 'what is not known now is not as it was')
        for (const [name, rate] of Object.entries(rates))
          assert.equal(series[`rate generic ${name}`]?.at(-1), Number(rate.toPrecision(7)))
      }
    }),
    { numRuns: 60 },
  )
  t.end()
})

t.test('a feed of many families draws those that were seen first, and a quarter of an hour of them', t => {
  const history = new History('/nowhere')
  const rates = (from: number, count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`frames.f${from + n}`, from + n + 1]))
  for (let step = 0; step < 200; step++) history.note(seenWith(NOON_MS + 5000 * step, rates(0, 150)))
  history.note(seenWith(NOON_MS + 5000 * 200, rates(0, 400)))
  const { series } = history.all()
  t.equal(Object.keys(series).length, 160)
  t.equal(series['rate generic frames.f0']?.length, 180)
  t.same(series['rate generic frames.f159']?.slice(-2), [null, 160], 'one that is new was not known before')
  for (let step = 201; step < 382; step++) history.note(seenWith(NOON_MS + 5000 * step, rates(399, 1)))
  t.same(Object.keys(history.all().series), ['rate generic frames.f399'], 'and they make room when they are gone')
  t.end()
})

t.test('what is usual is said after an hour, and leaves out what is rare', t => {
  const history = new History('/nowhere')
  let atMs = NOON_MS
  const hours = (count: number, rate: (step: number) => number) => {
    for (let step = 0; step < count * 720; step++) history.note(seenWith((atMs += 5000), { 'frames.a': rate(step) }))
    return history.all().usual['rate generic frames.a']
  }
  t.equal(hours(0.5, () => 10), undefined) // prettier-ignore
  const [low = 0, high = 0] = hours(2, step => (step % 60 < 30 ? 9 : 11)) ?? []
  t.ok(low >= 9.5 && high <= 10.5, `${low} to ${high}: of means of five minutes`)
  t.end()
})

t.test('today is measured each minute, other days when they are due, and none is forgotten', t => {
  const measured = new Map<string, number>()
  const turns = new Map<string, number[]>()
  // A day and a half, a look each ten seconds; each takes no time.
  const fromMs = Date.parse('2026-11-22T20:00:00Z')
  for (let atMs = fromMs; atMs < fromMs + 1.5 * DAY_MS; atMs += 10_000) {
    const date = dueDate(measured, atMs)
    if (date === undefined) continue
    measured.set(date, atMs)
    turns.set(date, [...(turns.get(date) ?? []), atMs])
  }
  const between = (date: string, from: string, to: string) =>
    (turns.get(date) ?? []).filter(ms => ms >= Date.parse(`${from}:00Z`) && ms < Date.parse(`${to}:00Z`)).length
  t.ok(between('2026-11-23', '2026-11-23T10:00', '2026-11-23T11:00') >= 59, 'today: each minute')
  const after = between('2026-11-22', '2026-11-23T00:00', '2026-11-23T03:00')
  t.ok(after >= 17 && after <= 19, `yesterday, while its last segments come: each ten minutes, ${after}`)
  t.ok(between('2026-11-22', '2026-11-23T03:00', '2026-11-24T03:00') <= 3, 'and later twice a day')
  for (let ago = 0; ago < 7; ago++) t.ok(turns.has(dateOf(fromMs - ago * DAY_MS)), `${ago} days ago`)
  t.notOk(turns.has(dateOf(fromMs - 7 * DAY_MS)))
  t.end()
})

t.test('the day before is the nearest that is there, over the end of a month and of a leap year', t => {
  const there =
    (...dates: string[]) =>
    (date: string) =>
      dates.includes(date)
  t.equal(dateBefore('2024-03-01', there('2024-02-29', '2024-02-28')), '2024-02-29')
  t.equal(dateBefore('2026-03-01', there('2026-02-28', '2026-01-01')), '2026-02-28')
  t.equal(dateBefore('2027-01-01', there('2026-12-31')), '2026-12-31')
  t.equal(dateBefore('2026-11-22', there('2026-11-22', '2026-11-23')), undefined, 'itself is not before it')
  t.equal(dateBefore('2026-11-22', there('2025-11-21')), '2025-11-21', 'a year and a day')
  t.equal(dateBefore('2026-11-22', there('2025-11-20')), undefined, 'further back nobody looks')
  t.end()
})
