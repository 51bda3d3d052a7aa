import t from 'tap'
import { measureAsked } from '../../coverage/account/measure.js'
import { summaryOf } from '../../coverage/account/account-summary.js'
import { exchangeNamed } from '../../exchanges/registry.js'
import { writeDataset } from '../fixtures/dataset.js'
import { journal, rows, us } from './fixtures/dataset-rows.js'

type Entry = [second: number, event: string, detail: object]

/** Two instruments, each with quotes, books and trades, on a connection of its own; 100 s, then the end in good order. */
const channels = (name: string) => [`quote.${name}`, `book.${name}.100ms`, `trades.${name}.100ms`]
const begin: Entry[] = [
  [0, 'started', { run: 'r1' }],
  [0, 'connected', { conn: 'd1' }],
  [0, 'connected', { conn: 'd2' }],
  [0, 'subscribed', { conn: 'd1', channels: channels('BTC-PERPETUAL') }],
  [0, 'subscribed', { conn: 'd2', channels: channels('ETH-PERPETUAL') }],
]
const end: Entry = [100, 'stopped', {}]

/** What was in the tables while all that happened: a row a second and instrument, so that nothing but the journal tells. */
const table = (name: string, columns: Record<string, string | number>) => ({
  table: name,
  kind: 'perpetual',
  currency: 'BTC',
  sql: rows(
    ['instrument_name', ...Object.keys(columns)],
    Array.from({ length: 100 }, (_, i) => [
      i,
      i % 2 === 0 ? 'BTC-PERPETUAL' : 'ETH-PERPETUAL',
      ...Object.values(columns).map(value => (value === 'next' ? (i - (i % 2)) / 2 : value)),
    ]),
  ),
})
const tables = [
  table('quote', {}),
  table('book', { type: 'snapshot', change_id: 1, prev_change_id: 0 }),
  table('trades', { trade_seq: 'next' }),
]

interface Case {
  name: string
  entries: Entry[]
  /** The story's end, where it has another. */
  ends?: Entry[]
  /** What is missing, in the order of time: why, and from and to which second. */
  wanted: [cause: string, from: number, to: number][]
  /** Completeness by data; what is not named is whole. */
  complete?: Partial<Record<'quotes' | 'book depth' | 'trades', number>>
}

