import t from 'tap'
import type { Account } from '../../../coverage/account/account.js'
import { dayOfAccount, hoursOf, kindsOf } from '../../../coverage/account/day.js'
import { exchangeNamed } from '../../../exchanges/registry.js'

const hourUs = Date.parse('2026-11-22T14:00:00Z') * 1000

t.test('a kind is as complete as the least complete of its data', async t => {
  const line = { exchange: 'deribit', kind: 'option', hourUs, channels: 3 } as const
  const lines = [
    { ...line, data: 'trades', complete: 1 },
    { ...line, data: 'quotes', complete: 0.25 },
    { ...line, data: 'ticker', complete: undefined },
    { ...line, data: 'trades', complete: 0.5, hourUs: hourUs + 3_600_000_000 },
    { ...line, kind: 'spot', data: 'book depth', complete: undefined },
  ]
  t.strictSame(hoursOf(lines), [
    { exchange: 'deribit', kind: 'option', hour: 14, channels: 9, share: 0.25, least: 'quotes' },
    { exchange: 'deribit', kind: 'option', hour: 15, channels: 3, share: 0.5, least: 'trades' },
    { exchange: 'deribit', kind: 'spot', hour: 14, channels: 3 },
  ])
  const known = lines.map(line => ({ ...line, wantedUs: 100, lostUs: 100 * (1 - (line.complete ?? 0)) }))
  t.strictSame(kindsOf(known), [{ exchange: 'deribit', kind: 'option', share: 0.25 }], 'of the day; spot is not known')
})

t.test('seconds that two books of a family lack at once count once', t => {
  const S = 1_000_000
  const group = (about: string, fromS: number, toS: number): Account['groups'][number] => ({
    channels: [{ exchange: 'deribit', family: 'book', kind: 'perpetual', about, isWhole: false }],
    spans: [{ fromUs: fromS * S, toUs: toS * S, state: 'missing', grade: 'exact', cause: about }],
  })
  const groups = [group('BTC-PERPETUAL', 40, 50), group('ETH-PERPETUAL', 45, 60)]
  const account = { window: { fromUs: 0, toUs: 100 * S }, groups, notOffered: [], trades: [] }
  const { families } = dayOfAccount('1970-01-01', account, exchangeNamed, 0)
  t.match(families, { 'deribit book': { seconds: 20 } })
  t.end()
})
