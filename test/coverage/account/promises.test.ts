/** What exchanges say of channels, and what of it is counted as recorded: by a journal with times of its own. */
import t from 'tap'
import { accountOf } from '../../../coverage/account/account-of.js'
import { exchangeNamed } from '../../../exchanges/registry.js'
import { unionOf } from '../../../platform/spans.js'
import { journalEntry } from '../../fixtures/journal-entry.js'
import { framesInside } from '../../fixtures/truth/judge.js'

const S = 1_000_000
type Told = [second: number, event: string, detail?: object]

/** Spans of a channel in which it is told as missing, s. */
function missing(exchange: 'okx' | 'bybit', channel: string, told: readonly Told[]): number[][] {
  const { families, names } = exchangeNamed(exchange)
  const entries = told.map(([second, event, detail = {}]) =>
    journalEntry({ exchange, host: 'h1', run: 'r1', recvUs: second * S }, event, { conn: 'd1', ...detail }),
  )
  const facts = {
    exchange: { name: exchange, families, names },
    entries,
    signs: [],
    alive: new Set<string>(),
    vanished: [],
  }
  const { groups } = accountOf({ ...facts, nowUs: 100 * S }, { fromUs: 0, toUs: 100 * S })
  const { family, name = channel } = names.subjectOf(channel) ?? { family: names.familyOfChannel(channel) }
  const own = groups.find(({ channels }) => channels.some(one => one.family === family && one.about === name))
  const lost = (own?.spans ?? []).filter(({ state }) => state === 'missing')
  return unionOf(lost).map(({ fromUs, toUs }) => [fromUs / S, toUs / S])
}

const VENUES = [
  { exchange: 'okx', book: 'books.ETH-USDT', other: 'trades.ETH-USDT' },
  { exchange: 'bybit', book: 'orderbook.50.ETHUSDT', other: 'publicTrade.ETHUSDT' },
] as const

for (const { exchange, book, other } of VENUES) {
  const channels = [book, other]
  const begin: Told[] = [
    [1, 'started', { conn: undefined }],
    [2, 'connected'],
    [3, 'subscribed', { channels }],
    [3, 'live', { channels: 2 }],
  ]
  const end: Told = [90, 'stopped', { reason: 'test' }]
  const ask = (channel: string, ...told: Told[]) => missing(exchange, channel, [...begin, ...told, end])

  t.test(`${exchange}: of a promise that was not kept the time before it was told was complete`, t => {
    const given: Told = [
      45,
      'rejected',
      { channels: [book], message: 'no frame came', again_in_s: 60, since_us: 3 * S },
    ]
    t.same(ask(book, given), [[3, 90]])
    t.same(ask(other, given), [], 'the others are as they were')
    t.same(ask(book, given, [70, 'subscribed', { channels: [book] }]), [[3, 70]], 'until it comes after all')
    t.end()
  })

  t.test(`${exchange}: a channel taken anew and not given back for a while was wanted by nobody meanwhile`, t => {
    const anew: Told = [40, 'unsubscribed', { channels: [book], reason: 'planned snapshot' }]
    const refused: Told = [50, 'rejected', { channels: [book], message: 'no answer', again_in_s: 60 }]
    const back: Told = [60, 'subscribed', { channels: [book] }]
    t.same(ask(book, anew, refused, back), [[40, 60]])
    t.same(ask(book, anew, back), [[40, 60]])
    t.same(ask(other, anew, refused, back), [])
    t.same(ask(book, [40, 'unsubscribed', { channels: [book] }]), [], 'what is given up is wanted no more')
    t.end()
  })

  t.test(
    `${exchange}: what one connection refused was told as refused while the other took it anew for a moment`,
    t => {
      const other = { conn: 'd2', channels: [book] }
      const told: Told[] = [
        [4, 'connected', { conn: 'd2' }],
        [5, 'subscribed', { conn: 'd2', channels }],
        [5, 'live', { conn: 'd2', channels: 2 }],
        [40, 'unsubscribed', { channels: [book], reason: 'silent' }],
        [45, 'rejected', { channels: [book], message: 'no answer', again_in_s: 2 }],
        [50, 'unsubscribed', { ...other, reason: 'nothing came' }],
        [50.0006, 'subscribed', { ...other, reason: 'nothing came' }],
        [60, 'disconnected', { cause: 'nothing received for 30 s' }],
        [61, 'covered', { by: 'd2', from_us: 30 * S, to_us: 61 * S, families: [] }],
      ]
      t.same(ask(book, ...told), [])
      const later = told.map(([at, ...rest]): Told => [at === 50.0006 ? 53 : at, ...rest])
      t.same(ask(book, ...later), [[50, 53]], 'not where it takes longer')
      t.end()
    },
  )

  t.test(
    `${exchange}: a book taken anew while another connection takes it over is missing from one to the other`,
    t => {
      const told: Told[] = [
        [40, 'unsubscribed', { channels: [book], reason: 'book break' }],
        [43, 'subscribed', { conn: 'd2', channels: [book] }],
        [44, 'subscribed', { channels: [book], reason: 'book break' }],
        [45, 'unsubscribed', { channels: [book] }],
      ]
      t.same(ask(book, ...told), [[40, 43]])
      t.end()
    },
  )

  t.test(`${exchange}: between two outages stands what came before the connection was cut again`, t => {
    const family = exchangeNamed(exchange).names.familyOfChannel(book)
    const cut = { cause: 'cut by the far end (1006)' }
    const outage = (fromUs: number, toUs: number) => ({
      ...cut,
      from_us: fromUs * S,
      to_us: toUs * S,
      families: [family],
    })
    // First frames come before the answers, and so before the connection is live: it is cut right behind them.
    const told: Told[] = [
      [40, 'disconnected', cut],
      [43.2, 'subscribed', { channels }],
      [43.2, 'live', { channels: 2 }],
      [43.2, 'gap', outage(40, 43.2)],
      [43.3, 'disconnected', cut],
      [47, 'subscribed', { channels }],
      [47, 'live', { channels: 2 }],
      [47, 'gap', outage(43, 47)],
    ]
    t.same(ask(book, ...told), [[40, 47]])
    const span = { fromUs: 40 * S, toUs: 47 * S }
    const inside = (...seconds: number[]) =>
      framesInside(
        span,
        seconds.map(at => at * S),
        S,
        { backUs: [43.2 * S] },
      )
    t.same(inside(40.5, 43, 46.5), [], 'near the ends of either')
    t.same(inside(41.5, 45.5), [41.5 * S, 45.5 * S], 'whoever tells what is here as missing is found out')
    t.end()
  })

  t.test(`${exchange}: an answer that never comes for one of many topics is missing of that one alone`, t => {
    const journal: Told[] = [
      [1, 'started', { conn: undefined }],
      [2, 'connected'],
      [3, 'subscribed', { channels: [other] }],
      [8, 'rejected', { channels: [book], message: 'no answer', again_in_s: 60 }],
      [8, 'live', { channels: 1 }],
      [70, 'subscribed', { channels: [book] }],
      end,
    ]
    t.same(missing(exchange, book, journal), [[8, 70]])
    t.same(missing(exchange, other, journal), [])
    t.end()
  })
}
