import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Coverage } from '../../coverage/assess.js'
import type { Interval } from '../../coverage/intervals.js'
import { measureCoverage } from '../../coverage/measure.js'
import { writeLake } from '../fixtures/lake.js'
import { journal, rows, us } from './fixtures/lake-rows.js'
import { matchAll } from '../fixtures/match-all.js'

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
  wanted: Partial<Interval>[]
  /** Completeness by data; what is not named is whole. */
  complete?: Partial<Record<'quotes' | 'book depth' | 'trades', number>>
  also?: (root: string) => void
}

const none = { filled: false } as const
const span = (from: number, to: number) => ({ fromUs: us(from), toUs: us(to) })
const spanOf = (from: number, to: number) => ({ from_us: us(from), to_us: us(to) })
const everything = (share: number) => ({ quotes: share, 'book depth': share, trades: share })
/** What is counted and not measured in time keeps a line from being whole, and no more. */
const almost = 0.9999

const cases: Case[] = [
  {
    name: 'a connection lost: of what it carried, and of nothing else',
    entries: [
      [21, 'disconnected', { conn: 'd1', cause: 'reset' }],
      [29, 'connected', { conn: 'd1b' }],
      [30, 'subscribed', { conn: 'd1b', channels: channels('BTC-PERPETUAL') }],
      [30, 'gap', { conn: 'd1', cause: 'reset', families: ['quote', 'book', 'trades'], ...spanOf(20, 30) }],
    ],
    wanted: [{ gap: 'gap', conn: 'd1', cause: 'reset', ...span(20, 30), ...none }],
    complete: everything(0.95),
  },
  {
    name: 'lost, and not back yet',
    entries: [[80, 'disconnected', { conn: 'd2', cause: 'reset' }]],
    ends: [[100, 'clock', {}]],
    wanted: [{ gap: 'outage', conn: 'd2', ...span(80, 100), ...none }],
    complete: everything(0.9),
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
      { ...span(20, 40), cause: 'a' },
      { ...span(30, 50), cause: 'b' },
    ],
    complete: { quotes: 0.85 },
  },
  {
    name: 'covered by the other copy',
    entries: [[30, 'covered', { conn: 'd1', by: 'd2', cause: 'reset', families: ['quote'], ...spanOf(20, 30) }]],
    wanted: [{ gap: 'covered', ...span(20, 30), filled: true }],
  },
  {
    name: 'silent',
    entries: [[60, 'silent', { conn: undefined, family: 'quote', ...spanOf(40, 60) }]],
    wanted: [{ gap: 'silent', families: ['quote'], ...span(40, 60), ...none }],
    complete: { quotes: 0.8 },
  },
  {
    name: 'a book that broke: of this instrument, until the fresh snapshot',
    entries: [
      [40, 'book_break', { channel: 'book.BTC-PERPETUAL.100ms', instrument: 'BTC-PERPETUAL', ...spanOf(39, 40) }],
      [45, 'resync', { channel: 'book.BTC-PERPETUAL.100ms', instrument: 'BTC-PERPETUAL', ...spanOf(39, 45) }],
    ],
    wanted: [{ gap: 'book_break', instrument: 'BTC-PERPETUAL', families: ['book'], ...span(39, 45), ...none }],
    complete: { 'book depth': 0.97 },
  },
  {
    name: 'trades that were fetched',
    entries: [
      [40, 'trade_hole', { instrument: 'BTC-PERPETUAL', from_seq: 5, to_seq: 9, cause: 'gap', ...spanOf(30, 40) }],
      [50, 'backfill', { instrument: 'BTC-PERPETUAL', from_seq: 5, to_seq: 9, trades: 5, outcome: 'filled' }],
    ],
    wanted: [{ gap: 'trade_hole', instrument: 'BTC-PERPETUAL', ...span(30, 40), filled: true }],
  },
  {
    name: 'trades that could not be had',
    entries: [
      [40, 'trade_hole', { instrument: 'BTC-PERPETUAL', from_seq: 5, to_seq: 9, cause: 'gap', ...spanOf(30, 40) }],
      [50, 'backfill', { instrument: 'BTC-PERPETUAL', from_seq: 5, to_seq: 9, trades: 0, outcome: 'unavailable' }],
    ],
    wanted: [{ gap: 'trade_hole', instrument: 'BTC-PERPETUAL', ...span(30, 40), ...none }],
    complete: { trades: almost },
  },
  {
    name: 'lost by a full disk',
    entries: [[60, 'lost', { channel: 'quote', frames: 30, cause: 'disk full', ...spanOf(50, 60) }]],
    wanted: [{ gap: 'lost', families: ['quote'], cause: 'disk full', ...span(50, 60), ...none }],
    complete: { quotes: 0.9 },
  },
  {
    name: 'one frame lost: a moment without length',
    entries: [[60, 'lost', { channel: 'quote', frames: 1, cause: 'disk full', ...spanOf(50, 50) }]],
    wanted: [{ gap: 'lost', ...span(50, 50), ...none }],
    complete: { quotes: almost },
  },
  {
    name: 'paused: late, and not missing',
    entries: [
      [50, 'paused', { waiting_bytes: 1 }],
      [55, 'resumed', { waiting_bytes: 0 }],
    ],
    wanted: [{ gap: 'paused', ...span(50, 55), filled: true }],
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
    wanted: [
      { gap: 'not_recording', cause: 'the recorder was stopped', ...span(59, 70), ...none },
      { gap: 'not_subscribed', ...span(70, 72), ...none },
    ],
    complete: everything(0.87),
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
      { gap: 'outage', conn: 'd2', ...span(50, 60), ...none },
      { gap: 'not_recording', cause: 'the recorder ended without a word', ...span(60, 70), ...none },
    ],
    complete: everything(0.85),
  },
  {
    name: 'the clock was set',
    entries: [
      [50, 'clock_step', { step_us: 5_000_000 }],
      [60, 'clock_step', { step_us: -2_000_000 }],
    ],
    wanted: [
      { gap: 'clock_step', ...span(45, 50), filled: undefined },
      { gap: 'clock_step', ...span(60, 62), filled: undefined },
    ],
  },
  {
    name: 'refused, and taken later',
    entries: [
      [20, 'rejected', { channels: ['quote.SOL-PERPETUAL'] }],
      [60, 'subscribed', { channels: ['quote.SOL-PERPETUAL'] }],
    ],
    wanted: [{ gap: 'rejected', channels: new Set(['quote.SOL-PERPETUAL']), ...span(20, 60), ...none }],
    // A third instrument, wanted for 80 s of which 40 are there, and of which no row ever came.
    complete: { quotes: 2 / 3 },
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
    wanted: [{ gap: 'unreadable', families: ['quote'], ...span(30, 60), ...none }],
    complete: { quotes: 0.7 },
  },
  {
    name: 'lines in quarantine',
    entries: [],
    wanted: [{ gap: 'quarantine', families: ['quote'], cause: 'no price', count: 2, ...span(40, 41), ...none }],
    complete: { quotes: almost },
    also: root => {
      const family = 'exchange=deribit/channel=quote/date=2026-11-22'
      mkdirSync(join(root, 'quarantine', family), { recursive: true })
      const line = (second: number) => ({
        reason: 'no price',
        segment: `raw/${family}/hour=14/20261122T140000Z-h1-r1-1.jsonl.zst`,
        line: second,
        raw: `{"recv_us":${us(second)},"conn":"d1","seq":1,"frame":{"params":{"channel":"quote.BTC-PERPETUAL"}}}`,
      })
      const lines = [line(40), line(41)].map(one => `${JSON.stringify(one)}\n`)
      writeFileSync(join(root, 'quarantine', family, '20261122T140000Z-h1-r1-1.jsonl'), lines.join(''))
    },
  },
]

async function coverageOf(t: Test, { entries, ends = [end], also }: Case): Promise<Coverage> {
  const root = t.testdir()
  await writeLake(root, [journal([...begin, ...entries, ...ends], { name: 'day-h1' }), ...tables])
  also?.(root)
  // A live recorder, so that its story ends with the last row.
  return measureCoverage(root, { nowUs: us(200) })
}

for (const story of cases) {
  t.test(story.name, async t => {
    const { intervals, lines } = await coverageOf(t, story)
    matchAll(t, intervals, story.wanted)
    for (const data of ['quotes', 'book depth', 'trades'] as const) {
      const line = lines.find(one => one.data === data)
      const wanted = story.complete?.[data] ?? 1
      t.ok(Math.abs((line?.complete ?? 0) - wanted) < 1e-9, `${data}: found ${line?.complete}, wanted ${wanted}`)
      t.equal(line?.verdict === '✅', wanted === 1, `${data}: ${line?.verdict}`)
    }
  })
}
