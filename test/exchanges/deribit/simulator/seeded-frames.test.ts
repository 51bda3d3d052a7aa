import { createHash } from 'node:crypto'
import t from 'tap'
import { Logins } from '../../../../exchanges/deribit/simulator/auth.js'
import { Broker } from '../../../../simulator/broker.js'
import { openFeed } from '../../../../exchanges/deribit/simulator/channels.js'
import { Desk, MARKET_METHODS } from '../../../../exchanges/deribit/simulator/dispatch.js'
import { grammar } from '../../../../exchanges/deribit/simulator/main.js'
import { deribitPlan } from '../../../../exchanges/deribit/simulator/plan.js'
import { RoutedSpot } from '../../../../exchanges/deribit/simulator/routed-spot.js'
import { Faults } from '../../../../simulator/faults.js'
import { Market, type MarketOptions } from '../../../../simulator/market/market.js'

/** A minute around 08:00, so that instruments expire and their successors come. */
const OPTIONS: MarketOptions = {
  seed: 11,
  startMs: Date.UTC(2026, 10, 27, 7, 59, 30),
  stepMs: 10,
  eventsPerStep: 4,
  options: 60,
  depth: 20,
  newInstrumentEveryMs: 8_000,
}
const STEPS = 6_000

/** Channels of one instrument, of one index, and of the exchange. */
const OF_INSTRUMENT = [
  'book.@.raw',
  'book.@.100ms',
  'book.@.none.10.100ms',
  'book.@.5.20.agg2',
  'trades.@.100ms',
  'quote.@',
  'ticker.@.100ms',
  'ticker.@.agg2',
  'incremental_ticker.@',
  'perpetual.@.100ms',
  'chart.trades.@.1',
]
const OF_INDEX = [
  'deribit_price_index.@',
  'deribit_price_ranking.@',
  'deribit_price_statistics.@',
  'deribit_volatility_index.@',
  'markprice.options.@',
  'estimated_expiration_price.@',
]
const OF_EXCHANGE = [
  'trades.future.any.100ms',
  'trades.option.BTC.raw',
  'trades.spot.any.agg2',
  'trades.option_combo.any.raw',
  'trades.future_combo.any.raw',
  'instrument.state.any.any',
  'instrument.creation.any.any',
  'platform_state',
  'platform_state.public_methods_state',
  'announcements',
  'block_rfq.trades.BTC',
]

/** Calls whose answers are made from the market alone; `@now` stands for its time, ms. */
const CALLS: readonly [string, Record<string, unknown>][] = [
  ['public/get_instruments', { currency: 'any' }],
  ['public/get_instruments', { currency: 'any', expired: true }],
  ['public/get_expirations', { currency: 'grouped', kind: 'any' }],
  ['public/get_currencies', {}],
  ['public/get_combos', { currency: 'any' }],
  ['public/get_order_book', { instrument_name: 'BTC-PERPETUAL', depth: 50 }],
  ['public/get_book_summary_by_currency', { currency: 'BTC' }],
  ['public/get_last_trades_by_currency', { currency: 'ETH', count: 200 }],
  ['public/get_last_trades_by_instrument', { instrument_name: 'BTC-PERPETUAL', count: 200, start_seq: 1 }],
  ['public/get_block_rfq_trades', { currency: 'any', count: 20 }],
  ['public/get_funding_chart_data', { instrument_name: 'ETH-PERPETUAL', length: '24h' }],
  ['public/get_delivery_prices', { index_name: 'btc_usd' }],
  ['public/get_index_chart_data', { index_name: 'eth_usd', range: '1d' }],
  ['public/get_historical_volatility', { currency: 'BTC' }],
]

interface Family {
  frames: number
  /** The first digits of a SHA-256 over all of them. */
  digest: string
}

/** What each family of channels, and each method, said in the seeded minute. */
function seededMinute(): Record<string, Family> {
  const digests = new Map<string, { frames: number; hash: ReturnType<typeof createHash> }>()
  const note = (family: string, text: string | Buffer) => {
    const digest = digests.get(family) ?? { frames: 0, hash: createHash('sha256') }
    digest.frames++
    digest.hash.update(text).update('\n')
    digests.set(family, digest)
  }
  const market = new Market(deribitPlan, OPTIONS)
  const broker = new Broker(market, grammar)
  const subscriber = { deliver: (channel: string, frame: Buffer) => note(familyOf(channel), frame) }
  const subscribe = (patterns: readonly string[], name: string) => {
    for (const pattern of patterns) broker.subscribe(pattern.replace('@', name), subscriber)
  }
  for (const name of market.listings.keys()) subscribe(OF_INSTRUMENT, name)
  for (const name of market.indices.names) subscribe(OF_INDEX, name)
  subscribe(OF_EXCHANGE, '')
  const known = new Set(market.listings.keys())
  for (let step = 0; step < STEPS; step++) {
    market.step()
    broker.turn(market.nowMs)
    for (const name of market.listings.keys()) {
      if (known.has(name)) continue
      known.add(name)
      subscribe(OF_INSTRUMENT, name)
    }
  }
  const desk = new Desk(
    {
      market,
      combosByInstrument: true,
      routedSpot: new RoutedSpot([]),
      channels: broker,
      clock: { nowMs: () => market.nowMs, nowUs: () => market.nowMs * 1000 },
      faults: new Faults(() => undefined, grammar.wrap),
      logins: new Logins([], false),
      credits: undefined,
      rawForAll: true,
      accepts: channel => openFeed(channel, market) !== undefined,
      subscribed: () => undefined,
      version: '0',
    },
    MARKET_METHODS,
  )
  for (const [method, params] of CALLS)
    note(method, desk.answerRequest({ ip: '127.0.0.1' }, { id: 1, method, params }).text)
  return Object.fromEntries(
    [...digests]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([family, { frames, hash }]) => [family, { frames, digest: hash.digest('hex').slice(0, 16) }]),
  )
}

