import t from 'tap'
import { Targets } from '../../../coverage/account/targets.js'
import { namedExchange } from '../../../coverage/account/read-facts.js'
import { clip, unionOf, without } from '../../../platform/spans.js'
import { subscriptionsOf } from '../../../formats/journal/subscriptions.js'
import type { JournalEntry } from '../../../formats/journal/entry.js'
import { journalEntry } from '../../fixtures/journal-entry.js'

const exchange = namedExchange('deribit')
const { expiryMsOf } = exchange.names
const targets = new Targets(exchange)
const targetOf = (channel: string) => targets.of(channel)

const event = (recvUs: number, event: string, detail: object = {}, run = 'r1') =>
  journalEntry({ host: 'h', run, recvUs }, event, { conn: 'd1', ...detail })

type Wanted = [channel: string, subscribed: [number, number][], wanted: [number, number][]]

const cases: { name: string; entries: JournalEntry[]; wanted: Wanted[] }[] = [
  {
    name: 'wanted over the end of the connection, until it is back',
    entries: [
      event(10, 'subscribed', { channels: ['a', 'b'] }),
      event(20, 'disconnected'),
      event(22, 'connected'),
      event(25, 'subscribed', { channels: ['a'] }),
      event(40, 'stopped'),
    ],
    wanted: [
      [
        'a',
        [
          [10, 20],
          [25, 40],
        ],
        [[10, Infinity]],
      ],
      ['b', [[10, 20]], [[10, 22]]],
    ],
  },
  {
    name: 'to its own end where it is unsubscribed',
    entries: [
      event(10, 'subscribed', { channels: ['a', 'b'] }),
      event(30, 'unsubscribed', { channels: ['a'] }),
      event(50, 'stopped', { conn: undefined }),
    ],
    wanted: [
      ['a', [[10, 30]], [[10, 30]]],
      ['b', [[10, 50]], [[10, Infinity]]],
    ],
  },
  {
    name: 'all along where an instrument was given up for short lists, though its channel was ended',
    entries: [
      event(10, 'subscribed', { channels: ['quote.A'] }),
      event(20, 'instruments_removed', { instruments: ['A'], reason: 'not listed any more' }),
      event(21, 'unsubscribed', { channels: ['quote.A'] }),
      event(60, 'unlisted', { instrument: 'A', from_us: 20, to_us: 60 }),
      event(61, 'subscribed', { channels: ['quote.A'] }),
    ],
    wanted: [
      [
        'quote.A',
        [
          [10, 21],
          [61, Infinity],
        ],
        [[10, Infinity]],
      ],
    ],
  },
  {
    name: 'from the start on where it cannot be had',
    entries: [event(10, 'not_offered', { channels: ['trades.B.100ms'] })],
    wanted: [['trades.B.100ms', [], [[10, Infinity]]]],
  },
  {
    name: 'no further than the day on which the instrument expires',
    entries: [event(10, 'subscribed', { channels: ['quote.BTC-27NOV26-60000-C'] }), event(50, 'stopped')],
    wanted: [['quote.BTC-27NOV26-60000-C', [[10, 50]], [[10, Date.parse('2026-11-27T08:00:00Z') * 1000]]]],
  },
  {
    name: 'a killed run was subscribed up to its last entry, and wanted until the next begins',
    entries: [
      event(10, 'subscribed', { channels: ['a', 'b'] }),
      event(60, 'heard'),
      event(100, 'started', {}, 'r2'),
      event(110, 'subscribed', { channels: ['a'] }, 'r2'),
    ],
    wanted: [
      [
        'a',
        [
          [10, 60],
          [110, Infinity],
        ],
        [[10, Infinity]],
      ],
      ['b', [[10, 60]], [[10, 100]]],
    ],
  },
  {
    name: 'refused, wanted from then on; taken in the end',
    entries: [
      event(10, 'rejected', { channels: ['a', 'b'] }),
      event(20, 'rejected', { channels: ['raw'], instead: '100ms' }),
      event(30, 'subscribed', { channels: ['a'] }),
    ],
    wanted: [
      ['a', [[30, Infinity]], [[10, Infinity]]],
      ['b', [], [[10, Infinity]]],
    ],
  },
  {
    name: 'refused until the instrument went away',
    entries: [
      event(10, 'rejected', { channels: ['quote.X-PERPETUAL'] }),
      event(30, 'instruments_removed', { instruments: ['X-PERPETUAL'] }),
    ],
    wanted: [['quote.X-PERPETUAL', [], [[10, 30]]]],
  },
  {
    name: 'nothing accepted, nothing wanted',
    entries: [event(10, 'subscribed'), event(20, 'disconnected')],
    wanted: [],
  },
]

for (const { name, entries, wanted } of cases) {
  t.test(name, t => {
    const spans = (list: readonly { fromUs: number; toUs: number }[]) => list.map(({ fromUs, toUs }) => [fromUs, toUs])
    t.same(
      subscriptionsOf(entries, expiryMsOf).map(one => [one.channel, spans(one.spans), spans(one.wanted)]),
      wanted,
    )
    t.end()
  })
}

