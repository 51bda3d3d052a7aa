import { polledWith, type Identity } from '../table.js'

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
  numbered: `change_id IS NOT NULL AND prev_change_id IS NOT NULL AND "type" IS DISTINCT FROM 'snapshot'`,
  unit: 'frame',
  reach: 'near',
}

export const BY_FUNDING_HOUR = polledWith('index_price', 'prev_index_price', 'interest_1h', 'interest_8h')
export const BY_VOLATILITY_BAR = polledWith('resolution', 'open', 'high', 'low', 'close')
