export type Family = 'quote' | 'ticker' | 'book' | 'trades'

/** The state of the made-up market when a frame is sent. */
export interface Moment {
  n: number
  instrument: string
  price: number
  atMs: number
  random: () => number
}

interface FamilyFrames {
  channel: (instrument: string) => string
  /** What the exchange sends. */
  data: (moment: Moment) => unknown
  /** Columns besides recv_ts, exchange_ts, instrument_name, conn, seq and channel, with types of DuckDB. */
  columns: Record<string, 'DOUBLE' | 'BIGINT' | 'VARCHAR'>
  /** Type of the data in DuckDB. */
  type: string
  /** A query for the columns, from `lines` that are parsed by that type. */
  select: string
  /** The same columns from parsed data; several rows where a frame holds several. */
  rows: (data: never) => Record<string, unknown>[]
}

const round = (value: number, digits: number) => Number(value.toFixed(digits))
const amount = ({ random }: Moment) => Math.ceil(random() * 40)
const head = ({ atMs, instrument }: Moment) => ({ timestamp: atMs, instrument_name: instrument })
const bidAsk = (moment: Moment) => ({
  best_bid_price: moment.price,
  best_bid_amount: amount(moment),
  best_ask_price: round(moment.price + 0.0005, 4),
  best_ask_amount: amount(moment),
})
const STATS = ['high', 'low', 'price_change', 'volume', 'volume_usd']
const GREEKS = ['delta', 'gamma', 'vega', 'theta', 'rho']

const structOf = (columns: Record<string, string>) =>
  `STRUCT("timestamp" DOUBLE, instrument_name VARCHAR, ${Object.entries(columns)
    .map(([name, type]) => `${name} ${type}`)
    .join(', ')})`
const doubles = (names: readonly string[]) => Object.fromEntries(names.map(name => [name, 'DOUBLE' as const]))
const flat = (columns: Record<string, string>) =>
  `SELECT *, ${Object.keys(columns)
    .map(name => `d.${name} AS ${name}`)
    .join(', ')} FROM lines`

const QUOTE = doubles(['best_bid_price', 'best_bid_amount', 'best_ask_price', 'best_ask_amount'])
const TICKER_FLAT = {
  state: 'VARCHAR' as const,
  underlying_index: 'VARCHAR' as const,
  ...doubles([
    'last_price',
    'mark_price',
    'index_price',
    'min_price',
    'max_price',
    'open_interest',
    'underlying_price',
  ]),
  ...doubles(['interest_rate', 'mark_iv', 'bid_iv', 'ask_iv', 'estimated_delivery_price', 'settlement_price']),
  ...QUOTE,
}
const TRADE = {
  trade_seq: 'BIGINT' as const,
  trade_id: 'VARCHAR' as const,
  direction: 'VARCHAR' as const,
  tick_direction: 'BIGINT' as const,
  ...doubles(['price', 'amount', 'index_price', 'mark_price', 'contracts', 'iv']),
}
const LEVEL = {
  change_id: 'BIGINT' as const,
  prev_change_id: 'BIGINT' as const,
  type: 'VARCHAR' as const,
  side: 'VARCHAR' as const,
  action: 'VARCHAR' as const,
  ...doubles(['price', 'amount']),
}

interface Ticker extends Record<string, unknown> {
  greeks: Record<string, number>
  stats: Record<string, number>
}
interface Book extends Record<string, unknown> {
  bids: [string, number, number][]
  asks: [string, number, number][]
}

const named = (prefix: string, object: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [`${prefix}_${name}`, value]))
const prefixed = (prefix: string, names: readonly string[]) => doubles(names.map(name => `${prefix}_${name}`))

