import type { Family } from '../family.js'

/** What Deribit's own folder knows of a family besides. */
interface DeribitFamily extends Family {
  /**
   * What offers it, by the channel table of the exchange's documentation: every instrument, only perpetuals, every index,
   * indices of options, or the exchange as a whole. Without it no channel has its frames.
   */
  offeredBy?: 'instrument' | 'perpetual' | 'index' | 'option index' | 'exchange'
  /** Frames a second that a channel brings, of a perpetual at 100ms, by measurements of the live exchange. */
  framesPerSecond?: number
}

/** Every family of Deribit, in the order in which people see them. The channel `<name>.…` is of the family `name`. */
export const families = [
  {
    name: 'trades',
    table: 'trades',
    comes: 'streamed',
    dropOrder: 'last',
    bytesPerFrame: 115,
    offeredBy: 'instrument',
    framesPerSecond: 2,
    coverage: { data: 'trades', counted: { what: 'trades', unit: 'trades' } },
  },
  {
    name: 'quote',
    table: 'quote',
    comes: 'streamed',
    steady: true,
    silence: { ms: 60_000, channels: /\.(BTC|ETH)-PERPETUAL$/ },
    dropOrder: 12,
    bytesPerFrame: 35,
    offeredBy: 'instrument',
    framesPerSecond: 12,
    coverage: { data: 'quotes', first: true },
  },
  {
    name: 'book',
    table: 'book',
    comes: 'streamed',
    steady: true,
    silence: { ms: 60_000, channels: /\.(BTC|ETH)-PERPETUAL\./ },
    dropOrder: 11,
    bytesPerFrame: 60,
    offeredBy: 'instrument',
    framesPerSecond: 3,
    coverage: { data: 'book depth', first: true, counted: { what: 'book changes', unit: 'linked changes' } },
  },
  {
    name: 'book_grouped',
    channelsBegin: 'book',
    table: 'book_grouped',
    comes: 'streamed',
    dropOrder: 9,
    bytesPerFrame: 80,
    offeredBy: 'instrument',
    framesPerSecond: 3,
    coverage: { data: 'grouped book', first: true },
  },
  {
    name: 'ticker',
    table: 'ticker',
    comes: 'streamed',
    steady: true,
    silence: { ms: 30_000, channels: /\.(BTC|ETH)-PERPETUAL\./ },
    dropOrder: 10,
    bytesPerFrame: 75,
    offeredBy: 'instrument',
    framesPerSecond: 2.5,
    coverage: {
      data: 'ticker',
      first: true,
      parts: [
        { data: 'ticker: implied volatility', kind: 'option', column: 'mark_iv' },
        { data: 'ticker: greeks', kind: 'option', column: 'greeks_delta' },
        { data: 'ticker: funding', kind: 'perpetual', column: 'funding_8h' },
      ],
    },
  },
  {
    name: 'incremental_ticker',
    table: 'incremental_ticker',
    comes: 'streamed',
    steady: true,
    dropOrder: 8,
    bytesPerFrame: 60,
    offeredBy: 'instrument',
    framesPerSecond: 1,
    coverage: { data: 'incremental ticker', first: true },
  },
  {
    name: 'perpetual',
    table: 'perpetual',
    comes: 'streamed',
    steady: true,
    silence: { ms: 60_000, channels: /\.(BTC|ETH)-PERPETUAL\./ },
    bytesPerFrame: 30,
    offeredBy: 'perpetual',
    framesPerSecond: 1.5,
    coverage: { data: 'funding', first: true },
  },
  {
    name: 'deribit_price_index',
    table: 'price_index',
    comes: 'streamed',
    steady: true,
    silence: { ms: 5000, channels: /\.(btc|eth)_usd/ },
    offeredBy: 'index',
    framesPerSecond: 1,
    coverage: { data: 'index price', counted: { what: 'seconds', unit: 'seconds' } },
  },
  {
    name: 'deribit_price_ranking',
    table: 'price_ranking',
    comes: 'streamed',
    dropOrder: 3,
    offeredBy: 'index',
    framesPerSecond: 1,
    coverage: { data: 'index sources', first: true },
  },
  {
    name: 'deribit_price_statistics',
    table: 'price_statistics',
    comes: 'streamed',
    dropOrder: 4,
    offeredBy: 'index',
    framesPerSecond: 1,
    coverage: { data: 'index statistics', first: true },
  },
  {
    name: 'deribit_volatility_index',
    table: 'volatility_index',
    comes: 'streamed',
    steady: true,
    silence: { ms: 15_000 },
    offeredBy: 'index',
    framesPerSecond: 1,
    coverage: { data: 'volatility index', first: true },
  },
  {
    name: 'estimated_expiration_price',
    table: 'expiration_estimate',
    comes: 'streamed',
    dropOrder: 5,
    offeredBy: 'option index',
    framesPerSecond: 1,
    coverage: { data: 'expiry estimate', first: true },
  },
  {
    // A frame has a row for each option.
    name: 'markprice.options',
    table: 'option_marks',
    comes: 'streamed',
    steady: true,
    silence: { ms: 15_000 },
    dropOrder: 6,
    bytesPerFrame: 4000,
    offeredBy: 'option index',
    framesPerSecond: 1,
    coverage: { data: 'option marks' },
  },
  {
    name: 'chart.trades',
    table: 'candles',
    comes: 'streamed',
    dropOrder: 2,
    bytesPerFrame: 40,
    offeredBy: 'instrument',
    framesPerSecond: 1,
    coverage: { data: 'candles' },
  },
  {
    name: 'instrument.state',
    table: 'instrument_state',
    comes: 'streamed',
    offeredBy: 'exchange',
    framesPerSecond: 0.01,
  },
  {
    name: 'instrument.creation',
    table: 'instruments',
    comes: 'streamed',
    offeredBy: 'exchange',
    framesPerSecond: 0.01,
  },
  { name: 'platform_state', table: 'platform_state', comes: 'streamed', offeredBy: 'exchange', framesPerSecond: 0.01 },
  {
    name: 'block_rfq.trades',
    table: 'block_rfq_trades',
    comes: 'streamed',
    offeredBy: 'exchange',
    framesPerSecond: 0.01,
  },
  { name: 'announcements', table: 'announcements', comes: 'streamed', offeredBy: 'exchange', framesPerSecond: 0.01 },
  { name: 'funding_history', table: 'funding_history', comes: 'polled' },
  { name: 'candle_history', table: 'candles', comes: 'polled', dropOrder: 1 },
  { name: 'volatility_index_history', table: 'volatility_candles', comes: 'polled' },
  { name: 'book_summary', table: 'book_summary', comes: 'polled', dropOrder: 7 },
  { name: 'instruments', table: 'instruments', comes: 'polled' },
  // Answers that have no family of their own, heartbeats, errors.
  { name: 'rpc', comes: 'own' },
] as const satisfies readonly DeribitFamily[]

