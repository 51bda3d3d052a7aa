/**
 * Views that put all exchanges side by side: one set of columns and units, whoever the rows are of. Each exchange has a
 * query for each of them in its folder, `normalized/<view>.sql`, which may leave columns out: what it does not say is NULL.
 */

export interface NormalizedColumn {
  readonly name: string
  readonly type: 'VARCHAR' | 'DOUBLE' | 'BIGINT' | 'BOOLEAN' | 'DATE' | 'TIMESTAMPTZ'
  /** What it means, in words of docs/query.md. */
  readonly meaning: string
}

export interface NormalizedView {
  readonly name: string
  readonly meaning: string
  readonly columns: readonly NormalizedColumn[]
}

type Columns = Readonly<Record<string, readonly [NormalizedColumn['type'], string]>>

/** What every one of them begins with. */
const HEAD: Columns = {
  exchange: ['VARCHAR', 'whose row it is'],
  kind: ['VARCHAR', '`perpetual`, `future`, `option`, `spot`, …, as in the partition'],
  currency: ['VARCHAR', 'of the partition: what the instrument settles in; of spot its quote'],
  date: ['DATE', 'UTC day in which the segment of the row began'],
  instrument_name: ['VARCHAR', "the exchange's own name; only with `exchange` and `kind` is it one instrument"],
  base: ['VARCHAR', 'the coin that is traded: `BTC`'],
  quote: ['VARCHAR', 'what its price, or that of its underlying, is given in: `USD`, `USDT`'],
  recv_ts: ['TIMESTAMPTZ', 'when we received it'],
  exchange_ts: ['TIMESTAMPTZ', 'when the exchange says that it happened'],
  conn: ['VARCHAR', 'connection that brought it'],
  seq: ['BIGINT', 'number of the frame on it'],
  source: ['VARCHAR', '`live`, or `backfill` for what was fetched later'],
}

const PRICE_UNIT: Columns = {
  price_unit: ['VARCHAR', 'currency of its prices: mostly `quote`; the coin for options paid in it'],
}

const view = (name: string, meaning: string, columns: Columns): NormalizedView => ({
  name,
  meaning,
  columns: Object.entries({ ...HEAD, ...columns }).map(([column, [type, said]]) => ({
    name: column,
    type,
    meaning: said,
  })),
})

