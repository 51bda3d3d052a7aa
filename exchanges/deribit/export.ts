import type { Exports } from '../export.js'

/** An empty side has price and amount 0.0, and a volatility of 0 says that there is none. */
const some = (column: string) => `nullif(${column}, 0)`

/** 1d02 is a strike of 1.02. */
const STRIKE = `TRY_CAST(replace(split_part(instrument_name, '-', 3), 'd', '.') AS DOUBLE)`
/** Options end at 08:00 UTC of the day in their name. */
const EXPIRATION = `epoch_us(TRY_STRPTIME(split_part(instrument_name, '-', 2), '%-d%b%y')) + 28800000000`

/** Liquidations are marked by flags of trades: T the taker's side, M the maker's, MT both. */
const LIQUIDATED = `CASE WHEN liquidation = 'T' THEN direction WHEN direction = 'buy' THEN 'sell' ELSE 'buy' END`

/** By what Tardis' own code makes of the exchange's frames. */
export const exports: Exports = {
  tardisName: 'deribit',
  nautilusId: name => `${name}.DERIBIT`,
  book: { table: 'book', family: 'book' },
  steps: { price: 'tick_size', amount: 'min_trade_amount' },
  rows: {
    trades: {
      table: 'trades',
      family: 'trades',
      numberedBy: 'trade_seq',
      columns: ['trade_id', 'direction', 'price', 'amount'],
    },
    liquidations: {
      table: 'trades',
      family: 'trades',
      numberedBy: 'trade_seq',
      columns: ['trade_id', LIQUIDATED, 'price', 'amount'],
      where: 'liquidation IS NOT NULL',
    },
    quotes: {
      table: 'quote',
      family: 'quote',
      columns: [some('best_ask_amount'), some('best_ask_price'), some('best_bid_price'), some('best_bid_amount')],
    },
    book_ticker: {
      table: 'ticker',
      family: 'ticker',
      columns: [some('best_ask_amount'), some('best_ask_price'), some('best_bid_price'), some('best_bid_amount')],
    },
    derivative_ticker: {
      table: 'ticker',
      family: 'ticker',
      columns: [
        'NULL::BIGINT',
        'current_funding',
        'NULL::DOUBLE',
        'open_interest',
        'last_price',
        'index_price',
        'mark_price',
      ],
      where: `kind <> 'option' AND (greeks_delta IS NULL OR combo_state = 'active')`,
      changesOnly: true,
    },
    options_chain: {
      table: 'ticker',
      family: 'ticker',
      columns: [
        `CASE WHEN instrument_name LIKE '%-P' THEN 'put' ELSE 'call' END`,
        STRIKE,
        EXPIRATION,
        'open_interest',
        some('last_price'),
        some('best_bid_price'),
        some('best_bid_amount'),
        some('bid_iv'),
        some('best_ask_price'),
        some('best_ask_amount'),
        some('ask_iv'),
        'mark_price',
        'mark_iv',
        'underlying_index',
        'underlying_price',
        'greeks_delta',
        'greeks_gamma',
        'greeks_vega',
        'greeks_theta',
        'greeks_rho',
      ],
      where: `kind = 'option'`,
    },
  },
}
