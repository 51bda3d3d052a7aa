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
  'block_rfq.trades': { frames: 9, digest: '643c21f976621359' },
  'book.100ms': { frames: 14079, digest: 'ee54e97dd767570c' },
  'book.5.20.agg2': { frames: 3704, digest: 'd66f8c66589bc22b' },
  'book.none.10.100ms': { frames: 14080, digest: '7e769934a599575f' },
  'book.raw': { frames: 23869, digest: '1d42d2aaf205f6b7' },
  'chart.trades.1': { frames: 2953, digest: '7434aab7671b931d' },
  deribit_price_index: { frames: 488, digest: 'c09ad035ff1cf3cf' },
  deribit_price_ranking: { frames: 488, digest: 'bcd8b17134c1233f' },
  deribit_price_statistics: { frames: 40, digest: '0e90de39427cbb41' },
  deribit_volatility_index: { frames: 122, digest: 'e00b2d52a901843c' },
  estimated_expiration_price: { frames: 488, digest: 'bcbc1e9a7f63af01' },
  incremental_ticker: { frames: 6161, digest: 'a5dd3b8f90f9efa1' },
  'instrument.creation.any.any': { frames: 12, digest: '1f6f5ed1d0c0f0ed' },
  'instrument.state.any.any': { frames: 102, digest: 'db5dcf7d87fddd12' },
  'markprice.options': { frames: 229, digest: 'ed06c64fdd9601ea' },
  'perpetual.100ms': { frames: 702, digest: '2d8540c973e1900f' },
  platform_state: { frames: 8, digest: 'c58440dd99b2ef0e' },
  'platform_state.public_methods_state': { frames: 1, digest: '629220e78c0bc737' },
  'public/get_block_rfq_trades': { frames: 1, digest: '8ca6bcf84f3631ff' },
  'public/get_book_summary_by_currency': { frames: 1, digest: 'a216607b8d81e41c' },
  'public/get_combos': { frames: 1, digest: '0f1d7be55a8ae4c2' },
  'public/get_currencies': { frames: 1, digest: '2f840dc052900573' },
  'public/get_delivery_prices': { frames: 1, digest: '555671e46232d326' },
  'public/get_expirations': { frames: 1, digest: 'edd7288818759e60' },
  'public/get_funding_chart_data': { frames: 1, digest: '4bc36f6c7203db57' },
  'public/get_historical_volatility': { frames: 1, digest: '2f2619b23e14f3c6' },
  'public/get_index_chart_data': { frames: 1, digest: '2303d22d823fb727' },
  'public/get_instruments': { frames: 2, digest: '0f8370edad3df041' },
  'public/get_last_trades_by_currency': { frames: 1, digest: '6e0cfe770a53633d' },
  'public/get_last_trades_by_instrument': { frames: 1, digest: '9dfa97f8bf973d58' },
  'public/get_order_book': { frames: 1, digest: 'f5bd355fcacff658' },
  quote: { frames: 16134, digest: 'fbb5efe284f7b223' },
  'ticker.100ms': { frames: 11435, digest: '33929ca76c6b7a3b' },
  'ticker.agg2': { frames: 3633, digest: '8c3f9ea8a2a3150a' },
  'trades.100ms': { frames: 2752, digest: 'ab5968035b5bda9b' },
  'trades.future.any.100ms': { frames: 597, digest: 'c3911dae15f77a26' },
  'trades.future_combo.any.raw': { frames: 14, digest: 'eafed132714068ae' },
  'trades.option.raw': { frames: 238, digest: 'ca4d6650cd2b0d03' },
  'trades.option_combo.any.raw': { frames: 8, digest: '2ab45b0ab3651580' },
  'trades.spot.any.agg2': { frames: 55, digest: '2de66a29f53dd807' },
}

t.test('the same seed makes the same frames and answers, byte for byte, from version to version', t => {
  const found = seededMinute()
  for (const [family, expected] of Object.entries(EXPECTED)) t.strictSame(found[family], expected, family)
  t.strictSame(Object.keys(found), Object.keys(EXPECTED))
  t.end()
})
