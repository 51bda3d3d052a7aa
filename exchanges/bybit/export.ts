import type { Kind } from '../../formats/partition.js'
import type { ExportedRows, ExportRows, Exports } from '../export.js'
import { SPOT } from './families.js'
import { categoryOfName } from './names.js'

/** An empty side has price, size and volatility 0. */
const some = (column: string) => `nullif(${column}, 0)`
const QUOTE = ['ask_size', 'ask_price', 'bid_price', 'bid_size'].map(some)
const part = (place: number) => `split_part(instrument_name, '-', ${place})`

const chain: ExportRows = {
  table: 'ticker',
  family: 'ticker',
  columns: [
    `CASE ${part(4)} WHEN 'P' THEN 'put' ELSE 'call' END`,
    `TRY_CAST(${part(3)} AS DOUBLE)`,
    // Options end at 08:00 UTC of the day in their name.
    `epoch_us(TRY_STRPTIME(${part(2)}, '%-d%b%y')) + 28800000000`,
    ...['open_interest', 'last_price', 'bid_price', 'bid_size', 'bid_iv', 'ask_price', 'ask_size', 'ask_iv'].map(some),
    ...['mark_price', 'mark_price_iv', `''`, 'underlying_price', 'delta', 'gamma', 'vega', 'theta', 'NULL::DOUBLE'],
  ],
  where: `kind = 'option'`,
}

const derivative: Readonly<Partial<Record<ExportedRows, ExportRows>>> = {
  liquidations: {
    table: 'liquidations',
    family: 'liquidations',
    // `side` is that of the position: a long is liquidated by a sale.
    columns: ['NULL::VARCHAR', `CASE side WHEN 'Buy' THEN 'sell' ELSE 'buy' END`, 'price', 'size'],
  },
  derivative_ticker: {
    table: 'ticker',
    family: 'ticker',
    columns: [
      ...['epoch_us(next_funding_ts)', 'funding_rate', 'NULL::DOUBLE', 'open_interest'],
      ...['last_price', 'index_price', 'mark_price'],
    ],
    // What a change leaves out stays as it was.
    changesOnly: true,
  },
}

const TARDIS: Readonly<Partial<Record<Kind, string>>> = { spot: 'bybit-spot', option: 'bybit-options' }

/** By what Tardis' own code makes of the exchange's frames; times of books and quotes are those of the matching engine. */
export function exports(kind: Kind): Exports {
  const suffix = kind === 'spot' ? SPOT : ''
  const quotes = { table: 'quote', family: `quote${suffix}`, columns: QUOTE }
  return {
    tardisName: TARDIS[kind] ?? 'bybit',
    nautilusId: name => `${name}-${kind === 'spot' ? 'SPOT' : categoryOfName(name).toUpperCase()}.BYBIT`,
    steps: { price: 'tick_size', amount: 'qty_step' },
    book: { table: 'book', family: `book${suffix}` },
    rows: {
      trades: {
        table: 'trades',
        family: `trades${suffix}`,
        numberedBy: 'cross_seq',
        columns: ['trade_id', 'lower(side)', 'price', 'size'],
      },
      ...(kind === 'option' ? { options_chain: chain } : { quotes, book_ticker: quotes }),
      ...(kind === 'perpetual' || kind === 'future' ? derivative : {}),
    },
  }
}
