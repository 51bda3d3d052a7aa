import t from 'tap'
import { hoursOf } from '../../../monitor/http/coverage/hours.js'

const hourUs = Date.parse('2026-11-22T14:00:00Z') * 1000

t.test('a kind is as complete as the least complete of its data', t => {
  const line = { kind: 'option', hourUs } as const
  const lines = [
    { ...line, data: 'trades', rows: 10, complete: 1 },
    { ...line, data: 'quotes', rows: 100, complete: 0.25 },
    { ...line, data: 'ticker', rows: 1000, complete: undefined },
    { ...line, data: 'trades', rows: 5, complete: 0.5, hourUs: hourUs + 3_600_000_000 },
    { ...line, kind: 'spot' as const, data: 'book depth', rows: 7, complete: undefined },
  ]
  t.strictSame(hoursOf(lines), [
    { kind: 'option', hour: 14, rows: 1110, share: 0.25, least: 'quotes' },
    { kind: 'option', hour: 15, rows: 5, share: 0.5, least: 'trades' },
    { kind: 'spot', hour: 14, rows: 7 },
  ])
  t.end()
})