const spanOf = (from: number, to: number) => ({ from_us: us(from), to_us: us(to) })
const everything = (share: number) => ({ quotes: share, 'book depth': share, trades: share })
const cases: Case[] = [
  {
    name: 'a connection lost: of what it carried, and of nothing else',
    entries: [
      [21, 'disconnected', { conn: 'd1', cause: 'reset' }],
      [29, 'connected', { conn: 'd1b' }],
      [30, 'subscribed', { conn: 'd1b', channels: channels('BTC-PERPETUAL') }],
      [30, 'gap', { conn: 'd1', cause: 'reset', families: ['quote', 'book', 'trades'], ...spanOf(20, 30) }],
    ],
    wanted: [['reset', 20, 30]],
    complete: everything(0.95),
  },
  {
    name: 'lost, and not back yet',
    entries: [[80, 'disconnected', { conn: 'd2', cause: 'reset' }]],
    ends: [[100, 'clock', {}]],
    wanted: [['reset', 80, 200]],
    complete: { quotes: 0.6, 'book depth': 0.6 },
  },
  {
    name: 'a connection renewed: no gap',
    entries: [
      [20, 'subscribed', { conn: 'd1b', channels: channels('BTC-PERPETUAL') }],
      [21, 'disconnected', { conn: 'd1', cause: 'renewed: 24 hours' }],
    ],
    wanted: [],
  },
  {
    name: 'gaps that overlap count once',
    entries: [
      [40, 'gap', { conn: 'd1', cause: 'a', families: ['quote'], ...spanOf(20, 40) }],
      [50, 'gap', { conn: 'd1', cause: 'b', families: ['quote'], ...spanOf(30, 50) }],
    ],
    wanted: [
      ['a', 20, 40],
      ['b', 40, 50],
    ],
    complete: { quotes: 0.85 },
  },
  {
    name: 'covered by the other copy',
    entries: [[30, 'covered', { conn: 'd1', by: 'd2', cause: 'reset', families: ['quote'], ...spanOf(20, 30) }]],
    wanted: [],
  },
  {
    name: 'silent',
    entries: [[60, 'silent', { conn: undefined, family: 'quote', ...spanOf(40, 60) }]],
    wanted: [['silent', 40, 60]],
    complete: { quotes: 0.8 },
  },
  {
    name: 'a book that broke: of this instrument, until the fresh snapshot',
    entries: [
      [40, 'book_break', { channel: 'book.BTC-PERPETUAL.100ms', instrument: 'BTC-PERPETUAL', ...spanOf(39, 40) }],
      [45, 'resync', { channel: 'book.BTC-PERPETUAL.100ms', instrument: 'BTC-PERPETUAL', ...spanOf(39, 45) }],
    ],
    wanted: [['a change of the book was missing, until the next snapshot', 39, 45]],
    complete: { 'book depth': 0.97 },
  },
  {
    name: 'trades that were fetched',
    entries: [
      [40, 'trade_hole', { instrument: 'BTC-PERPETUAL', from_seq: 5, to_seq: 9, cause: 'gap', ...spanOf(30, 40) }],
      [50, 'backfill', { instrument: 'BTC-PERPETUAL', from_seq: 5, to_seq: 9, trades: 5, outcome: 'filled' }],
    ],
    wanted: [],
  },
  {
    name: 'trades that could not be had',
    entries: [
      [40, 'trade_hole', { instrument: 'BTC-PERPETUAL', from_seq: 5, to_seq: 9, cause: 'gap', ...spanOf(30, 40) }],
      [50, 'backfill', { instrument: 'BTC-PERPETUAL', from_seq: 5, to_seq: 9, trades: 0, outcome: 'unavailable' }],
    ],
    wanted: [['5 trades missing by number', 30, 40]],
    complete: { trades: 0.95 },
  },
  {
    name: 'lost by a full disk',
    entries: [[60, 'lost', { channel: 'quote', frames: 30, cause: 'disk full', ...spanOf(50, 60) }]],
    wanted: [['disk full', 50, 60]],
    complete: { quotes: 0.9 },
  },
  {
    name: 'one frame lost: a moment without length',
    entries: [[60, 'lost', { channel: 'quote', frames: 1, cause: 'disk full', ...spanOf(50, 50) }]],
    wanted: [['disk full', 50, 50.000001]],
    complete: { quotes: 0.99999 },
  },
  {
    name: 'paused: late, and not missing',
    entries: [
      [50, 'paused', { waiting_bytes: 1 }],
      [55, 'resumed', { waiting_bytes: 0 }],
    ],
    wanted: [],
  },
  {
    name: 'stopped, and started again: down up to the subscriptions of the new run',
    entries: [
      [59, 'disconnected', { conn: 'd1', cause: 'stopping' }],
      [60, 'stopped', {}],
      [70, 'started', { run: 'r2' }],
      [72, 'subscribed', { conn: 'd1', channels: channels('BTC-PERPETUAL') }],
      [72, 'subscribed', { conn: 'd2', channels: channels('ETH-PERPETUAL') }],
    ],
    wanted: [['the recorder was stopped', 59, 72]],
    complete: everything(0.875),
  },
  {
    name: 'stopped, and started again: what a later connection carries was told as not subscribed until that came',
    entries: [
      [60, 'stopped', {}],
      [70, 'started', { run: 'r2' }],
      [71, 'connected', { conn: 'd1' }],
      [71, 'subscribed', { conn: 'd1', channels: channels('BTC-PERPETUAL') }],
      [72, 'live', { conn: 'd1' }],
      [73, 'connected', { conn: 'd2' }],
      [73, 'subscribed', { conn: 'd2', channels: channels('ETH-PERPETUAL') }],
      [73, 'live', { conn: 'd2' }],
    ],
    wanted: [['the recorder was stopped', 60, 73]],
    complete: everything(0.88),
  },
  {
    name: 'stopped, and started again without one of its connections: what that carried is not subscribed',
    entries: [
      [10, 'stopped', {}],
      [15, 'started', { run: 'r2' }],
      [16, 'connected', { conn: 'd1' }],
      [16, 'subscribed', { conn: 'd1', channels: channels('BTC-PERPETUAL') }],
      [16, 'live', { conn: 'd1' }],
      [90, 'subscribed', { conn: 'd2', channels: channels('ETH-PERPETUAL') }],
    ],
    wanted: [
      ['the recorder was stopped', 10, 16],
      ['wanted, and not subscribed', 16, 90],
    ],
    complete: everything(0.57),
  },
  {
    name: 'taken over by a new run that recorded before the old one ended: no gap',
    entries: [
      [60, 'disconnected', { conn: 'd1', cause: 'stopping' }],
      [60, 'disconnected', { conn: 'd2', cause: 'stopping' }],
      [61, 'stopped', {}],
      [62, 'started', { run: 'r2', took_over: true, since_us: us(59) }],
      [62, 'subscribed', { conn: 'd1', channels: channels('BTC-PERPETUAL') }],
      [62, 'subscribed', { conn: 'd2', channels: channels('ETH-PERPETUAL') }],
    ],
    wanted: [],
  },
  {
    name: 'killed while a connection was lost: down from the last that was heard',
    entries: [
      [50, 'disconnected', { conn: 'd2', cause: 'reset' }],
      [60, 'clock', {}],
      [70, 'started', { run: 'r2' }],
      [70, 'subscribed', { conn: 'd1', channels: channels('BTC-PERPETUAL') }],
      [70, 'subscribed', { conn: 'd2', channels: channels('ETH-PERPETUAL') }],
    ],
    wanted: [
      ['reset', 50, 60],
      ['the recorder ended without a word', 60, 70],
    ],
    complete: everything(0.85),
  },
  {
    name: 'the clock was set',
    entries: [
      [50, 'clock_step', { step_us: 5_000_000 }],
      [60, 'clock_step', { step_us: -2_000_000 }],
    ],
    wanted: [],
  },
  {
    name: 'refused, and taken later',
    entries: [
      [20, 'rejected', { channels: ['quote.SOL-PERPETUAL'] }],
      [60, 'subscribed', { channels: ['quote.SOL-PERPETUAL'] }],
    ],
    wanted: [['the exchange refused the subscription', 20, 60]],
    complete: { quotes: 6 / 7 },
  },
  {
    name: 'a segment of which nothing could be read',
    entries: [
      [
        60,
        'segment_unreadable',
        {
          path: 'raw/exchange=deribit/channel=quote/date=2026-11-22/hour=14/20261122T140030Z-h1-r0-1.jsonl.zst.open',
          moved_to: 'quarantine/unreadable/x',
        },
      ],
    ],
    wanted: [['a segment held nothing that can be read', 30, 60]],
    complete: { quotes: 0.7 },
  },
]

for (const { name, entries, ends = [end], wanted, complete } of cases) {
  t.test(name, async t => {
    const root = t.testdir()
    await writeDataset(root, [journal([...begin, ...entries, ...ends], { name: 'day-h1' }), ...tables])
    const { losses, lines } = summaryOf(await measureAsked(root, undefined, us(200)), exchangeNamed)
    const second = (at: number) => (at - us(0)) / 1e6
    const told = [...losses].sort((a, b) => a.fromUs - b.fromUs)
    t.same(
      told.map(({ cause, fromUs, toUs }) => [cause, second(fromUs), second(toUs)]),
      wanted,
    )
    for (const data of ['quotes', 'book depth', 'trades'] as const) {
      const found = lines.find(one => one.data === data)?.complete ?? 0
      const whole = complete?.[data] ?? 1
      t.ok(Math.abs(found - whole) < 1e-9, `${data}: found ${found}, wanted ${whole}`)
    }
  })
}
