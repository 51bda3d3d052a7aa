import t from 'tap'
import { hoursOf } from '../../../coverage/account/day.js'

const hourUs = Date.parse('2026-11-22T14:00:00Z') * 1000

t.test('a kind is as complete as the least complete of its data', async t => {
  const line = { kind: 'option', hourUs, channels: 3 } as const
  const lines = [
    { ...line, data: 'trades', complete: 1 },
    { ...line, data: 'quotes', complete: 0.25 },
    { ...line, data: 'ticker', complete: undefined },
    { ...line, data: 'trades', complete: 0.5, hourUs: hourUs + 3_600_000_000 },
    { ...line, kind: 'spot', data: 'book depth', complete: undefined },
  ]
  t.strictSame(hoursOf(lines), [
    { kind: 'option', hour: 14, channels: 9, share: 0.25, least: 'quotes' },
    { kind: 'option', hour: 15, channels: 3, share: 0.5, least: 'trades' },
    { kind: 'spot', hour: 14, channels: 3 },
  ])
})
