import type { TradeNumbers } from './numbers.js'

/** Trades kept per instrument; older ones are forgotten, as on the real exchange after some time. */
export const TRADE_HISTORY_PER_INSTRUMENT = 2_000
/** Trades kept per settlement currency. */
export const TRADE_HISTORY_PER_CURRENCY = 10_000

export type Direction = 'buy' | 'sell'

/** One trade of an instrument. */
export interface Trade extends TradeNumbers {
  /** Counts the trades of the instrument. */
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
  /** Agreed outside the book. */
  blockId?: number
  /** Of the request for quotes that the block came from. */
  rfqId?: number
  comboId?: string
  comboTradeId?: string
  legs?: readonly Trade[]
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
