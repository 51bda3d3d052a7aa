import type { Family } from '../family.js'

/** What OKX's own folder knows of a family besides. */
export interface OkxFamily extends Family {
  /** What its channels are about; without it no channel has its frames. A family is called as its channels on the wire are. */
  by?: 'instrument' | 'index' | 'family' | 'family of a type' | 'type' | 'nothing'
  /** Its channels are on the socket of business data, not on that of public data. */
  isBusiness?: true
  /** Kinds of instruments that have it, where not all have. */
  kinds?: readonly ConfigKind[]
  /** Frames a second that a channel brings, of BTC-USDT-SWAP, by measurements of the live exchange. */
  framesPerSecond?: number
}

/** Kinds as the config names them. */
export type ConfigKind = 'perpetual' | 'future' | 'option' | 'spot'

const DERIVATIVES: readonly ConfigKind[] = ['perpetual', 'future', 'option']
const BUSY = /\.(BTC|ETH)-USDT(-SWAP)?$/

/** Every family of OKX, in the order in which people see them. */
export const families = [
  {
    name: 'trades',
    table: 'trades',
    comes: 'streamed',
    dropOrder: 'last',
    bytesPerFrame: 60,
    by: 'instrument',
    framesPerSecond: 3,
    coverage: { data: 'trades', counted: { what: 'trades', unit: 'trades' } },
  },
  {
    // One row for each fill, where `trades` has one for each price that an order was filled at.
    name: 'trades-all',
    table: 'trade_fills',
    comes: 'streamed',
    bytesPerFrame: 60,
    by: 'instrument',
    isBusiness: true,
    framesPerSecond: 6,
    coverage: { data: 'fills', counted: { what: 'trades', unit: 'fills' } },
  },
  {
    name: 'option-trades',
    table: 'option_trades',
    comes: 'streamed',
    bytesPerFrame: 90,
    by: 'family of a type',
    kinds: ['option'],
    framesPerSecond: 0.2,
    coverage: { data: 'option trades' },
  },
  {
    name: 'bbo-tbt',
    table: 'quote',
    comes: 'streamed',
    steady: true,
    silence: { ms: 60_000, channels: BUSY },
    dropOrder: 12,
    bytesPerFrame: 45,
    by: 'instrument',
    framesPerSecond: 25,
    coverage: { data: 'quotes', first: true },
  },
  {
    name: 'books',
    table: 'book',
    comes: 'streamed',
    steady: true,
    silence: { ms: 60_000, channels: BUSY },
    dropOrder: 11,
    bytesPerFrame: 120,
    by: 'instrument',
    framesPerSecond: 10,
    coverage: { data: 'book depth', first: true, counted: { what: 'book changes', unit: 'linked changes' } },
  },
  // Given only to those who log in and trade much: recordings of others have it.
  { name: 'books-l2-tbt', table: 'book', comes: 'streamed', dropOrder: 11, by: 'instrument' },
  { name: 'books50-l2-tbt', table: 'book', comes: 'streamed', dropOrder: 11, by: 'instrument' },
  {
    name: 'books5',
    table: 'book_top',
    comes: 'streamed',
    dropOrder: 9,
    bytesPerFrame: 120,
    by: 'instrument',
    framesPerSecond: 10,
    coverage: { data: 'five best levels', first: true },
  },
  {
    name: 'books-rpi',
    table: 'book_rpi',
    comes: 'streamed',
    dropOrder: 7,
    bytesPerFrame: 120,
    by: 'instrument',
    framesPerSecond: 10,
    coverage: { data: 'book with RPI', first: true },
  },
  {
    name: 'tickers',
    table: 'ticker',
    comes: 'streamed',
    steady: true,
    silence: { ms: 60_000, channels: BUSY },
    dropOrder: 10,
    bytesPerFrame: 75,
    by: 'instrument',
    framesPerSecond: 6,
    coverage: { data: 'ticker', first: true },
  },
  {
    // A frame has a row for each option, or for many.
    name: 'opt-summary',
    table: 'option_summary',
    comes: 'streamed',
    dropOrder: 8,
    bytesPerFrame: 4000,
    by: 'family',
    kinds: ['option'],
    framesPerSecond: 1,
    coverage: { data: 'option greeks' },
  },
  {
    name: 'mark-price',
    table: 'mark_price',
    comes: 'streamed',
    steady: true,
    silence: { ms: 60_000, channels: BUSY },
    dropOrder: 6,
    bytesPerFrame: 30,
    by: 'instrument',
    kinds: DERIVATIVES,
    framesPerSecond: 5,
    coverage: { data: 'mark price', first: true },
  },
  {
    name: 'index-tickers',
    table: 'price_index',
    comes: 'streamed',
    steady: true,
    silence: { ms: 150_000 },
    bytesPerFrame: 45,
    by: 'index',
    framesPerSecond: 5,
    coverage: { data: 'index price', first: true },
  },
  {
    name: 'funding-rate',
    table: 'funding_rate',
    comes: 'streamed',
    steady: true,
    silence: { ms: 300_000, channels: BUSY },
    bytesPerFrame: 90,
    by: 'instrument',
    kinds: ['perpetual'],
    framesPerSecond: 0.02,
    coverage: { data: 'funding', first: true },
  },
  {
    name: 'open-interest',
    table: 'open_interest',
    comes: 'streamed',
    steady: true,
    silence: { ms: 120_000, channels: BUSY },
    dropOrder: 5,
    bytesPerFrame: 40,
    by: 'instrument',
    kinds: DERIVATIVES,
    framesPerSecond: 0.2,
    coverage: { data: 'open interest', first: true },
  },
  {
    name: 'price-limit',
    table: 'price_limit',
    comes: 'streamed',
    dropOrder: 4,
    bytesPerFrame: 35,
    by: 'instrument',
    framesPerSecond: 2,
    coverage: { data: 'price limits' },
  },
  {
    name: 'estimated-price',
    table: 'expiration_estimate',
    comes: 'streamed',
    dropOrder: 3,
    bytesPerFrame: 35,
    by: 'instrument',
    kinds: DERIVATIVES,
    framesPerSecond: 0.1,
    coverage: { data: 'settlement estimate' },
  },
  {
    name: 'candle',
    table: 'candles',
    comes: 'streamed',
    dropOrder: 2,
    bytesPerFrame: 45,
    by: 'instrument',
    isBusiness: true,
    framesPerSecond: 1,
    coverage: { data: 'candles' },
  },
  {
    name: 'mark-price-candle',
    table: 'mark_price_candles',
    comes: 'streamed',
    dropOrder: 1,
    bytesPerFrame: 40,
    by: 'instrument',
    isBusiness: true,
    kinds: DERIVATIVES,
    framesPerSecond: 1,
    coverage: { data: 'mark price candles' },
  },
  {
    name: 'index-candle',
    table: 'index_candles',
    comes: 'streamed',
    dropOrder: 1,
    bytesPerFrame: 40,
    by: 'index',
    isBusiness: true,
    framesPerSecond: 1,
    coverage: { data: 'index candles' },
  },
  { name: 'liquidation-orders', table: 'liquidations', comes: 'streamed', by: 'type', framesPerSecond: 0.1 },
  {
    name: 'call-auction-details',
    table: 'call_auctions',
    comes: 'streamed',
    by: 'instrument',
    framesPerSecond: 0.01,
    coverage: { data: 'call auctions' },
  },
  {
    name: 'public-block-trades',
    table: 'block_trade_legs',
    comes: 'streamed',
    by: 'instrument',
    isBusiness: true,
    framesPerSecond: 0.01,
    coverage: { data: 'block trades' },
  },
  {
    name: 'block-tickers',
    table: 'block_tickers',
    comes: 'streamed',
    by: 'instrument',
    isBusiness: true,
    framesPerSecond: 0.01,
    coverage: { data: 'block volume' },
  },
  {
    name: 'public-struc-block-trades',
    table: 'structured_block_trades',
    comes: 'streamed',
    by: 'nothing',
    isBusiness: true,
    framesPerSecond: 0.01,
  },
  { name: 'adl-warning', table: 'adl_warnings', comes: 'streamed', by: 'type', framesPerSecond: 0.01 },
  { name: 'instruments', table: 'instruments', comes: 'streamed', by: 'type', framesPerSecond: 0.01 },
  { name: 'status', table: 'platform_state', comes: 'streamed', by: 'nothing', framesPerSecond: 0.01 },
  // Lists of instruments, asked for every minute.
  { name: 'instrument_list', table: 'instruments', comes: 'polled' },
  { name: 'funding_history', table: 'funding_history', comes: 'polled' },
  { name: 'delivery_history', table: 'deliveries', comes: 'polled' },
  // Acks, errors, notices, pongs, and answers over HTTP that have no table of their own.
  { name: 'control', comes: 'own' },
] as const satisfies readonly OkxFamily[]