/** Connection `conn` is told of, not `d1`. */
const on = (conn: string, us: number, name: string, detail: object = {}) => event(us, name, { conn, ...detail })
const a = { channels: ['a'] }
const ab = { channels: ['a', 'b'] }

const refusals: { name: string; entries: JournalEntry[]; rejected: [string, [number, number][]][] }[] = [
  {
    name: 'a refusal ends with the connection that was refused, as an outage of all begins there; the next is refused anew',
    entries: [
      event(10, 'subscribed', a),
      event(11, 'rejected', { channels: ['b'] }),
      event(12, 'live'),
      event(50, 'disconnected'),
      event(60, 'connected'),
      event(61, 'subscribed', a),
      event(62, 'rejected', { channels: ['b'] }),
      event(65, 'live'),
      event(70, 'subscribed', { channels: ['b'] }),
    ],
    rejected: [
      ['a', []],
      [
        'b',
        [
          [12, 50],
          [65, 70],
        ],
      ],
    ],
  },
  {
    name: 'what a try was refused that came to nothing is part of the outage',
    entries: [
      event(10, 'subscribed', ab),
      event(12, 'live'),
      event(50, 'disconnected'),
      event(55, 'connected'),
      event(56, 'rejected', ab),
      event(58, 'disconnected', { before_live: true }),
      event(60, 'connected'),
      event(61, 'subscribed', ab),
      event(62, 'live'),
    ],
    rejected: [
      ['a', []],
      ['b', []],
    ],
  },
  {
    name: 'what the other connection brings is not missing, whichever was refused first',
    entries: [
      on('d1', 10, 'rejected', a),
      on('d1', 12, 'live'),
      on('d2', 20, 'subscribed', a),
      on('d2', 22, 'live'),
      on('d1', 30, 'subscribed', a),
      on('d2', 40, 'unsubscribed', a),
      on('d2', 41, 'rejected', a),
    ],
    rejected: [['a', [[12, 20]]]],
  },
  {
    name: 'refused to both: until one of them is given it',
    entries: [
      on('d1', 10, 'rejected', a),
      on('d1', 12, 'live'),
      on('d2', 20, 'rejected', a),
      on('d2', 22, 'live'),
      on('d1', 30, 'disconnected'),
      on('d1', 35, 'connected'),
      on('d1', 40, 'subscribed', a),
    ],
    rejected: [['a', [[12, 40]]]],
  },
  {
    name: 'a journal that never says live: from the answer on',
    entries: [event(10, 'rejected', a), event(20, 'disconnected'), event(30, 'rejected', a)],
    rejected: [
      [
        'a',
        [
          [10, 20],
          [30, Infinity],
        ],
      ],
    ],
  },
]

for (const { name, entries, rejected } of refusals) {
  t.test(`rejected: ${name}`, t => {
    t.same(
      subscriptionsOf(entries, expiryMsOf).map(one => [
        one.channel,
        one.rejected.map(({ fromUs, toUs }) => [fromUs, toUs]),
      ]),
      rejected,
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
  t.same(
    without(spans, [
      { fromUs: 5, toUs: 8 },
      { fromUs: 7, toUs: 12 },
      { fromUs: 35, toUs: 90 },
    ]),
    [
      { fromUs: 0, toUs: 5 },
      { fromUs: 12, toUs: 25 },
      { fromUs: 30, toUs: 35 },
    ],
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
  for (const [kind, list] of Object.entries(names))
    for (const name of list) t.equal(targetOf(`quote.${name}`).channel.kind, kind, name)
  t.equal(targetOf('quote.future').subject, undefined)
  t.end()
})

t.test('targets of channels', t => {
  t.match(targetOf('book.BTC-PERPETUAL.100ms'), {
    family: 'book',
    channel: { kind: 'perpetual' },
    name: 'BTC-PERPETUAL',
  })
  t.match(targetOf('quote.BTC_USDC'), { family: 'quote', channel: { kind: 'spot' }, name: 'BTC_USDC' })
  t.match(targetOf('chart.trades.BTC-PERPETUAL.1'), {
    family: 'chart.trades',
    channel: { kind: 'perpetual' },
    name: 'BTC-PERPETUAL',
  })
  const whole = targetOf('trades.option.BTC.100ms')
  t.match(whole, { family: 'trades', name: undefined, channel: { kind: 'option', about: 'all BTC options' } })
  t.same(whole.partitions, ['option BTC'])
  t.same(targetOf('trades.future.BTC.100ms').kinds, ['future', 'perpetual'])
  t.match(targetOf('deribit_price_index.btc_usd'), {
    family: 'deribit_price_index',
    channel: { kind: 'index' },
    name: 'btc_usd',
  })
  t.equal(targetOf('platform_state').subject, undefined)
  t.equal(targetOf('announcements').subject, undefined)
  t.end()
})
