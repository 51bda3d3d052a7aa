import t from 'tap'
import type { Account } from '../../../coverage/account/account.js'
import { accountOf } from '../../../coverage/account/account-of.js'
import type { AccountFacts } from '../../../coverage/account/facts.js'
import { mergeAccounts } from '../../../coverage/account/merge.js'
import type { Span } from '../../../platform/spans.js'
import { CHANNELS, exchange, FAMILIES, S } from '../../fixtures/accounted-channels.js'
import { journalEntry } from '../../fixtures/journal-entry.js'

type Told = [second: number, event: string, detail?: object]
const of = (told: readonly Told[], more: Partial<AccountFacts> = {}, window: Span = { fromUs: 0, toUs: 100 * S }) => {
  let run = 'r'
  const entries = told.map(([second, event, detail = {}]) => {
    if (event === 'started') run = `r${second}`
    return journalEntry({ host: 'h1', run, recvUs: second * S }, event, { conn: 'd1', ...detail })
  })
  return accountOf({ exchange, entries, signs: [], alive: new Set(), vanished: [], nowUs: 100 * S, ...more }, window)
}
const states = (account: Account, family: string, about = 'BTC-PERPETUAL') => {
  const group = account.groups.find(({ channels }) =>
    channels.some(one => one.family === family && one.about === about),
  )
  return group?.spans.map(({ fromUs, toUs, state }) => [fromUs / S, toUs / S, state])
}
const begin: Told[] = [
  [1, 'started', { conn: undefined }],
  [2, 'connected'],
  [3, 'subscribed', { channels: CHANNELS }],
  [3, 'live', { channels: 6 }],
]
const outage: Told[] = [
  [40, 'disconnected', { cause: 'reset' }],
  [50, 'subscribed', { channels: CHANNELS }],
  [50, 'live', { channels: 6 }],
  [50, 'gap', { from_us: 39 * S, to_us: 50 * S, cause: 'reset', families: FAMILIES }],
]
const end: Told[] = [[90, 'stopped', { reason: 'test' }]]

t.test('an outage is missing in all but trades, which are healed once the exchange was asked', async t => {
  const compared: Told = [
    60,
    'compared',
    { scopes: ['perpetual BTC', 'option BTC'], from_us: 30 * S, to_us: 60 * S, trades: 8439 },
  ]
  const account = of([...begin, ...outage, compared, ...end])
  t.same(states(account, 'quote'), [
    [0, 3, 'not recording'],
    [3, 39, 'recorded'],
    [39, 50, 'missing'],
    [50, 90, 'recorded'],
    [90, 100, 'not recording'],
  ])
  t.same(states(account, 'trades')?.[2], [39, 50, 'healed'])
  t.same(account.trades, [{ exchange: 'deribit', recorded: 8439, missing: 0 }])
})

t.test('what came and was not kept is missing, also where the exchange was asked for its numbers', async t => {
  const compared: Told = [60, 'compared', { scopes: ['perpetual BTC', 'option BTC'], from_us: 30 * S, to_us: 60 * S }]
  const lost: Told = [70, 'lost', { channel: 'trades', frames: 3, cause: 'full', from_us: 42 * S, to_us: 45 * S }]
  t.same(states(of([...begin, ...outage, compared, lost, ...end]), 'trades')?.slice(2, 5), [
    [39, 42, 'healed'],
    [42, 45, 'missing'],
    [45, 50, 'healed'],
  ])
})

t.test('an outage of one connection was told of channels of another that was down just then', async t => {
  const [first = '', ...others] = CHANNELS
  const account = of([
    [1, 'started', { conn: undefined }],
    [3, 'subscribed', { channels: others }],
    [3, 'subscribed', { conn: 'd2', channels: [first] }],
    [40, 'disconnected', { conn: 'd2', cause: 'reset' }],
    [41, 'disconnected', { cause: 'reset' }],
    [43, 'subscribed', { conn: 'd2', channels: [first] }],
    [43, 'gap', { conn: 'd2', from_us: 39 * S, to_us: 43 * S, cause: 'reset', families: FAMILIES }],
    [60, 'subscribed', { channels: others }],
    [60, 'gap', { from_us: 41 * S, to_us: 60 * S, cause: 'reset', families: FAMILIES }],
    ...end,
  ])
  t.same(
    states(account, 'book')?.filter(([, , state]) => state === 'missing'),
    [[39, 43, 'missing']],
  )
})

