import { polledWith, type Identity } from '../table.js'

/** Trades are counted per instrument; the last one comes again on each new subscription, and what is fetched may have come. */
export const BY_TRADE: Identity = {
  key: ['instrument_name', 'tradeId'],
  numbered: '"tradeId" IS NOT NULL',
  unit: 'row',
  reach: 'days',
}

/**
 * Numbers of books are the same on all connections. A snapshot is a state, not an event, and so is a sign of life, which
 * names itself as the one before it: they are copies only where they came at about the same time.
 */
export const BY_CHANGE: Identity = {
  // Frames of before 2022 have no numbers: they are known by their time, and a checksum of the book that they leave.
  key: ['channel', 'action', 'seqId', 'prevSeqId', 'exchange_ts', 'checksum'],
  numbered: `"action" = 'update' AND "prevSeqId" IS NOT NULL AND "prevSeqId" <> "seqId"`,
  unit: 'frame',
  reach: 'near',
}

/** The five best levels and the best one are known by number and time. */
export const BY_STATE: Identity = { key: ['channel', 'seqId', 'exchange_ts'], unit: 'frame', reach: 'near' }

/** Bars come again as they grow. */
const bar = (...values: string[]): Identity => ({
  key: ['channel', 'exchange_ts', ...values],
  unit: 'row',
  reach: 'near',
})
const PRICES = ['open', 'high', 'low', 'close']
export const BY_BAR = bar(...PRICES, 'vol', 'is_final')
export const BY_PRICE_BAR = bar(...PRICES, 'is_final')

export const BY_FUNDING = polledWith('fundingRate', 'realizedRate')

/** Books with RPI have no checksum. */
export const BY_RPI_CHANGE: Identity = { ...BY_CHANGE, key: ['channel', 'action', 'seqId', 'prevSeqId', 'exchange_ts'] }

/** What futures and options ended at, asked for again and again. */
export const BY_DELIVERY = polledWith('px')
