import type { JsonObject } from '../../exchanges/deribit/simulator/json-text.js'

/** Trades kept per instrument for the REST methods; older ones are forgotten, as on the real exchange after some time. */
export const TRADE_HISTORY_PER_INSTRUMENT = 2_000
/** Trades kept per currency for the by_currency methods. */
export const TRADE_HISTORY_PER_CURRENCY = 10_000

export type Direction = 'buy' | 'sell'

/** One row of a trades frame. */
export interface Trade {
  tradeId: string
  tradeSeq: number
  timestampMs: number
  instrumentName: string
  price: number
  amount: number
  direction: Direction
  /** 0 plus, 1 zero-plus, 2 minus, 3 zero-minus. */
  tickDirection: number
  indexPrice: number
  markPrice: number
  /** Percent; options only. */
  iv?: number
  contracts?: number
  blockTradeId?: string
  blockTradeLegCount?: number
  blockRfqId?: number
  comboId?: string
  comboTradeId?: string
  legs?: readonly Trade[]
  /** About 2.3e17: no float holds it. */
  starbaseMatchId: bigint
  /** Nanoseconds, about 1.8e18: no float holds it. */
  starbaseTimestampNs: bigint
}

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
    starbase_match_id: trade.starbaseMatchId,
    ...(trade.blockTradeId !== undefined && {
      block_trade_id: trade.blockTradeId,
      block_trade_leg_count: trade.blockTradeLegCount ?? 1,
    }),
    ...(trade.blockRfqId !== undefined && { block_rfq_id: trade.blockRfqId }),
    ...(trade.contracts !== undefined && { contracts: trade.contracts }),
    trade_id: trade.tradeId,
    ...(trade.comboTradeId !== undefined && { combo_trade_id: trade.comboTradeId }),
    starbase_timestamp: trade.starbaseTimestampNs,
  }
}

/** 0 up, 1 as the last after up, 2 down, 3 as the last after down. */
export function tickDirection(price: number, last: number | undefined, lastDirection: number): number {
  if (last === undefined || price > last) return 0
  if (price < last) return 2
  return lastDirection < 2 ? 1 : 3
}

/** The newest `limit` trades, oldest first. */
export class TradeTape {
  private rows: Trade[] = []

  constructor(private readonly limit: number) {}

  push(trade: Trade): void {
    this.rows.push(trade)
    if (this.rows.length >= this.limit * 2) this.rows = this.rows.slice(-this.limit)
  }

  get all(): readonly Trade[] {
    return this.rows.length > this.limit ? this.rows.slice(-this.limit) : this.rows
  }
}
