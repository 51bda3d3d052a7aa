/** Books and silences by the names of channels: what is planned is found again, and nothing is expected that was not asked for. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { bybitConfig } from '../../exchanges/bybit/config.js'
import { parseInstruments } from '../../exchanges/bybit/instruments.js'
import { bybit } from '../../exchanges/bybit/main.js'
import { planChannels as planBybit } from '../../exchanges/bybit/plan-channels.js'
import { bringsBooks } from '../../exchanges/book.js'
import { deribitConfig } from '../../exchanges/deribit/config.js'
import { parseInstruments as parseDeribit } from '../../exchanges/deribit/instruments.js'
import { deribit } from '../../exchanges/deribit/main.js'
import { planChannels as planDeribit } from '../../exchanges/deribit/plan-channels.js'
import { droppedFirst, droppedLast, familyOf, type Exchange } from '../../exchanges/exchange.js'
import { okxConfig } from '../../exchanges/okx/config.js'
import { instrumentOf } from '../../exchanges/okx/instruments.js'
import { okx } from '../../exchanges/okx/main.js'
import { planChannels as planOkx } from '../../exchanges/okx/plan.js'
import { adapters, exchangeNamed, exchangeOf, exchanges } from '../../exchanges/registry.js'
import { neverRests, silenceLimits } from '../../exchanges/silence-limits.js'
import { holds } from '../fixtures/holds.js'

interface Planned {
  exchange: Pick<Exchange, 'name' | 'families' | 'names' | 'books'>
  /** Of some instruments: their names, and the channels that are recorded of them by default. */
  channels: string[]
  instruments: readonly string[]
}

const wireOf = (name: string, kind: string, over: object = {}) => ({
  instrument_name: name,
  kind,
  base_currency: 'BTC',
  settlement_currency: 'BTC',
  is_active: true,
  ...over,
})
const ofDeribit = parseDeribit([
  wireOf('BTC-PERPETUAL', 'future', { settlement_period: 'perpetual' }),
  wireOf('BTC-25DEC26', 'future', { settlement_period: 'month' }),
  wireOf('BTC-25DEC26-90000-C', 'option'),
]).instruments
const ofBybit = [
  ...parseInstruments('linear', [{ symbol: 'BTCUSDT', status: 'Trading', contractType: 'LinearPerpetual' }])
    .instruments,
  ...parseInstruments('option', [{ symbol: 'BTC-25DEC26-90000-C-USDT', status: 'Trading' }]).instruments,
  ...parseInstruments('spot', [{ symbol: 'BTCUSDT', status: 'Trading' }]).instruments,
]
const ofOkx = [
  ['SWAP', 'BTC-USDT-SWAP'],
  ['OPTION', 'BTC-USD-261225-90000-C'],
  ['SPOT', 'BTC-USDT'],
].flatMap(([instType, instId]) => instrumentOf({ instType, instId, state: 'live' }) ?? [])

const plans: readonly Planned[] = [
  {
    exchange: deribit,
    channels: [
      ...planDeribit(
        ofDeribit,
        deribitConfig.parse({ name: 'deribit', channels: { perpetual: ['book', 'book_grouped', 'trades', 'quote'] } }),
      ).keys(),
    ],
    instruments: ofDeribit.map(one => one.instrument_name),
  },
  {
    exchange: bybit,
    channels: [
      ...planBybit(
        ofBybit,
        bybitConfig.parse({
          name: 'bybit',
          depth: 50,
          channels: { spot: ['book', 'book_full', 'quote', 'trades', 'ticker'] },
        }),
      ).keys(),
    ],
    instruments: ofBybit.map(one => one.instrument_name),
  },
  {
    exchange: okx,
    channels: [...planOkx(ofOkx, okxConfig.parse({ adapter: 'okx', name: 'okx' })).keys()],
    instruments: ofOkx.map(one => one.instrument_name),
  },
]

