/** Times as people write them, and dates: what is one, what is none, and that none is taken for another. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { momentUs, parseTimeUs, timeText } from '../../platform/moment.js'
import { dateOf, dateOfUs, datesBetween, isDate, requireDate } from '../../platform/utc-date.js'
import { holds } from '../fixtures/holds.js'

const DAY_MS = 86_400_000
/** All that four digits of a year can say. */
const ms = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) + DAY_MS - 1 })
const us = fc
  .tuple(ms, fc.nat({ max: 999 }))
  .map(([ms, below]) => ms * 1000 + below)
  .filter(Number.isSafeInteger)

t.test('a time is read as it was told, to the µs, in any zone and spelling', t => {
  const zone = fc.tuple(
    fc.constantFrom('+', '-'),
    fc.nat({ max: 13 }),
    fc.constantFrom(0, 15, 30, 45),
    fc.constantFrom(':', ''),
  )
  holds(
    t,
    fc.property(us, zone, fc.constantFrom('T', ' '), (us, [sign, hours, minutes, colon], between) => {
      const text = timeText(us)
      assert.match(text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
      assert.equal(parseTimeUs(text), us)
      assert.equal(parseTimeUs(text.slice(0, -1).replace('T', between)), us, 'UTC where no zone is given')
      const wholeMinute = us - (us % 60_000_000)
      assert.equal(parseTimeUs(timeText(wholeMinute).slice(0, 16)), wholeMinute)
      const awayUs = (sign === '+' ? 1 : -1) * (hours * 60 + minutes) * 60_000_000
      const there = us + awayUs
      if (there < 0 || there > 2.5e17) return
      const two = (value: number) => String(value).padStart(2, '0')
      const zoned = `${timeText(there).slice(0, -1).replace('T', between)}${sign}${two(hours)}${colon}${two(minutes)}`
      assert.equal(parseTimeUs(zoned), us, zoned)
    }),
    { numRuns: 500 },
  )
  t.end()
})

t.test('digits below a second count by their place, however many there are', t => {
  const second = Date.UTC(2026, 10, 22, 14, 0, 5) * 1000
  for (const [digits, below] of [
    ['5', 500_000],
    ['05', 50_000],
    ['123', 123_000],
    ['1234', 123_400],
    ['123456', 123_456],
    ['000001', 1],
    ['123456789', 123_456],
    ['000000999', 0],
  ] as const)
    // prettier-ignore
    for (const zone of ['', 'Z', '+00:00']) t.equal(parseTimeUs(`2026-11-22T14:00:05.${digits}${zone}`), second + below, digits)
  t.equal(parseTimeUs('2026-11-22T14:00:05.5+01:00'), second + 500_000 - 3_600_000_000, 'with a zone behind them')
  t.end()
})

t.test('a day that does not exist was taken for one of the next month', t => {
  for (const day of [
    '2026-02-29',
    '2026-02-30',
    '2026-02-31',
    '2026-04-31',
    '2026-06-31',
    '2026-11-31',
    '1900-02-29',
    '2100-02-29',
  ]) {
    t.equal(isDate(day), false, day)
    t.throws(() => requireDate(day), {
      code: 'DATE_INVALID',
      message: `found --date ${day}, wanted a day such as 2026-11-22`,
    })
    for (const time of ['', 'T14:00', ' 14:00:05.5Z', 'T00:00+01:00'])
      t.throws(() => parseTimeUs(day + time), { code: 'TIME_INVALID' }, day + time)
  }
  for (const day of ['2024-02-29', '2000-02-29', '2026-12-31', '0001-01-01']) {
    t.equal(isDate(day), true, day)
    t.equal(parseTimeUs(day), Date.parse(day) * 1000)
    requireDate(day)
  }
  t.end()
})

t.test('what only looks like a time is none, and the machine’s own zone is never asked', t => {
  for (const text of [
    ...['', '2026', '2026-11', '2026-1-1', '2026-11-2', '26-11-22', '2026-11-22T', '2026-11-22T14', '2026-11-22T14:0'],
    ...['2026-11-22T25:00', '2026-11-22T14:60', '2026-11-22T14:00:61', '2026-11-22T14:00:05.', '2026-11-22 (noon)'],
    ...['2026-11-22T14:00 CET', '2026-11-22T14:00+1', '2026-11-22T14:00+99:00', '2026-11-22T14:00:05,5', 'now', '1732283999'],
    ...[' 2026-11-22', '2026-11-22 ', '2026-11-22\n', '2026-11-22T14:00Z0', '+002026-11-22', '2026-1122', '2026-W47-7', '2026-13-01', '2026-00-10'],
  ])
    t.throws(() => parseTimeUs(text), { code: 'TIME_INVALID', message: `found ${JSON.stringify(text)}, wanted a time such as 2026-11-22T14:00` }) // prettier-ignore
  const letter = fc.stringMatching(/^[0-9:. TZ+x-]$/)
  holds(
    t,
    fc.property(us, fc.nat(), letter, (us, at, letter) => {
      const text = timeText(us)
      const place = at % text.length
      const changed = text.slice(0, place) + letter + text.slice(place + 1)
      let read: number
      try {
        read = parseTimeUs(changed)
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'TIME_INVALID')
        return
      }
      // Whatever it is taken for is what it says.
      const [, date = '', hour = '', rest = ''] = /^(\S{10})[T ](\d\d)(.*)$/.exec(changed) ?? assert.fail(changed)
      if (/Z$/.test(rest) && hour !== '24')
        assert.ok(timeText(read).startsWith(`${date}T${hour}${rest.slice(0, 6)}`), changed)
    }),
    { numRuns: 1000 },
  )
  t.end()
})