export const normalizedViews: readonly NormalizedView[] = [
  view('trades_all', 'public trades', {
    trade_id: ['VARCHAR', 'id of the trade, unique with `exchange`, `kind` and `instrument_name`'],
    side: ['VARCHAR', 'what the taker did: `buy` or `sell`'],
    price: ['DOUBLE', 'as traded, in `price_unit`'],
    ...PRICE_UNIT,
    amount_base: ['DOUBLE', 'how much of `base` changed hands'],
    notional_quote: ['DOUBLE', 'what that was worth in `quote`'],
    iv_fraction: ['DOUBLE', 'implied volatility of an option at this price; 0.5 is 50 %'],
    mark_price: ['DOUBLE', 'in `price_unit`, where the trade says it'],
    index_price: ['DOUBLE', 'in `quote`, where the trade says it'],
    is_block: ['BOOLEAN', 'agreed outside the book'],
    is_liquidation: ['BOOLEAN', 'one side was liquidated'],
  }),
  view('quotes_all', 'best bid and ask, at each change', {
    bid_price: ['DOUBLE', 'in `price_unit`; NULL where there is no bid'],
    bid_amount_base: ['DOUBLE', 'how much of `base` is bid there'],
    ask_price: ['DOUBLE', 'in `price_unit`; NULL where there is no ask'],
    ask_amount_base: ['DOUBLE', 'how much of `base` is asked there'],
    ...PRICE_UNIT,
  }),
  view('book_changes_all', 'order books: a row for each level that a frame sets', {
    channel: ['VARCHAR', 'which stream; books of several depths are streams of their own'],
    change_id: ['BIGINT', "the exchange's number of the change"],
    prev_change_id: [
      'BIGINT',
      'number of the change before it; NULL where the exchange does not say it, and of snapshots',
    ],
    is_snapshot: ['BOOLEAN', 'the frame holds the whole book and replaces what was known'],
    side: ['VARCHAR', '`bid`, `ask`; NULL for a frame without any level'],
    price: ['DOUBLE', 'in `price_unit`'],
    ...PRICE_UNIT,
    amount_base: ['DOUBLE', 'how much of `base` is there from now on; 0 removes the level'],
  }),
  view('tickers_all', 'what the exchange says of an instrument at one time; a value that it did not repeat stands on', {
    last_price: ['DOUBLE', 'in `price_unit`'],
    mark_price: ['DOUBLE', 'in `price_unit`'],
    index_price: ['DOUBLE', 'in `quote`'],
    ...PRICE_UNIT,
    bid_price: ['DOUBLE', 'in `price_unit`; NULL where there is no bid'],
    bid_amount_base: ['DOUBLE', 'how much of `base`'],
    ask_price: ['DOUBLE', 'in `price_unit`; NULL where there is no ask'],
    ask_amount_base: ['DOUBLE', 'how much of `base`'],
    funding_rate: ['DOUBLE', 'of a perpetual, for one interval, as a fraction, as it stands before it is settled'],
    funding_interval_hours: ['DOUBLE', 'how long that interval is'],
    open_interest_base: ['DOUBLE', 'open contracts in `base`, each counted once'],
    volume_24h_base: ['DOUBLE', 'traded in the last 24 hours'],
    turnover_24h_quote: ['DOUBLE', 'the same in `quote`'],
    mark_iv_fraction: ['DOUBLE', 'implied volatility of the mark price; 0.5 is 50 %'],
    bid_iv_fraction: ['DOUBLE', 'of the best bid'],
    ask_iv_fraction: ['DOUBLE', 'of the best ask'],
    underlying_price: ['DOUBLE', 'of an option, in `quote`'],
    delta: ['DOUBLE', 'greeks as the exchange gives them'],
    gamma: ['DOUBLE', ''],
    vega: ['DOUBLE', ''],
    theta: ['DOUBLE', ''],
  }),
  view('candles_all', 'bars of trades; the same bar comes again as it grows, and the last row of it counts', {
    start_ts: ['TIMESTAMPTZ', 'when the bar begins'],
    width_s: ['BIGINT', 'how long it is, seconds; NULL for a month'],
    open: ['DOUBLE', 'in `price_unit`'],
    high: ['DOUBLE', 'in `price_unit`'],
    low: ['DOUBLE', 'in `price_unit`'],
    close: ['DOUBLE', 'in `price_unit`'],
    ...PRICE_UNIT,
    volume_base: ['DOUBLE', 'traded in it'],
    turnover_quote: ['DOUBLE', 'the same in `quote`'],
    is_final: ['BOOLEAN', 'the exchange says, or a later bar shows, that it grows no more'],
  }),
  view('instruments_all', 'definitions of instruments, each time they were asked for', {
    settle: ['VARCHAR', 'what is paid; of spot the quote'],
    is_inverse: ['BOOLEAN', 'its amounts are in `quote` and it is paid in `base`'],
    contract_size: ['DOUBLE', 'how much one contract is, in `contract_unit`'],
    contract_unit: ['VARCHAR', '`base` coin, or `quote` of inverse contracts'],
    tick_size: ['DOUBLE', 'least step of prices, in `price_unit`'],
    ...PRICE_UNIT,
    min_amount: ['DOUBLE', "least amount of an order, as the exchange's own amounts are given"],
    strike: ['DOUBLE', 'of an option, in `quote`'],
    option_type: ['VARCHAR', '`call`, `put`'],
    listed_ts: ['TIMESTAMPTZ', 'when it was listed'],
    expiry_ts: ['TIMESTAMPTZ', 'when it expires, or is to be delisted; NULL for never'],
    state: ['VARCHAR', "in the exchange's own words"],
  }),
  view('funding_all', 'settled funding, polled: the same hour may be there twice', {
    funding_rate: ['DOUBLE', 'paid at `exchange_ts` for the interval before it, as a fraction'],
    interval_hours: ['DOUBLE', 'how long that interval was'],
    index_price: ['DOUBLE', 'in `quote`'],
  }),
]

/** Where an exchange's queries for them lie, below the package's root. */
export const normalizedFolder = (exchange: string) => `exchanges/${exchange}/normalized`