for (const { exchange, channels, instruments } of plans) {
  const { name, names, books } = exchange
  t.test(`${name}: the full book of an instrument is found among all channels, whatever else is recorded of it`, t => {
    assert.ok(books)
    const isBook = (channel: string) => bringsBooks(books, names.familyOfChannel(channel))
    for (const instrument of instruments) {
      const heads = books.channelsOf(instrument)
      const own = channels.filter(channel => heads.some(head => channel === head || channel.startsWith(`${head}.`)))
      const inRows = names.nameInTables?.(instrument) ?? instrument
      t.ok(own.length > 0, instrument)
      for (const channel of own) t.equal(names.subjectOf(channel)?.name, inRows, channel)
      const finest = books.finestOf(own) ?? ''
      t.ok(isBook(finest), `${instrument}: ${finest}`)
      holds(
        t,
        fc.property(fc.shuffledSubarray(own, { minLength: own.length }), shuffled => {
          assert.equal(books.finestOf(shuffled), finest, 'in whatever order')
        }),
      )
      const others = own.filter(channel => !isBook(channel))
      t.equal(others.length === 0 ? undefined : books.finestOf(others), undefined, `none among ${others.join(' ')}`)
    }
    t.equal(books.finestOf([]), undefined)
    t.end()
  })

  t.test(`${name}: silence is one only of families that are subscribed, and more channels never make less of it`, t => {
    holds(
      t,
      fc.property(fc.subarray(channels), fc.subarray(channels), (one, other) => {
        const limits = silenceLimits(exchange, one)
        for (const [family, ms] of limits) {
          assert.ok(one.some(channel => names.familyOfChannel(channel) === family))
          assert.ok(ms >= 1000, 'no shorter than frames are late')
        }
        const both = silenceLimits(exchange, [...one, ...other])
        for (const [family, ms] of limits) assert.equal(both.get(family), ms)
        for (const channel of one)
          if (neverRests(exchange, channel)) assert.ok(limits.has(names.familyOfChannel(channel)), channel)
      }),
    )
    for (const channel of channels) {
      const { silence } = familyOf(exchange, names.familyOfChannel(channel))
      const isLimited = silence !== undefined && silence.channels?.test(channel) !== false
      t.equal(silenceLimits(exchange, [channel]).size, isLimited ? 1 : 0, channel)
    }
    t.ok(silenceLimits(exchange, channels).size > 0)
    t.equal(silenceLimits(exchange, ['nobody.knows', '']).size, 0)
    const options = channels.filter(channel => /trades|publicTrade/i.test(channel))
    t.notOk(
      options.some(channel => neverRests(exchange, channel)),
      'trades rest',
    )
    t.end()
  })
}

t.test(
  'Bybit: of books the deepest that comes whole is taken, one of all levels first, and best bids and asks are none',
  t => {
    const of = (...depths: string[]) => bybit.books?.finestOf(depths.map(depth => `orderbook.${depth}.BTCUSDT`))
    t.equal(of('1', '50', '1000', '200'), 'orderbook.1000.BTCUSDT')
    t.equal(of('1000', 'full', '50'), 'orderbook.full.BTCUSDT')
    t.equal(of('1'), undefined)
    t.equal(of('rpi', '1'), undefined)
    t.equal(
      bybit.books?.finestOf(['spot.orderbook.1000.BTCUSDT', 'orderbook.50.BTCUSDT']),
      'orderbook.50.BTCUSDT',
      'a name that is two instruments is the perpetual',
    )
    t.equal(okx.books?.finestOf(['books5.BTC-USDT', 'bbo-tbt.BTC-USDT', 'books.BTC-USDT']), 'books.BTC-USDT')
    t.equal(okx.books?.finestOf(['books5.BTC-USDT', 'books-rpi.BTC-USDT']), undefined)
    t.equal(
      deribit.books?.finestOf(['book.A.agg2', 'book.A.raw', 'book.A.none.20.100ms', 'book.A.100ms']),
      'book.A.raw',
    )
    t.equal(deribit.books?.finestOf(['book.A.none.20.100ms']), undefined)
    t.equal(bybit.books?.answerLagUs?.('spot.orderbook.full.BTCUSDT'), 30_000_000)
    t.equal(bybit.books?.answerLagUs?.('orderbook.50.BTCUSDT'), 0)
    t.end()
  },
)

t.test('which families are lost first: those of all exchanges in one order, the journal of none', t => {
  const first = droppedFirst(exchanges)
  const ranks = new Map<string, number>()
  for (const exchange of exchanges) {
    const last = droppedLast(exchange)
    t.equal(last.at(-1), 'journal')
    t.notOk(
      last.some(family => first.includes(family)),
      'none is both',
    )
    for (const family of last) t.equal(familyOf(exchange, family).dropOrder, 'last')
    for (const { name, dropOrder } of exchange.families)
      if (typeof dropOrder === 'number') ranks.set(name, Math.min(dropOrder, ranks.get(name) ?? Infinity))
  }
  t.strictSame([...first].sort(), [...ranks.keys()].sort(), 'each once, and no other')
  t.strictSame(
    first.map(name => ranks.get(name)),
    [...ranks.values()].sort((one, other) => one - other),
    'in one order',
  )
  t.same(droppedFirst([]), [])
  t.end()
})

t.test('whoever is named: the exchange of a folder, of a config, or a described feed', t => {
  for (const exchange of exchanges) {
    t.equal(exchangeNamed(exchange.name), exchange)
    t.equal(exchangeOf({ adapter: exchange.name }), exchange)
  }
  const feed = adapters.at(-1)
  for (const name of ['generic', 'kraken', '', '__proto__', 'constructor', 'DERIBIT'])
    t.equal(exchangeNamed(name), feed, name)
  t.end()
})