t.test(
  'an outage after which its connection carried nothing was told as missing, though another carried all',
  async t => {
    const copies: Told[] = [
      [1, 'started', { conn: undefined }],
      [3, 'subscribed', { channels: CHANNELS }],
      [3, 'subscribed', { conn: 'd2', channels: CHANNELS }],
      [40, 'disconnected', { cause: 'reset' }],
      [43, 'live', { channels: 0 }],
    ]
    const signs = FAMILIES.map(family => ({ exchange: 'deribit', host: 'h1', run: 'r1', family, atUs: 60 * S }))
    const lostOf = (account: Account) => states(account, 'quote')?.filter(([, , state]) => state === 'missing')
    t.same(lostOf(of(copies, { signs })), [])
    const back: Told = [45, 'subscribed', { channels: CHANNELS }]
    t.same(lostOf(of([...copies, back], { signs })), [[40, 43, 'missing']], 'what came later may have come on it')
  },
)

t.test('of two recorders the one counts that has more', async t => {
  const [holed, whole] = [of([...begin, ...outage, ...end]), of([...begin, ...end])]
  for (const account of [mergeAccounts(holed, whole), mergeAccounts(whole, holed)])
    t.same(states(account, 'quote'), [
      [0, 3, 'not recording'],
      [3, 90, 'recorded'],
      [90, 100, 'not recording'],
    ])
})

t.test('trades are counted from the begin of what is asked for, not of the run', async t => {
  const compared = (second: number, trades: number): Told => [
    second,
    'compared',
    { scopes: ['perpetual BTC'], from_us: 10 * S, to_us: second * S, trades },
  ]
  const window = { fromUs: 50 * S, toUs: 100 * S }
  const { trades } = of([...begin, compared(30, 100), compared(60, 150), ...end], {}, window)
  t.same(trades, [{ exchange: 'deribit', recorded: 50, missing: 0 }])
})

t.test('trades of an outage of which nobody asked are not said to be there', async t => {
  t.same(states(of([...begin, ...outage, ...end]), 'trades')?.[2], [39, 50, 'missing'])
  const living = of([...begin, ...outage], {
    alive: new Set(['h1']),
    signs: [{ exchange: 'deribit', host: 'h1', run: 'r1', atUs: 80 * S }],
  })
  t.same(states(living, 'trades')?.[2], [39, 50, 'not yet known'], 'it is still to be asked')
})

t.test('what waited through a standstill is there, and its stamps are said to be late', async t => {
  const stood: Told = [60, 'stood_still', { conn: undefined, from_us: 40 * S, to_us: 60 * S }]
  const account = of([...begin, stood, ...end])
  const [spans] = account.groups.filter(({ channels }) => channels.some(({ family }) => family === 'quote'))
  t.same(
    spans?.spans.map(({ fromUs, toUs, state, cause }) => [fromUs / S, toUs / S, state, cause]),
    [
      [0, 3, 'not recording', undefined],
      [3, 40, 'recorded', undefined],
      [40, 61, 'recorded', 'the recorder stood still for 20 s: stamped late'],
      [61, 90, 'recorded', undefined],
      [90, 100, 'not recording', 'the recorder was stopped'],
    ],
  )
})

t.test('a trade that is missing by its number is missing in its instrument alone', async t => {
  const name = 'BTC-27NOV26-60000-C'
  const hole: Told = [
    60,
    'trade_hole',
    { instrument: name, from_seq: 3, to_seq: 4, from_us: 55 * S, to_us: 58 * S, cause: 'numbers' },
  ]
  const answer: Told = [
    61,
    'backfill',
    { instrument: name, from_seq: 3, to_seq: 4, trades: 1, got: [[3, 3]], outcome: 'partly' },
  ]
  const account = of([...begin, hole, answer, ...end])
  t.same(states(account, 'trades', name)?.[2], [55, 58, 'missing'])
  t.same(states(account, 'trades', 'all BTC options'), [
    [0, 3, 'not recording'],
    [3, 90, 'recorded'],
    [90, 100, 'not recording'],
  ])
  t.same(account.trades, [{ exchange: 'deribit', recorded: 0, missing: 1 }])
})

