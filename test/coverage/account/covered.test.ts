import t from 'tap'
import { isLost } from '../../../coverage/account/account.js'
import { accountOf } from '../../../coverage/account/account-of.js'
import type { Sign } from '../../../coverage/account/facts.js'
import { namedExchange } from '../../../coverage/account/read-facts.js'
import type { JournalEntry } from '../../../formats/journal/entry.js'
import { doubtsOf } from '../../../formats/journal/doubts.js'
import { spansOf } from '../../../formats/journal/gaps.js'
import { unionOf } from '../../../platform/spans.js'
import { journalEntry } from '../../fixtures/journal-entry.js'

const S = 1_000_000
const CHANNELS = ['quote.BTC-PERPETUAL', 'book.BTC-PERPETUAL.100ms']
const FAMILIES = ['book', 'quote']

type Told = [second: number, event: string, detail: object]
const entriesOf = (told: readonly Told[]): JournalEntry[] =>
  told.map(([second, event, detail]) => journalEntry({ recvUs: second * S }, event, detail))

const begin: Told[] = [
  [0, 'started', { run: 'r1' }],
  [1, 'subscribed', { conn: 'd1', channels: CHANNELS }],
  [1, 'live', { conn: 'd1', channels: 2 }],
  [1, 'subscribed', { conn: 'd2', channels: CHANNELS }],
  [1, 'live', { conn: 'd2', channels: 2 }],
  [50, 'disconnected', { conn: 'd1', cause: 'reset' }],
  [70, 'subscribed', { conn: 'd1', channels: CHANNELS }],
  [70, 'live', { conn: 'd1', channels: 2 }],
]
const span = (from: number, to: number) => ({ from_us: from * S, to_us: to * S })

/** When each family was there, and what the journal says was covered. */
function goodOf(told: readonly Told[]) {
  const entries = entriesOf(told)
  const facts = { exchange: namedExchange('deribit'), entries, signs: [], alive: new Set(['h1']), vanished: [] }
  const { groups } = accountOf({ ...facts, nowUs: 200 * S }, { fromUs: S, toUs: 100 * S })
  const good = groups.flatMap(({ spans, channels }) =>
    channels.map(({ family }) => [
      family,
      unionOf(spans.filter(span => !isLost(span))).map(({ fromUs, toUs }) => [fromUs / S, toUs / S]),
    ]),
  )
  const covered = spansOf(entries).filter(({ kind }) => kind === 'covered')
  return { covered, good: Object.fromEntries(good) as Record<string, number[][]> }
}

t.test('what the other connection went silent in, in the middle of an outage, is missing', t => {
  const { good } = goodOf([
    ...begin,
    [80, 'covered', { conn: 'd1', by: 'd2', cause: 'reset', families: ['book'], ...span(50, 70) }],
    [80, 'covered', { conn: 'd1', by: 'd2', cause: 'reset', families: ['quote'], ...span(50, 60) }],
    [80, 'gap', { conn: 'd1', also: ['d2'], cause: 'reset; d2: silent', families: ['quote'], ...span(60, 70) }],
  ])
  t.same(good['book'], [[1, 100]])
  t.same(
    good['quote'],
    [
      [1, 60],
      [70, 100],
    ],
    'though only the other one was subscribed when it began',
  )
  t.end()
})

t.test('a gap that is told after a span was covered takes its place', t => {
  const { good, covered } = goodOf([
    ...begin,
    [72, 'covered', { conn: 'd1', by: 'd2', cause: 'reset', families: FAMILIES, watched: ['quote'], ...span(50, 70) }],
    [95, 'gap', { conn: 'd2', also: ['d1'], cause: 'silent; d1: reset', families: ['quote'], ...span(55, 65) }],
  ])
  t.same(good['quote'], [
    [1, 55],
    [65, 100],
  ])
  t.same(
    covered.map(({ fromUs, toUs = Infinity, families }) => [fromUs / S, toUs / S, families]),
    [
      [50, 70, ['book']],
      [50, 55, ['quote']],
      [65, 70, ['quote']],
    ],
  )
  t.match(covered[0]?.cause, /without a frame to prove it: quote/)
  t.end()
})

t.test('books are unknown on each connection that brought nothing', t => {
  const told: Told[] = [
    [80, 'gap', { conn: 'd1', also: ['d2'], cause: 'reset; d2: silent', families: FAMILIES, ...span(60, 70) }],
    [81, 'covered', { conn: 'd2', by: 'd1', cause: 'silent', families: FAMILIES, ...span(70, 75) }],
    [82, 'silent', { conn: 'd1', family: 'book', ...span(80, 82) }],
    [83, 'silent', { conn: 'd1', family: 'quote', ...span(80, 82) }],
  ]
  t.same(
    doubtsOf(entriesOf(told), family => family === 'book').map(({ conn, sinceUs }) => [conn, sinceUs / S]),
    [
      ['d1', 60],
      ['d2', 60],
      ['d2', 70],
      ['d1', 80],
    ],
  )
  t.end()
})

t.test('what may rest was told as recorded up to a kill though no data had come for a while', t => {
  const entries = entriesOf([
    [0, 'started', { run: 'r1' }],
    [1, 'subscribed', { conn: 'd1', channels: [...CHANNELS, 'trades.BTC-PERPETUAL.100ms'] }],
    [1, 'live', { conn: 'd1', channels: 3 }],
  ])
  const lastLines: Record<string, number> = { quote: 40, book: 39, trades: 20, sent: 60, journal: 60 }
  const signs = Object.entries(lastLines).map(([family, second]) => {
    return { exchange: 'deribit', host: 'h1', run: 'r1', family, atUs: second * S }
  })
  const facts = { exchange: namedExchange('deribit'), entries, alive: new Set<string>(), vanished: [], nowUs: 200 * S }
  const endOf = (signs: readonly Sign[]) => {
    const { groups } = accountOf({ ...facts, signs }, { fromUs: S, toUs: 100 * S })
    const own = groups.find(({ channels }) => channels.some(({ family }) => family === 'trades'))
    return own?.spans.find(isLost)?.fromUs
  }
  t.equal(endOf(signs), 40 * S, 'from the last line of any data on')
  t.equal(endOf(signs.filter(({ family }) => family !== 'quote' && family !== 'book')), 60 * S, 'it may rest')
  t.end()
})
