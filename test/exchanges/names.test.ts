/** What names say, of any instrument on any day: each exchange's own rules, and what must hold of all. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { bybit } from '../../exchanges/bybit/main.js'
import { categoryOfName, channelOf, topicOf } from '../../exchanges/bybit/names.js'
import { deribit } from '../../exchanges/deribit/main.js'
import type { Exchange } from '../../exchanges/exchange.js'
import { okx } from '../../exchanges/okx/main.js'
import { argOf, describeArg } from '../../exchanges/okx/names.js'
import { holds } from '../fixtures/holds.js'

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']

/** Days at which something changes, and any others, until names of two digits end. */
const day = fc
  .oneof(
    fc.constantFrom([2028, 1, 29], [2026, 11, 31], [2027, 0, 1], [2026, 2, 29], [2099, 11, 31], [2000, 1, 29]),
    fc.integer({ min: 0, max: 27_000 }).map(days => {
      const date = new Date(Date.UTC(2025, 0, 1) + days * 86_400_000)
      return [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
    }),
  )
  .map(([year = 0, month = 0, date = 0]) => {
    const two = (number: number) => String(number).padStart(2, '0')
    return {
      inWords: `${date}${MONTHS[month]}${two(year % 100)}`,
      inDigits: `${two(year % 100)}${two(month + 1)}${two(date)}`,
      atMs: Date.UTC(year, month, date, 8),
    }
  })
const coin = fc.constantFrom('BTC', 'ETH', 'XRP', '1000PEPE', 'A')
const strike = fc.oneof(fc.integer({ min: 1, max: 999_999 }).map(String), fc.constantFrom('0.4', '12.25', '0.0125'))
const side = fc.constantFrom('C', 'P')

/** An instrument, and what its name says. */
interface Named {
  name: string
  kind: string
  currency: string
  expiryMs: number
}
const named = (name: string, kind: string, currency: string, expiryMs = Infinity): Named => ({
  name,
  kind,
  currency,
  expiryMs,
})

const pair = fc.constantFrom<readonly [string, string]>(
  ['BTC', 'BTC'],
  ['ETH', 'ETH'],
  ['SOL_USDC', 'USDC'],
  ['BTC_USDT', 'USDT'],
)
const ofDeribit = fc.oneof(
  pair.map(([base, currency]) => named(`${base}-PERPETUAL`, 'perpetual', currency)),
  fc
    .tuple(pair, day)
    .map(([[base, currency], { inWords, atMs }]) => named(`${base}-${inWords}`, 'future', currency, atMs)),
  fc
    .tuple(pair, day, strike, side)
    .map(([[base, currency], { inWords, atMs }, strike, side]) =>
      named(`${base}-${inWords}-${strike.replace('.', 'd')}-${side}`, 'option', currency, atMs),
    ),
  coin.map(base => named(`${base}_USDC`, 'spot', 'USDC')),
  fc
    .tuple(pair, day)
    .map(([[base, currency], { inWords, atMs }]) =>
      named(`${base}-FS-${inWords}_PERP`, 'future_combo', currency, atMs),
    ),
  fc
    .tuple(pair, day, fc.constantFrom('CS', 'PDIAG', 'STRG', 'X9'))
    .map(([[base, currency], { inWords, atMs }, code]) =>
      named(`${base}-${code}-${inWords}-90000_95000`, 'option_combo', currency, atMs),
    ),
)

const quarter = fc.tuple(fc.constantFrom('H', 'M', 'U', 'Z'), fc.integer({ min: 25, max: 60 })).map(([code, year]) => {
  const month = 'HMUZ'.indexOf(code) * 3 + 2
  const last = new Date(Date.UTC(2000 + year, month + 1, 0, 8))
  while (last.getUTCDay() !== 5) last.setUTCDate(last.getUTCDate() - 1)
  return { code: `${code}${year}`, atMs: last.getTime() }
})
const ofBybit = fc.oneof(
  coin.map(base => named(`${base}USDT`, 'perpetual', 'USDT')),
  coin.map(base => named(`${base}PERP`, 'perpetual', 'USDC')),
  coin.map(base => named(`${base}USD`, 'perpetual', base)),
  fc.tuple(coin, quarter).map(([base, { code, atMs }]) => named(`${base}USD${code}`, 'future', base, atMs)),
  fc.tuple(coin, day).map(([base, { inWords, atMs }]) => named(`${base}-${inWords}`, 'future', 'USDC', atMs)),
  fc.tuple(coin, day).map(([base, { inWords, atMs }]) => named(`${base}USDT-${inWords}`, 'future', 'USDT', atMs)),
  fc
    .tuple(coin, day, strike, side, fc.constantFrom('', '-USDT'))
    .map(([base, { inWords, atMs }, strike, side, settle]) =>
      named(`${base}-${inWords}-${strike}-${side}${settle}`, 'option', settle === '' ? 'USDC' : 'USDT', atMs),
    ),
  fc
    .tuple(coin, fc.constantFrom('USDT', 'USDC', 'EUR', 'BTC'))
    .filter(([base, quote]) => base !== quote)
    .map(([base, quote]) => named(`spot.${base}${quote}`, 'spot', quote)),
)

const quoted = fc
  .tuple(coin, fc.constantFrom('USD', 'USDT', 'USDC', 'USD_UM'))
  .map(([base, quote]) => ({ pair: `${base}-${quote}`, currency: quote === 'USD' ? base : quote.replace('_UM', '') }))
const ofOkx = fc.oneof(
  quoted.map(({ pair, currency }) => named(`${pair}-SWAP`, 'perpetual', currency)),
  fc
    .tuple(quoted, day)
    .map(([{ pair, currency }, { inDigits, atMs }]) => named(`${pair}-${inDigits}`, 'future', currency, atMs)),
  fc
    .tuple(quoted, day, strike, side)
    .map(([{ pair, currency }, { inDigits, atMs }, strike, side]) =>
      named(`${pair}-${inDigits}-${strike}-${side}`, 'option', currency, atMs),
    ),
  fc
    .tuple(coin, fc.constantFrom('USDT', 'EUR', 'BTC'))
    .map(([base, quote]) => named(`${base}-${quote}`, 'spot', quote)),
)

interface Subject {
  exchange: Pick<Exchange, 'name' | 'names'>
  instrument: fc.Arbitrary<Named>
  /** Channels of an instrument, and the families that they are of. */
  channels: (instrument: Named) => readonly (readonly [channel: string, family: string])[]
}

const subjects: readonly Subject[] = [
  {
    exchange: deribit,
    instrument: ofDeribit,
    channels: ({ name }) => [
      [`book.${name}.100ms`, 'book'],
      [`book.${name}.none.20.100ms`, 'book_grouped'],
      [`trades.${name}.raw`, 'trades'],
      [`quote.${name}`, 'quote'],
      [`chart.trades.${name}.1D`, 'chart.trades'],
    ],
  },
  {
    exchange: bybit,
    instrument: ofBybit,
    channels: ({ name, kind }) => {
      const [before, behind] = kind === 'spot' ? ['spot.', '.spot'] : ['', '']
      const symbol = topicOf(name)
      return [
        [`${before}orderbook.50.${symbol}`, `book${behind}`],
        [`${before}orderbook.1.${symbol}`, `quote${behind}`],
        [`${before}tickers.${symbol}`, `ticker${behind}`],
        [`${before}kline.D.${symbol}`, `candles${behind}`],
      ]
    },
  },
  {
    exchange: okx,
    instrument: ofOkx,
    channels: ({ name }) => [
      [`books.${name}`, 'books'],
      [`trades.${name}`, 'trades'],
      [`candle1Dutc.${name}`, 'candle'],
      [`mark-price-candle3M.${name}`, 'mark-price-candle'],
      [`tickers.${name}`, 'tickers'],
    ],
  },
]

for (const { exchange, instrument, channels } of subjects) {
  const { partitionOfInstrument, partitionOfChannel, familyOfChannel, subjectOf, isAbout, expiryMsOf } = exchange.names
  const inRows = (name: string) => exchange.names.nameInTables?.(name) ?? name

  t.test(
    `${exchange.name}: kind, currency and end of any instrument stand in its name and in those of its channels`,
    t => {
      holds(
        t,
        fc.property(instrument, instrument, (one, other) => {
          const { name, kind, currency, expiryMs } = one
          assert.deepEqual(partitionOfInstrument(name), { kind, currency }, name)
          assert.equal(exchange.names.nameOfRow?.(inRows(name), kind) ?? name, name, 'a row names it back')
          for (const [channel, family] of channels(one)) {
            assert.equal(familyOfChannel(channel), family, channel)
            assert.equal(expiryMsOf(channel), expiryMs, channel)
            const subject = subjectOf(channel)
            assert.deepEqual(subject, { family, kinds: [kind], name: inRows(name) })
            assert.ok(isAbout(subject, inRows(name)))
            if (inRows(other.name) !== inRows(name)) assert.ok(!isAbout(subject, inRows(other.name)), other.name)
            assert.deepEqual(partitionOfChannel(channel), { kind, currency }, 'its frames lie where its rows do')
          }
        }),
        { numRuns: 300 },
      )
      t.end()
    },
  )
}

t.test('what a channel of a whole kind brings is of each instrument of it, and of no other', t => {
  holds(
    t,
    fc.property(ofDeribit, ofOkx, ofBybit, (deribits, okxs, bybits) => {
      const brings = ({ names }: Pick<Exchange, 'names'>, channel: string, name: string) => {
        const subject = names.subjectOf(channel)
        return subject !== undefined && names.isAbout(subject, name)
      }
      const kindsOfFuture = ['future', 'perpetual']
      for (const currency of ['BTC', 'ETH', 'USDC']) {
        const isOf = deribits.currency === currency
        assert.equal(
          brings(deribit, `trades.option.${currency}.100ms`, deribits.name),
          isOf && deribits.kind === 'option',
        )
        assert.equal(
          brings(deribit, `trades.future.${currency}.raw`, deribits.name),
          isOf && kindsOfFuture.includes(deribits.kind),
        )
        assert.equal(
          brings(deribit, `trades.combo.${currency}.raw`, deribits.name),
          isOf && deribits.kind.endsWith('combo'),
        )
      }
      assert.ok(brings(deribit, 'trades.any.any.raw', deribits.name))
      assert.equal(brings(okx, 'instruments.OPTION', okxs.name), okxs.kind === 'option')
      assert.equal(brings(okx, 'liquidation-orders.SWAP', okxs.name), okxs.kind === 'perpetual')
      for (const family of ['BTC-USD', 'BTC-USD_UM', 'ETH-USD_UM', 'BTC-USDT'])
        assert.equal(
          brings(okx, `opt-summary.${family}`, okxs.name),
          okxs.kind === 'option' && okxs.name.split('-', 2).join('-') === family,
          `${family} ${okxs.name}`,
        )
      const isOfBtc = bybits.name.startsWith('BTC-')
      assert.equal(brings(bybit, 'publicTrade.BTC', bybits.name), bybits.kind === 'option' && isOfBtc)
    }),
    { numRuns: 300 },
  )
  t.end()
})

t.test("OKX's names of channels are spelled on the wire and read back", t => {
  const of = (instrument: Named) => [
    ...(subjects[2]?.channels(instrument).map(([channel]) => channel) ?? []),
    `estimated-price.${instrument.name}`,
    `index-tickers.${instrument.name.split('-', 2).join('-')}`,
    'opt-summary.BTC-USD',
    'option-trades.BTC-USD',
    'liquidation-orders.SWAP',
    'status',
  ]
  holds(
    t,
    fc.property(ofOkx, instrument => {
      for (const channel of of(instrument)) {
        const arg = JSON.stringify(argOf(channel))
        assert.equal(describeArg(arg.slice(1, -1)).channel, channel, arg)
      }
    }),
  )
  t.equal(argOf('nobody.knows'), undefined)
  t.end()
})

t.test("Bybit's categories follow from names, and channels of two categories never bear one name", t => {
  holds(
    t,
    fc.property(ofBybit, ofBybit, (one, other) => {
      const category = one.kind === 'spot' ? 'spot' : categoryOfName(one.name)
      const expected: Record<string, string> = { option: 'option', spot: 'spot' }
      const isInverse = one.kind !== 'option' && !['USDT', 'USDC'].includes(one.currency)
      assert.equal(category, expected[one.kind] ?? (isInverse ? 'inverse' : 'linear'))
      const channelsOf = ({ kind, name }: Named) => {
        const socket = kind === 'spot' ? 'spot' : 'linear'
        return ['tickers', 'orderbook.1', 'publicTrade'].map(head => channelOf(socket, `${head}.${topicOf(name)}`))
      }
      if (one.name !== other.name) {
        const known = channelsOf(other)
        assert.ok(!channelsOf(one).some(channel => known.includes(channel)))
      }
    }),
  )
  t.end()
})