/** `book.100ms` of `book.BTC-PERPETUAL.100ms`: the name without what it is about. */
function familyOf(channel: string): string {
  return channel
    .split('.')
    .filter(word => /^[a-z0-9_]+$/.test(word) && !/^[a-z0-9]+_(?:usdc?|btc)$/.test(word))
    .join('.')
}

/** Change these only with what the simulator is meant to say. */
const EXPECTED: Record<string, Family> = {
  'block_rfq.trades': { frames: 5, digest: 'f1b34f3c58a3c0bd' },
  'book.100ms': { frames: 14070, digest: '2936193fe2bde20e' },
  'book.5.20.agg2': { frames: 3663, digest: 'e4e44b975ec52e21' },
  'book.none.10.100ms': { frames: 14069, digest: '5e2fedbdad5f35f0' },
  'book.raw': { frames: 23853, digest: 'afa30d3c7b5ff43a' },
  'chart.trades.1': { frames: 2917, digest: 'c36ebce1309a3b30' },
  deribit_price_index: { frames: 488, digest: 'a12d8936ae9e124c' },
  deribit_price_ranking: { frames: 488, digest: 'f700e9e464fa0bb6' },
  deribit_price_statistics: { frames: 40, digest: '95783c0aa907799f' },
  deribit_volatility_index: { frames: 122, digest: 'b16a9fa356384e90' },
  estimated_expiration_price: { frames: 488, digest: '69a37ea106011cfa' },
  incremental_ticker: { frames: 6176, digest: '52798c3cd727763c' },
  'instrument.creation.any.any': { frames: 12, digest: '2860642de0e560d0' },
  'instrument.state.any.any': { frames: 100, digest: '20eb6c20ef4a991d' },
  'markprice.options': { frames: 218, digest: 'af5537e66e9429b1' },
  'perpetual.100ms': { frames: 705, digest: 'ff299777e52636cd' },
  platform_state: { frames: 8, digest: 'c58440dd99b2ef0e' },
  'platform_state.public_methods_state': { frames: 1, digest: '629220e78c0bc737' },
  'public/get_block_rfq_trades': { frames: 1, digest: '616000faacf86017' },
  'public/get_book_summary_by_currency': { frames: 1, digest: 'ecb5fcd81e204a5d' },
  'public/get_combos': { frames: 1, digest: '0f1d7be55a8ae4c2' },
  'public/get_currencies': { frames: 1, digest: '2f840dc052900573' },
  'public/get_delivery_prices': { frames: 1, digest: '555671e46232d326' },
  'public/get_expirations': { frames: 1, digest: 'b93594ea9a103b04' },
  'public/get_funding_chart_data': { frames: 1, digest: 'a210a5ab401758aa' },
  'public/get_historical_volatility': { frames: 1, digest: '2f2619b23e14f3c6' },
  'public/get_index_chart_data': { frames: 1, digest: '2303d22d823fb727' },
  'public/get_instruments': { frames: 2, digest: '6e36503151eb29f9' },
  'public/get_last_trades_by_currency': { frames: 1, digest: '4824edaed1c55aa4' },
  'public/get_last_trades_by_instrument': { frames: 1, digest: 'f188735cdab765bf' },
  'public/get_order_book': { frames: 1, digest: 'a4510fb54a64368a' },
  quote: { frames: 16112, digest: '84676ab017d97cee' },
  'ticker.100ms': { frames: 11457, digest: '0313f0a9d58d1682' },
  'ticker.agg2': { frames: 3612, digest: 'a56ac584443176e1' },
  'trades.100ms': { frames: 2704, digest: 'bbae6eece45ee0bd' },
  'trades.future.any.100ms': { frames: 598, digest: 'bf860974251ecc0f' },
  'trades.future_combo.any.raw': { frames: 12, digest: 'dc9a554e149a890e' },
  'trades.option.raw': { frames: 208, digest: 'f51f6b92059e7f8b' },
  'trades.option_combo.any.raw': { frames: 16, digest: '79ccf8d4c1779d07' },
  'trades.spot.any.agg2': { frames: 59, digest: 'aa31600c4a2b9dbc' },
}

t.test('the same seed makes the same frames and answers, byte for byte, from version to version', t => {
  const found = seededMinute()
  for (const [family, expected] of Object.entries(EXPECTED)) t.strictSame(found[family], expected, family)
  t.strictSame(Object.keys(found), Object.keys(EXPECTED))
  t.end()
})
