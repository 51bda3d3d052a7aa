import type { Family } from '../family.js'

/** What Bybit's own folder knows of a family besides. */
interface BybitFamily extends Family {
  /** What its topics begin with: `publicTrade` for `publicTrade.BTCUSDT`. Without it no topic has its frames. */
  topic?: string
  /** Whose it is: topics of an instrument, or of the exchange as a whole. */
  offeredBy?: 'instrument' | 'exchange'
  /** A first frame comes soon after subscribing: where none comes the yes was a lie. */
  answers?: true
  /** Frames a second that a topic brings, of a busy perpetual, by measurements of the live exchange. */
  framesPerSecond?: number
}

/** Spot has families of its own: frames do not say of which category they are, and `BTCUSDT` is a pair and a perpetual. */
export const SPOT = '.spot'

const twice = <const Row extends BybitFamily>(row: Row, spot: Partial<BybitFamily> = {}) => [
  row,
  { ...row, name: `${row.name}.spot` as `${Row['name']}.spot`, channelsBegin: `spot.${row.topic ?? ''}`, ...spot },
]

/** Busy enough that silence is none of theirs: prices that a ticker holds move all the time, those of options, too. */
const BUSY = /(?:^|\.)(?:BTC|ETH)(?:USDT?|PERP|-.*-[CP](?:-USDT)?)$/

/** Every family of Bybit, in the order in which people see them. */
export const families: readonly BybitFamily[] = [
  ...twice({
    name: 'trades',
    topic: 'publicTrade',
    channelsBegin: 'publicTrade',
    table: 'trades',
    comes: 'streamed',
    dropOrder: 'last',
    bytesPerFrame: 95,
    offeredBy: 'instrument',
    framesPerSecond: 2.5,
    coverage: { data: 'trades', listed: true },
  }),
  ...twice({
    name: 'book',
    topic: 'orderbook',
    channelsBegin: 'orderbook',
    table: 'book',
    comes: 'streamed',
    steady: true,
    silence: { ms: 60_000, channels: BUSY },
    dropOrder: 11,
    bytesPerFrame: 60,
    offeredBy: 'instrument',
    answers: true,
    framesPerSecond: 5,
    coverage: { data: 'book depth', first: true, counted: { what: 'book changes', unit: 'linked changes' } },
  }),
  ...twice({
    name: 'book_full',
    topic: 'orderbook.full',
    channelsBegin: 'orderbook.full',
    table: 'book',
    comes: 'streamed',
    dropOrder: 8,
    bytesPerFrame: 400,
    offeredBy: 'instrument',
    framesPerSecond: 5,
    coverage: { data: 'book, all levels', counted: { what: 'book changes', unit: 'linked changes' } },
  }),
  ...twice({
    name: 'quote',
    topic: 'orderbook.1',
    channelsBegin: 'orderbook.1',
    table: 'quote',
    comes: 'streamed',
    steady: true,
    // What does not change is sent again after 3 s.
    silence: { ms: 10_000, channels: /./ },
    dropOrder: 12,
    bytesPerFrame: 40,
    offeredBy: 'instrument',
    answers: true,
    framesPerSecond: 12,
    coverage: { data: 'quotes', first: true },
  }),
  ...twice({
    name: 'ticker',
    topic: 'tickers',
    channelsBegin: 'tickers',
    table: 'ticker',
    comes: 'streamed',
    steady: true,
    silence: { ms: 10_000, channels: BUSY },
    dropOrder: 10,
    bytesPerFrame: 30,
    offeredBy: 'instrument',
    answers: true,
    framesPerSecond: 4.5,
    coverage: { data: 'ticker', first: true },
  }),
  ...twice({
    name: 'candles',
    topic: 'kline',
    channelsBegin: 'kline',
    table: 'candles',
    comes: 'streamed',
    dropOrder: 2,
    bytesPerFrame: 30,
    offeredBy: 'instrument',
    framesPerSecond: 0.5,
    coverage: { data: 'candles' },
  }),
  {
    name: 'liquidations',
    topic: 'allLiquidation',
    channelsBegin: 'allLiquidation',
    table: 'liquidations',
    comes: 'streamed',
    bytesPerFrame: 60,
    offeredBy: 'instrument',
    framesPerSecond: 0.05,
    coverage: { data: 'liquidations' },
  },
  ...twice({
    name: 'book_rpi',
    topic: 'orderbook.rpi',
    channelsBegin: 'orderbook.rpi',
    table: 'book_rpi',
    comes: 'streamed',
    dropOrder: 7,
    bytesPerFrame: 60,
    offeredBy: 'instrument',
    answers: true,
    framesPerSecond: 5,
    coverage: { data: 'book with RPI', first: true },
  }),
  ...twice({
    name: 'price_limit',
    topic: 'priceLimit',
    channelsBegin: 'priceLimit',
    table: 'price_limit',
    comes: 'streamed',
    dropOrder: 3,
    offeredBy: 'instrument',
    framesPerSecond: 3,
    coverage: { data: 'price limits' },
  }),
  {
    name: 'insurance',
    topic: 'insurance',
    table: 'insurance',
    comes: 'streamed',
    offeredBy: 'exchange',
    framesPerSecond: 0.1,
  },
  {
    name: 'adl_alert',
    topic: 'adlAlert',
    channelsBegin: 'adlAlert',
    table: 'adl_alerts',
    comes: 'streamed',
    offeredBy: 'exchange',
    framesPerSecond: 1,
  },
  {
    name: 'status',
    topic: 'system.status',
    channelsBegin: 'system.status',
    table: 'platform_state',
    comes: 'streamed',
    offeredBy: 'exchange',
    framesPerSecond: 0.01,
  },
  {
    name: 'rfq_trades',
    topic: 'rfq.open.public.trades',
    channelsBegin: 'rfq.open.public.trades',
    table: 'rfq_trades',
    comes: 'streamed',
    offeredBy: 'exchange',
    framesPerSecond: 0.01,
  },
  ...twice({ name: 'instruments', table: 'instruments', comes: 'polled' }, { channelsBegin: 'instruments.spot' }),
  { name: 'funding_history', table: 'funding_history', comes: 'polled' },
  { name: 'open_interest', table: 'open_interest', comes: 'polled' },
  { name: 'mark_price_candles', table: 'mark_price_candles', comes: 'polled' },
  { name: 'index_candles', table: 'index_candles', comes: 'polled' },
  { name: 'premium_candles', table: 'premium_candles', comes: 'polled' },
  { name: 'long_short_ratio', table: 'long_short_ratio', comes: 'polled' },
  { name: 'deliveries', table: 'deliveries', comes: 'polled' },
  { name: 'insurance_list', table: 'insurance', comes: 'polled' },
  { name: 'status_list', table: 'platform_state', comes: 'polled' },
  // Answers that have no family of their own: to subscriptions, to pings, and errors.
  { name: 'answers', comes: 'own' },
]

const byName: ReadonlyMap<string, BybitFamily> = new Map(families.map(row => [row.name, row]))

/** What is known of a family of Bybit's; undefined for one that it has not. */
export function familyNamed(name: string): BybitFamily | undefined {
  return byName.get(name)
}