/** What is measured: the four families that make up nearly all frames. */
export const FAMILIES: Record<Family, FamilyFrames> = {
  quote: {
    channel: instrument => `quote.${instrument}`,
    data: moment => ({ ...head(moment), ...bidAsk(moment) }),
    columns: QUOTE,
    type: structOf(QUOTE),
    select: flat(QUOTE),
    rows: (data: Record<string, unknown>) => [data],
  },
  ticker: {
    channel: instrument => `ticker.${instrument}.100ms`,
    data: moment => ({
      ...head(moment),
      state: 'open',
      underlying_index: 'BTC-25DEC26',
      last_price: moment.price,
      mark_price: round(moment.price + moment.random() / 1000, 4),
      index_price: round(80_000 + moment.random() * 50, 2),
      min_price: 0.0001,
      max_price: round(moment.price * 2, 4),
      open_interest: round(moment.random() * 900, 1),
      underlying_price: round(80_500 + moment.random() * 50, 4),
      interest_rate: 0,
      mark_iv: round(40 + moment.random() * 20, 2),
      bid_iv: round(40 + moment.random() * 20, 2),
      ask_iv: round(40 + moment.random() * 20, 2),
      estimated_delivery_price: round(80_000 + moment.random() * 50, 2),
      settlement_price: moment.price,
      ...bidAsk(moment),
      greeks: Object.fromEntries(GREEKS.map(name => [name, round(moment.random(), 5)])),
      stats: Object.fromEntries(STATS.map(name => [name, round(moment.random() * 100, 4)])),
    }),
    columns: { ...TICKER_FLAT, ...prefixed('greeks', GREEKS), ...prefixed('stats', STATS) },
    type: structOf({
      ...TICKER_FLAT,
      greeks: `STRUCT(${GREEKS.map(name => `${name} DOUBLE`).join(', ')})`,
      stats: `STRUCT(${STATS.map(name => `${name} DOUBLE`).join(', ')})`,
    }),
    select: `SELECT *, ${[
      ...Object.keys(TICKER_FLAT).map(name => `d.${name} AS ${name}`),
      ...GREEKS.map(name => `d.greeks.${name} AS greeks_${name}`),
      ...STATS.map(name => `d.stats.${name} AS stats_${name}`),
    ].join(', ')} FROM lines`,
    rows: ({ greeks, stats, ...rest }: Ticker) => [{ ...rest, ...named('greeks', greeks), ...named('stats', stats) }],
  },
  book: {
    channel: instrument => `book.${instrument}.100ms`,
    data: moment => ({
      type: 'change',
      ...head(moment),
      change_id: 70_000_000_000 + 7 * moment.n,
      prev_change_id: 70_000_000_000 + 7 * moment.n - 7,
      bids: [
        ['change', moment.price, amount(moment)],
        ['new', round(moment.price - 0.0005, 4), amount(moment)],
      ],
      asks: [['delete', round(moment.price + 0.0005, 4), 0]],
    }),
    columns: LEVEL,
    type: structOf({
      change_id: 'BIGINT',
      prev_change_id: 'BIGINT',
      '"type"': 'VARCHAR',
      bids: 'VARCHAR[][]',
      asks: 'VARCHAR[][]',
    }),
    select: `SELECT * EXCLUDE (level, side), d.change_id AS change_id, d.prev_change_id AS prev_change_id, d.type AS "type", side,
        level[1] AS action, level[2]::DOUBLE AS price, level[3]::DOUBLE AS amount
      FROM (
        SELECT *, 'bid' AS side, unnest(d.bids) AS level FROM lines
        UNION ALL SELECT *, 'ask' AS side, unnest(d.asks) AS level FROM lines
      )`,
    rows: ({ bids, asks, ...rest }: Book) => [
      ...bids.map(([action, price, size]) => ({ ...rest, side: 'bid', action, price, amount: size })),
      ...asks.map(([action, price, size]) => ({ ...rest, side: 'ask', action, price, amount: size })),
    ],
  },
  trades: {
    channel: instrument => `trades.${instrument}.100ms`,
    data: moment => [
      {
        ...head(moment),
        trade_seq: moment.n,
        trade_id: String(400_000_000 + moment.n),
        price: moment.price,
        amount: amount(moment),
        direction: moment.random() < 0.5 ? 'buy' : 'sell',
        tick_direction: Math.floor(moment.random() * 4),
        index_price: round(80_000 + moment.random() * 50, 2),
        mark_price: round(moment.price + moment.random() / 1000, 4),
        contracts: amount(moment),
        iv: round(40 + moment.random() * 20, 2),
      },
    ],
    columns: TRADE,
    type: `${structOf(TRADE)}[]`,
    select: `SELECT * EXCLUDE (t), ${Object.keys(TRADE)
      .map(name => `t.${name} AS ${name}`)
      .join(', ')}, t.instrument_name AS instrument, t.timestamp AS at_ms FROM (SELECT *, unnest(d) AS t FROM lines)`,
    rows: (data: Record<string, unknown>[]) => data,
  },
}