type Row = (typeof families)[number]
type NameBy<By> = Extract<Row, { by: By }>['name']

/** Families that only recordings have: the exchange gives them to few. */
const NOT_OFFERED: readonly string[] = ['books-l2-tbt', 'books50-l2-tbt']

export type InstrumentFamily =
  | Exclude<NameBy<'instrument'>, 'books-l2-tbt' | 'books50-l2-tbt'>
  | NameBy<'family'>
  | NameBy<'family of a type'>
  | 'liquidation-orders'
  | 'adl-warning'
export type IndexFamily = NameBy<'index'>

const byName: ReadonlyMap<string, OkxFamily> = new Map(families.map(row => [row.name, row]))

/** What is known of a family of OKX's; undefined for one that it has not. */
export function familyNamed(name: string): OkxFamily | undefined {
  return byName.get(name)
}

/** What may be configured for a kind of instrument. */
export function familiesOfKind(kind: ConfigKind): InstrumentFamily[] {
  const rows: readonly OkxFamily[] = families
  const fits = ({ name, by, kinds }: OkxFamily) =>
    by !== undefined &&
    by !== 'index' &&
    by !== 'nothing' &&
    name !== 'instruments' &&
    !NOT_OFFERED.includes(name) &&
    (kinds?.includes(kind) ?? true)
  return rows.filter(fits).map(({ name }) => name as InstrumentFamily)
}

export const indexFamilies: readonly IndexFamily[] = ['index-tickers', 'index-candle']