t.test('a book is unknown until its next snapshot, over connections and runs', async t => {
  const broken: Told = [
    20,
    'book_break',
    { channel: CHANNELS[0], instrument: 'BTC-PERPETUAL', from_us: 19 * S, to_us: 20 * S },
  ]
  const killed: Told[] = [
    [30, 'started', { conn: undefined }],
    [31, 'connected'],
    [32, 'subscribed', { channels: CHANNELS }],
    [32, 'live', { channels: 6 }],
  ]
  const account = of([...begin, broken, ...killed, ...end])
  t.same(states(account, 'book')?.slice(1, 5), [
    [3, 19, 'recorded'],
    [19, 20, 'missing'],
    [20, 32, 'not recording'],
    [32, 90, 'recorded'],
  ])
  t.same(states(account, 'book', 'ETH-PERPETUAL')?.[1], [3, 20, 'recorded'])
  const again: Told = [
    25,
    'book_break',
    { channel: CHANNELS[0], instrument: 'BTC-PERPETUAL', from_us: 24 * S, to_us: 25 * S },
  ]
  const resync: Told = [
    40,
    'resync',
    { channel: CHANNELS[0], instrument: 'BTC-PERPETUAL', change_id: 5, from_us: 19 * S, to_us: 40 * S },
  ]
  t.same(
    states(of([...begin, broken, again, resync, ...end]), 'book')?.[2],
    [19, 40, 'missing'],
    'not to its detection',
  )
})

t.test('a channel that was taken out of the config and put back was not wanted meanwhile', async t => {
  const quote = CHANNELS.filter(channel => !channel.startsWith('quote'))
  const without: Told[] = [
    [10, 'stopped', { reason: 'test' }],
    [11, 'started', { conn: undefined }],
    [12, 'subscribed', { channels: quote }],
    [12, 'live', { channels: 5 }],
    [60, 'stopped', { reason: 'test' }],
    [61, 'started', { conn: undefined }],
    [62, 'subscribed', { channels: CHANNELS }],
    [62, 'live', { channels: 6 }],
  ]
  const spans = of([...begin, ...without, ...end]).groups.find(({ channels }) =>
    channels.some(({ family }) => family === 'quote'),
  )?.spans
  t.same(
    spans?.map(({ fromUs, toUs, state, cause }) => [fromUs / S, toUs / S, state, cause]),
    [
      [0, 3, 'not recording', undefined],
      [3, 10, 'recorded', undefined],
      [10, 11, 'not recording', 'the recorder was stopped'],
      [11, 62, 'not recording', undefined],
      [62, 90, 'recorded', undefined],
      [90, 100, 'not recording', 'the recorder was stopped'],
    ],
  )
})

t.test(
  'frames that were not whole are missing until the next good one, unless another connection had them',
  async t => {
    const pieces: Told = [30, 'not_whole', { family: 'quote', frames: 40, from_us: 25 * S, to_us: 30 * S }]
    t.same(states(of([...begin, pieces, ...end]), 'quote')?.[2], [25, 30, 'missing'])
    const second: Told = [3, 'subscribed', { conn: 'd2', channels: CHANNELS }]
    t.same(states(of([...begin, second, pieces, ...end]), 'quote')?.[1], [3, 90, 'recorded'])
  },
)

t.test('an outage of two connections is over when one of them is back, though it was told of the other', async t => {
  const both: Told[] = [
    [3, 'connected', { conn: 'd2' }],
    [3, 'subscribed', { conn: 'd2', channels: CHANNELS }],
    [3, 'live', { conn: 'd2', channels: 6 }],
    [40, 'disconnected', { cause: 'reset' }],
    [42, 'disconnected', { conn: 'd2', cause: 'reset' }],
    [50, 'subscribed', { channels: CHANNELS }],
    [50, 'live', { channels: 6 }],
    [51, 'covered', { by: 'd2', cause: 'reset', families: FAMILIES, from_us: 40 * S, to_us: 42 * S }],
    [51, 'gap', { also: ['d2'], cause: 'reset; d2: reset', families: FAMILIES, from_us: 42 * S, to_us: 50 * S }],
    [60, 'subscribed', { conn: 'd2', channels: CHANNELS }],
    [60, 'live', { conn: 'd2', channels: 6 }],
    [61, 'covered', { conn: 'd2', by: 'd1', cause: 'reset', families: FAMILIES, from_us: 50 * S, to_us: 60 * S }],
  ]
  t.same(states(of([...begin, ...both, ...end]), 'quote')?.slice(1, 4), [
    [3, 42, 'recorded'],
    [42, 50, 'missing'],
    [50, 90, 'recorded'],
  ])
})

