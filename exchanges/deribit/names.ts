/**
 * Which family a channel belongs to. The result names a folder, so it is one of a fixed set, whatever the wire says.
 * Patterns: the channel table of the exchange's documentation.
 */
const FAMILIES = [
  'trades',
  'ticker',
  'incremental_ticker',
  'quote',
  'perpetual',
  'deribit_price_index',
  'deribit_price_ranking',
  'deribit_price_statistics',
  'deribit_volatility_index',
  'markprice.options',
  'estimated_expiration_price',
  'chart.trades',
  'instrument.state',
  'instrument.creation',
  'platform_state',
  'announcements',
  'block_rfq.trades',
] as const

/** Interval names; `book.{i}.{interval}` is the full book, `book.{i}.{group}.{depth}.{interval}` the grouped one. */
const FULL_BOOK = /^book\.[^.]+\.[^.]+$/
const GROUPED_BOOK = /^book\.[^.]+\.[^.]+\.[^.]+\.[^.]+$/

/** Family of a channel name, e.g. `trades` for `trades.option.BTC.100ms`; `other` for anything unknown. */
export function familyOfChannel(channel: string): string {
  if (FULL_BOOK.test(channel)) return 'book'
  if (GROUPED_BOOK.test(channel)) return 'book_grouped'
  return FAMILIES.find(family => channel === family || channel.startsWith(`${family}.`)) ?? 'other'
}
