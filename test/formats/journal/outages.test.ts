import t from 'tap'
import { accountOf } from '../../../coverage/account/account-of.js'
import { namedExchange } from '../../../coverage/account/read-facts.js'
import type { JournalEntry } from '../../../formats/journal/entry.js'
import { journalEntry } from '../../fixtures/journal-entry.js'
import { doubtsOf } from '../../../formats/journal/doubts.js'
import { gapsOf } from '../../../formats/journal/gaps.js'

const HOST = 'h1'
const S = 1_000_000
const DAY = 86_400
const CHANNELS = ['quote.BTC-PERPETUAL', 'ticker.BTC-PERPETUAL.100ms']
const FAMILIES = ['quote', 'ticker']

type Told = [second: number, event: string, detail?: object]

/** Entries of runs one after the other: each `started` begins one. */
function journalOf(told: readonly Told[]): JournalEntry[] {
  let run = 'r0'
  return told.map(([second, event, detail = {}]) => {
    if (event === 'started') run = `r${second}`
    return journalEntry({ host: HOST, run, recvUs: second * S }, event, { conn: 'd1', ...detail })
  })
}

const begin: Told[] = [
  [0, 'started', { conn: undefined }],
  [1, 'connected'],
  [2, 'subscribed', { channels: CHANNELS }],
  [2, 'live', { channels: 2 }],
]
const gap = (from: number, to: number, detail: object = {}): Told => [
  to,
  'gap',
  { cause: 'reset', families: FAMILIES, from_us: from * S, to_us: to * S, ...detail },
]
const lost = (second: number, detail: object = {}): Told => [second, 'disconnected', { cause: 'reset', ...detail }]
const subscribed = (second: number, detail: object = {}): Told => [
  second,
  'subscribed',
  { channels: CHANNELS, ...detail },
]
/** What 0.1.0 wrote: no word of when a connection carried all. */
const ofOld = (told: readonly Told[]) => told.filter(([, event]) => event !== 'live')

type Wanted = [kind: string, from: number, to: number | undefined]

const stories: { name: string; told: Told[]; wanted: Wanted[]; old?: boolean }[] = [
  {
    name: 'two connections that failed within one outage: it begins once and ends once',
    told: [...begin, lost(100), subscribed(110), lost(111), subscribed(120), lost(121), subscribed(140), gap(100, 140)],
    wanted: [['gap', 100, 140]],
    old: true,
  },
  {
    name: 'a run killed in an outage in which tries had failed: it ends with the run',
    told: [
      ...begin,
      lost(100),
      subscribed(110),
      lost(111),
      [150, 'clock'],
      [200, 'started', { conn: undefined }],
      subscribed(203),
      [203, 'live', { channels: 2 }],
    ],
    wanted: [
      ['outage', 100, 150],
      ['not recording', 150, 203],
    ],
  },
  {
    name: 'as 0.1.0 wrote it',
    told: ofOld([
      ...begin,
      lost(100),
      subscribed(110),
      lost(111),
      [150, 'clock'],
      [200, 'started', { conn: undefined }],
      subscribed(203),
    ]),
    wanted: [
      ['outage', 100, 150],
      ['not recording', 150, 200],
    ],
  },
  {
    name: 'tries that failed before the first connection was ever live end with it',
    told: ofOld([
      [0, 'started', { conn: undefined }],
      [1, 'connected'],
      subscribed(2),
      lost(3),
      subscribed(15),
      lost(16),
      subscribed(40),
      [900, 'clock'],
      lost(1000),
      subscribed(1005),
      gap(1000, 1005),
    ]),
    wanted: [
      ['outage', 3, 40],
      ['gap', 1000, 1005],
    ],
  },
  {
    name: 'and are no outage where the journal says that they had not been',
    told: [
      [0, 'started', { conn: undefined }],
      subscribed(2),
      lost(3, { before_live: true }),
      subscribed(40),
      [41, 'live', { channels: 2 }],
    ],
    wanted: [],
  },
  {
    name: 'a renewal that failed: the old connection carried on',
    told: [...begin, subscribed(100, { conn: 'd1b' }), lost(101, { conn: 'd1b' }), [5000, 'clock']],
    wanted: [],
    old: true,
  },
  {
    name: 'lost after a renewal, under its other name',
    told: [
      ...begin,
      subscribed(100, { conn: 'd1b' }),
      [101, 'disconnected', { cause: 'renewed: maintenance announced' }],
      lost(200, { conn: 'd1b' }),
      [300, 'clock'],
    ],
    wanted: [['outage', 200, undefined]],
    old: true,
  },
  {
    name: 'a gap that was told before does not end an outage',
    told: [...begin, lost(100), gap(50, 90, { families: ['quote'] }), [200, 'clock']],
    wanted: [
      ['outage', 100, undefined],
      ['gap', 50, 90],
    ],
    old: true,
  },
  {
    name: 'a run that never came to record is no pause between two that did',
    told: [
      ...begin,
      [100, 'stopped', { conn: undefined }],
      [200, 'started', { conn: undefined }],
      subscribed(201),
      lost(202, { before_live: true }),
      [300, 'stopped', { conn: undefined }],
      [400, 'started', { conn: undefined }],
      subscribed(401),
      [402, 'live', { channels: 2 }],
    ],
    wanted: [['not recording', 100, 402]],
  },
]

for (const { name, told, wanted, old } of stories) {
  t.test(name, t => {
    for (const one of old ? [told, ofOld(told)] : [told]) {
      const found = gapsOf(journalOf(one)).map(({ kind, fromUs, toUs }) => [
        kind,
        fromUs / S,
        toUs === undefined ? undefined : toUs / S,
      ])
      t.same(found, wanted)
      const entries = journalOf(one)
      const doubtedS = new Set(doubtsOf(entries, () => true).map(({ sinceUs }) => sinceUs / S))
      const trusted = wanted.filter(([, from]) => !doubtedS.has(from))
      t.same(trusted, [], 'and each book is unknown from then on')
    }
    t.end()
  })
}

t.test('a quiet day after an outage with failed tries is complete', t => {
  const story: Told[] = [...begin, lost(100), subscribed(110), lost(111), subscribed(140), gap(100, 140)]
  for (const [name, told] of [
    ['in the same run', story],
    ['after a kill', [...story.slice(0, -2), [150, 'clock'], [DAY, 'started'], subscribed(DAY + 5)] as Told[]],
  ] as const) {
    const hours: Told[] = Array.from({ length: 74 }, (_, hour) => [
      DAY + 3600 * hour + 10,
      'subscriptions',
      { channels: CHANNELS },
    ])
    const entries = ofOld([...told, ...hours])
    const window = { fromUs: 3 * DAY * S, toUs: 4 * DAY * S }
    const facts = { exchange: namedExchange('deribit'), signs: [], alive: new Set([HOST]), vanished: [] }
    const { groups } = accountOf({ ...facts, entries: journalOf(entries), nowUs: 5 * DAY * S }, window)
    t.same(
      groups.map(({ channels, spans }) => [channels.length, spans.map(({ state }) => state)]),
      [[2, ['recorded']]],
      name,
    )
  }
  t.end()
})