t.test('a recorder that was killed lived to the last line of its segments, not to its last word', async t => {
  const killed: Told[] = [
    [30, 'started', { conn: undefined }],
    [32, 'subscribed', { channels: CHANNELS }],
    [32, 'live', { channels: 6 }],
  ]
  const told: Told[] = [...begin, ...killed, ...end]
  let run = 'r'
  const entries = told.map(([second, event, detail = {}]) => {
    if (event === 'started') run = `r${second}`
    // As it is read from segments, whose names say the exchange.
    return {
      ...journalEntry({ host: 'h1', run, recvUs: second * S }, event, { conn: 'd1', ...detail }),
      exchange: 'deribit',
    }
  })
  const signs = [{ exchange: 'deribit', host: 'h1', run: 'r1', atUs: 28 * S }]
  const account = accountOf(
    { exchange, entries, signs, alive: new Set(), vanished: [], nowUs: 100 * S },
    { fromUs: 0, toUs: 100 * S },
  )
  t.same(states(account, 'quote')?.[2], [28, 32, 'not recording'])
})

t.test('a book that was silent when its recorder was killed is not said to have been there to its end', async t => {
  const killed: Told[] = [
    [30, 'started', { conn: undefined }],
    [32, 'subscribed', { channels: CHANNELS }],
    [32, 'live', { channels: 6 }],
  ]
  const sign = { exchange: 'deribit', host: 'h1', run: 'r1' }
  const signs = [
    { ...sign, family: 'quote', atUs: 28 * S },
    { ...sign, family: 'book', atUs: 25 * S },
  ]
  const account = of([...begin, ...killed, ...end], { signs })
  t.same(states(account, 'book')?.slice(1, 4), [
    [3, 25, 'recorded'],
    [25, 28, 'not recording'],
    [28, 32, 'not recording'],
  ])
  t.same(states(account, 'quote')?.[1], [3, 28, 'recorded'])
})

t.test(
  'of two connections, what one missed that was out when its recorder was killed was said to be missing',
  async t => {
    const two: Told[] = [
      [4, 'connected', { conn: 'd2' }],
      [4, 'subscribed', { conn: 'd2', channels: CHANNELS }],
      [4, 'live', { conn: 'd2', channels: 6 }],
      [20, 'disconnected', { cause: 'reset' }],
      [30, 'started', { conn: undefined }],
      [32, 'subscribed', { channels: CHANNELS }],
      [32, 'live', { channels: 6 }],
    ]
    const sign = { exchange: 'deribit', host: 'h1', run: 'r1' }
    const signs = [
      { ...sign, family: 'quote', atUs: 28 * S },
      // Heartbeats alone were its life.
      { ...sign, family: 'book', atUs: 20 * S },
    ]
    const account = of([...begin, ...two, ...end], { signs })
    t.same(states(account, 'quote')?.slice(1, 3), [
      [3, 28, 'recorded'],
      [28, 32, 'not recording'],
    ])
    t.same(states(account, 'book')?.slice(1, 3), [
      [3, 20, 'recorded'],
      [20, 28, 'not recording'],
    ])
  },
)

t.test('what waited in memory for a full disk when its recorder was killed was said to be there', async t => {
  const told = (after: Told[]): Told[] => [
    ...begin,
    [10, 'disk_error', { conn: undefined, what: 'append to quote', message: 'ENOSPC' }],
    ...after,
    [28, 'clock', { conn: undefined }],
    [30, 'started', { conn: undefined }],
    [32, 'subscribed', { channels: CHANNELS }],
    [32, 'live', { channels: 6 }],
  ]
  t.same(states(of([...told([]), ...end]), 'quote')?.slice(1, 4), [
    [3, 10, 'recorded'],
    [10, 28, 'missing'],
    [28, 32, 'not recording'],
  ])
  const again: Told = [20, 'room_again', { conn: undefined, after_ms: 10_000 }]
  t.same(states(of([...told([again]), ...end]), 'quote')?.[1], [3, 28, 'recorded'])
})
