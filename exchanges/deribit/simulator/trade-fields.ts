import type { JsonObject } from '../../../simulator/json.js'
import type { Trade } from '../../../simulator/market/trades.js'

/** A trade as the wire shows it, keys in the order of frames of 2026. */
export function tradeFields(trade: Trade): JsonObject {
  return {
    timestamp: trade.timestampMs,
    ...(trade.iv !== undefined && { iv: trade.iv }),
    price: trade.price,
    amount: trade.amount,
    direction: trade.direction,
    index_price: trade.indexPrice,
    instrument_name: trade.instrumentName,
    trade_seq: trade.tradeSeq,
    mark_price: trade.markPrice,
    tick_direction: trade.tickDirection,
    ...(trade.legs && { legs: trade.legs.map(tradeFields) }),
    ...(trade.comboId !== undefined && { combo_id: trade.comboId }),
    starbase_match_id: trade.matchId,
    ...(trade.blockId !== undefined && { block_trade_id: `BLOCK-${trade.blockId}`, block_trade_leg_count: 1 }),
    ...(trade.rfqId !== undefined && { block_rfq_id: trade.rfqId }),
    ...(trade.contracts !== undefined && { contracts: trade.contracts }),
    trade_id: trade.tradeId,
    ...(trade.comboTradeId !== undefined && { combo_trade_id: trade.comboTradeId }),
    starbase_timestamp: trade.matchedNs,
  }
}
