import t from 'tap'
import { kindOfName, targetOf } from '../../../cli/coverage/channel-target.js'
import { clip, unionOf, wholeSeconds } from '../../../cli/coverage/spans.js'
import { subscribedSpans, type JournalEvent } from '../../../cli/coverage/subscriptions.js'

const event = (recvUs: number, event: string, detail: object = {}, run = 'h-r1'): JournalEvent => ({
  run,
  recvUs,
  event,
  detail: { conn: 'd1', ...detail },
})

const cases: { name: string; events: JournalEvent[]; ends?: [string, number][]; wanted: [string, number, number][] }[] =
  [
    {
      name: 'to the end of the connection',
      events: [event(10, 'subscribed', { channels: ['a', 'b'] }), event(50, 'disconnected')],
      wanted: [
        ['a', 10, 50],
        ['b', 10, 50],
      ],
    },
    {
      name: 'to its own end where it is unsubscribed',
      events: [
        event(10, 'subscribed', { channels: ['a', 'b'] }),
        event(30, 'unsubscribed', { channels: ['a'] }),
        event(50, 'stopped', { conn: undefined }),
      ],
      wanted: [
        ['a', 10, 30],
        ['b', 10, 50],
      ],
    },
    {
      name: 'two spans with the connection lost between them',
      events: [
        event(10, 'subscribed', { channels: ['a'] }),
        event(20, 'disconnected'),
        event(25, 'subscribed', { channels: ['a'] }),
        event(40, 'disconnected'),
      ],
      wanted: [
        ['a', 10, 20],
        ['a', 25, 40],
      ],
    },
    {
      name: 'one span where two connections overlap',
      events: [
        event(10, 'subscribed', { channels: ['a'] }),
        event(15, 'subscribed', { channels: ['a'], conn: 'd2' }),
        event(20, 'disconnected'),
        event(40, 'disconnected', { conn: 'd2' }),
      ],
      wanted: [['a', 10, 40]],
    },
    {
      name: 'a run that was killed ends where it was last heard of',
      events: [event(10, 'subscribed', { channels: ['a'] }), event(100, 'subscribed', { channels: ['a'] }, 'h-r2')],
      ends: [
        ['h-r1', 60],
        ['h-r2', 130],
      ],
      wanted: [
        ['a', 10, 60],
        ['a', 100, 130],
      ],
    },
    {
      name: 'nothing accepted, nothing promised',
      events: [event(10, 'subscribed'), event(20, 'disconnected')],
      wanted: [],
    },
  ]

for (const { name, events, ends = [], wanted } of cases) {
  t.test(name, t => {
    const spans = [...subscribedSpans(events, new Map(ends))]
    t.same(
      spans.flatMap(([channel, list]) => list.map(({ fromUs, toUs }) => [channel, fromUs, toUs])),
      wanted,
    )
    t.end()
  })
}

t.test('spans', t => {
  const spans = [
    { fromUs: 30, toUs: 40 },
    { fromUs: 0, toUs: 20 },
    { fromUs: 10, toUs: 25 },
  ]
  t.same(unionOf(spans), [
    { fromUs: 0, toUs: 25 },
    { fromUs: 30, toUs: 40 },
  ])
  t.same(clip(spans, { fromUs: 15, toUs: 30 }), [
    { fromUs: 15, toUs: 20 },
    { fromUs: 15, toUs: 25 },
  ])
  t.equal(
    wholeSeconds([
      { fromUs: 0, toUs: 2_999_999 },
      { fromUs: 0, toUs: 500_000 },
    ]),
    2,
  )
  t.end()
})

t.test('kinds of names', t => {
  const names: Record<string, string[]> = {
    perpetual: ['BTC-PERPETUAL', 'BTC_USDC-PERPETUAL', '1000PEPE_USDC-PERPETUAL'],
    future: ['BTC-25MAR23', 'BTC-5AUG23', 'SOL_USDC-25SEP26'],
    option: ['BTC-25MAR23-420-C', 'XRP_USDC-30JUN23-0d625-C', 'MATIC_USDC-9MAR24-1d02-P'],
    spot: ['BTC_USDC', 'ETH_BTC'],
    combo: ['BTC-FS-25DEC26_PERP', 'BTC-CS-19MAY26-70000_75000', 'BTC-CSR12-16SEP22-21000_23000'],
    index: ['btc_usd', 'drbfix-btc_usdc'],
  }
  for (const [kind, list] of Object.entries(names)) for (const name of list) t.equal(kindOfName(name), kind, name)
  t.equal(kindOfName('future'), undefined)
  t.end()
})

t.test('targets of channels', t => {
  t.same(targetOf('book.BTC-PERPETUAL.100ms'), { family: 'book', kinds: ['perpetual'], name: 'BTC-PERPETUAL' })
  t.same(targetOf('quote.BTC_USDC'), { family: 'quote', kinds: ['spot'], name: 'BTC_USDC' })
  t.same(targetOf('chart.trades.BTC-PERPETUAL.1'), {
    family: 'chart.trades',
    kinds: ['perpetual'],
    name: 'BTC-PERPETUAL',
  })
  t.same(targetOf('trades.option.BTC.100ms'), { family: 'trades', kinds: ['option'], name: undefined })
  t.same(targetOf('trades.future.BTC.100ms')?.kinds, ['future', 'perpetual'])
  t.same(targetOf('deribit_price_index.btc_usd'), { family: 'deribit_price_index', kinds: ['index'], name: 'btc_usd' })
  t.equal(targetOf('platform_state'), undefined)
  t.equal(targetOf('announcements'), undefined)
  t.end()
})