t.test('a moment is a Date, a number of µs or a text, and nothing that is no time', t => {
  t.equal(momentUs(new Date(5)), 5000)
  t.equal(momentUs(7), 7)
  t.equal(momentUs('1970-01-01T00:00:00.000007Z'), 7)
  for (const none of [NaN, new Date(NaN), 'soon']) t.throws(() => momentUs(none), { code: 'TIME_INVALID' })
  t.end()
})

t.test('dates between two are each day once, over leap days and turns of years, or not to be counted', t => {
  holds(
    t,
    fc.property(ms, fc.integer({ min: -3, max: 800 }), (ms, days) => {
      const last = ms + days * DAY_MS
      if (last < 0 || last > Date.UTC(9999, 11, 31)) return
      const dates = datesBetween(dateOf(ms), dateOf(last)) ?? assert.fail('no dates')
      assert.equal(dates.length, Math.max(0, days + 1))
      for (const [at, date] of dates.entries()) assert.equal(date, dateOf(ms + at * DAY_MS))
      if (days >= 0) assert.equal(datesBetween(dateOf(ms), dateOf(last), days), undefined, 'more than so many')
    }),
  )
  for (const [first, last] of [
    ['0000-00-00', '2026-11-22'],
    ['2026-11-22', '9999-99-99'],
    ['', '2026-11-22'],
    ['2026-02-30', '2026-03-05'],
  ] as const)
    // prettier-ignore
    t.equal(datesBetween(first, last), undefined, `${first} to ${last}`)
  t.same(datesBetween('2026-11-22', '2026-11-22', 1), ['2026-11-22'])
  t.equal(datesBetween('2026-11-22', '2026-11-23', 1), undefined)
  t.end()
})

t.test('dates of any µs are in the order of time, as texts', t => {
  const any = fc.oneof(
    us,
    fc.double({ noNaN: true }),
    fc.constantFrom(-Infinity, Infinity, 8.64e18, 8.65e18, 2.534023008e17, -1),
  )
  holds(
    t,
    fc.property(any, any, (one, other) => {
      const [a, b] = [Math.min(one, other), Math.max(one, other)]
      assert.ok(isDate(dateOfUs(a)) && dateOfUs(a) <= dateOfUs(b))
    }),
    { numRuns: 500 },
  )
  holds(
    t,
    fc.property(us, us => assert.equal(dateOfUs(us), timeText(us).slice(0, 10))),
  )
  t.end()
})