type Row = (typeof families)[number]
type Offer = NonNullable<DeribitFamily['offeredBy']>

const isOfferedBy =
  <By extends Offer>(...by: readonly By[]) =>
  (row: Row): row is Extract<Row, { offeredBy: By }> =>
    'offeredBy' in row && by.some(each => each === row.offeredBy)

/** Families that every instrument has channels of. */
export const instrumentFamilies = families.filter(isOfferedBy('instrument')).map(({ name }) => name)
/** The same of a perpetual. */
export const perpetualFamilies = families.filter(isOfferedBy('instrument', 'perpetual')).map(({ name }) => name)
export const indexFamilies = families.filter(isOfferedBy('index', 'option index')).map(({ name }) => name)
export const optionIndexFamilies = families.filter(isOfferedBy('option index')).map(({ name }) => name)
export const exchangeFamilies = families.filter(isOfferedBy('exchange')).map(({ name }) => name)

export type InstrumentFamily = (typeof perpetualFamilies)[number]
export type PolledFamily = Extract<Row, { comes: 'polled' }>['name']

const byName: ReadonlyMap<string, DeribitFamily> = new Map(families.map(row => [row.name, row]))

/** What is known of a family of Deribit's; undefined for one that it has not. */
export function familyNamed(name: string): DeribitFamily | undefined {
  return byName.get(name)
}
