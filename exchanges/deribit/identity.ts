/** What makes two rows the same event, received twice. Times alone never do. */
export interface Identity {
  /** Columns that are equal then; `payload`: all that the exchange sent. */
  key: readonly string[] | 'payload'
  /**
   * SQL condition for rows whose key is the exchange's own number of the event. Equal keys of other rows count as one
   * event only where they came by different connections within a window.
   */
  numbered?: string
  /** `frame`: the rows of a frame are one event. */
  unit: 'row' | 'frame'
  /**
   * Where the other copy may be. `near`: on another connection, at about the same time. `days`: anywhere in this day's
   * and the day before's files, since it was asked for later.
   */
  reach: 'near' | 'days'
}

/** Channels without numbers: equal in everything, by another connection, at about the same time. */
export const BY_PAYLOAD: Identity = { key: 'payload', unit: 'row', reach: 'near' }

/**
 * Trades are counted per instrument. The id is part of the key so that an instrument whose counting starts again (a
 * combo that comes back, a test exchange) loses nothing.
 */
export const BY_TRADE: Identity = {
  key: ['instrument_name', 'trade_seq', 'trade_id'],
  numbered: 'trade_seq IS NOT NULL',
  unit: 'row',
  reach: 'days',
}

/**
 * Changes of a book are numbered per channel; copies that were put together differently differ in `prev_change_id`.
 * A snapshot is a state, not an event: the one that starts an hour stays, though its number was seen before.
 */
export const BY_CHANGE: Identity = {
  key: ['channel', 'type', 'change_id', 'prev_change_id'],
  numbered: `prev_change_id IS NOT NULL AND "type" IS DISTINCT FROM 'snapshot'`,
  unit: 'frame',
  reach: 'near',
}

/** Rows of a history that is asked for again and again; a value that was corrected later is a row of its own. */
const polled = (...values: string[]): Identity => ({
  key: ['instrument_name', 'exchange_ts', ...values],
  numbered: 'exchange_ts IS NOT NULL',
  unit: 'row',
  reach: 'days',
})

export const BY_FUNDING_HOUR = polled('index_price', 'prev_index_price', 'interest_1h', 'interest_8h')
export const BY_VOLATILITY_BAR = polled('resolution', 'open', 'high', 'low', 'close')
