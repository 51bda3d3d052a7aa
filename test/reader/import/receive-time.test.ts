import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { isDate, requireDate } from '../../../platform/utc-date.js'
import { parseTimeUs, timeText } from '../../../platform/moment.js'
import { receiveTimeUs, TIME_UNITS, type TimeUnit } from '../../../reader/import/receive-time.js'
import { holds } from '../../fixtures/holds.js'

/** From 2001 to where a number holds µs no more. */
const moment = fc.integer({ min: 978_307_200_000_000, max: 4_000_000_000_000_000 })
/** Digits behind those of a µs. */
const finer = fc.stringMatching(/^\d{0,3}$/)

const PLACES = { s: 6, ms: 3, us: 0, ns: -3 } as const

/** A number of µs as another program writes it in its unit. */
function written(us: number, unit: Exclude<TimeUnit, 'iso'>, more: string): string {
  const places = PLACES[unit]
  if (places < 0) return `${us}${more.padEnd(3, '0')}`
  const digits = String(us)
  const fraction = digits.slice(digits.length - places) + more
  return places === 0 ? (more === '' ? digits : `${digits}.${more}`) : `${digits.slice(0, -places)}.${fraction}`
}

t.test('a time is read to the µs by its digits, and what is finer is cut off, in each unit', t => {
  holds(
    t,
    fc.property(moment, fc.constantFrom('s', 'ms', 'us', 'ns'), finer, (us, unit, more) => {
      assert.equal(receiveTimeUs(written(us, unit, more), unit), us)
    }),
  )
  holds(
    t,
    fc.property(moment, finer, fc.constantFrom('T', ' '), fc.constantFrom('.', ','), (us, more, between, point) => {
      const text = timeText(us)
      const iso = `${text.slice(0, 10)}${between}${text.slice(11, 19)}${point}${text.slice(20, 26)}${more}Z`
      assert.equal(receiveTimeUs(iso, 'iso'), us)
    }),
  )
  t.end()
})

t.test('an offset moves a time by itself, with a colon or without, over midnight and the end of a year', t => {
  const noonUs = Date.UTC(2026, 11, 31, 23, 30) * 1000
  holds(
    t,
    fc.property(
      fc.integer({ min: 0, max: 14 }),
      fc.constantFrom(0, 15, 30, 45),
      fc.boolean(),
      fc.boolean(),
      (hours, minutes, isEast, hasColon) => {
        // prettier-ignore
        const two = (value: number) => String(value).padStart(2, '0')
        const movedMs = (isEast ? 1 : -1) * (hours * 60 + minutes) * 60_000
        const local = new Date(noonUs / 1000 + movedMs).toISOString().slice(0, 19)
        const zone = `${isEast ? '+' : '-'}${two(hours)}${hasColon ? ':' : ''}${two(minutes)}`
        assert.equal(receiveTimeUs(`${local}${zone}`, 'iso'), noonUs)
      },
    ),
  )
  t.end()
})

t.test('days that no calendar has are no times: 30 February is not 2 March', t => {
  const none = ['2026-02-29', '2026-02-30', '2026-04-31', '2026-11-31', '2100-02-29', '2026-13-01', '2026-00-10', '2026-01-00', '2026-01-32'] // prettier-ignore
  for (const date of none) {
    t.equal(receiveTimeUs(`${date}T10:00:00Z`, 'iso'), undefined, date)
    t.notOk(isDate(date))
    t.throws(() => requireDate(date), { code: 'DATE_INVALID', message: new RegExp(date) })
    for (const time of [date, `${date}T10:00`, `${date} 10:00:00.5`, `${date}T10:00Z`])
      t.throws(() => parseTimeUs(time), { code: 'TIME_INVALID' }, time)
  }
  for (const date of ['2024-02-29', '2028-02-29', '2000-02-29', '2026-12-31']) {
    t.ok(isDate(date), date)
    t.equal(receiveTimeUs(`${date}T00:00:00Z`, 'iso') ?? Date.parse(date) * 1000, Date.parse(date) * 1000)
  }
  t.end()
})

t.test('each day of a century is a date, and is what it is called', t => {
  holds(
    t,
    fc.property(fc.integer({ min: 0, max: 47_000 }), day => {
      const date = new Date(day * 86_400_000).toISOString().slice(0, 10)
      assert.ok(isDate(date))
      assert.equal(parseTimeUs(date), day * 86_400_000_000)
    }),
  )
  t.end()
})

t.test('what is no time in its unit is none', t => {
  for (const unit of TIME_UNITS)
    for (const text of ['', ' ', '-1', '+1', '1e15', 'NaN', 'soon', '1790000000000000x', '.5', '1.', '0x10', '１７９'])
      t.equal(receiveTimeUs(text, unit), undefined, `${JSON.stringify(text)} in ${unit}`)
  for (const text of [
    '2026-11-22',
    '2026-11-22T14:00:00',
    '2026-11-22T14:00Z',
    '2026-11-22T25:00:00Z',
    '2026-11-22T14:61:00Z',
    '2026-11-22T14:00:00+99:99',
    '2026-11-22t14:00:00Z',
    ' 2026-11-22T14:00:00Z',
    '2026-11-22T14:00:00.1234567890Z',
  ])
    // prettier-ignore
    t.equal(receiveTimeUs(text, 'iso'), undefined, text)
  t.end()
})

t.test(
  'a time in a wrong unit lies outside of what can be, so that nothing is dated to 1970 or to the year 50,000',
  t => {
    const us = Date.UTC(2026, 10, 22) * 1000
    const right = { s: us / 1e6, ms: us / 1e3, us, ns: us * 1000 }
    for (const [unit, value] of Object.entries(right))
      for (const other of ['s', 'ms', 'us', 'ns'] as const) {
        const found = receiveTimeUs(String(value), other)
        t.equal(found, other === unit ? us : undefined, `${unit} read as ${other}`)
      }
    t.equal(receiveTimeUs('9'.repeat(400), 'us'), undefined)
    t.equal(receiveTimeUs('12', 'ns'), undefined, 'fewer digits than are cut off')
    t.end()
  },
)
