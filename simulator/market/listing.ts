import type { BookShape } from './book-maker.js'
import { CandleTape } from './candles.js'
import { isCombo, isOptional, isPerpetual, type Instrument } from './instruments.js'
import { OrderBook } from './order-book.js'
import { stepsToValue } from './price-grid.js'
import type { Random } from './random.js'
import { TRADE_HISTORY_PER_INSTRUMENT, tickDirection, TradeTape, type Trade } from './trades.js'

/** `archived`: past delivery, shown only among the expired. */
export type InstrumentState = 'open' | 'settling' | 'delivered' | 'archived'

/** Figures of the current trading day; undefined until the first trade in it. */
export interface DayStats {
  open: number | undefined
  high: number | undefined
  low: number | undefined
  /** Base coin. */
  volume: number
  volumeUsd: number
}

/** An instrument in the market: its book, its trades, its day. */
export class Listing {
  state: InstrumentState = 'open'
  readonly book: OrderBook
  readonly trades = new TradeTape(TRADE_HISTORY_PER_INSTRUMENT)
  readonly candles = new CandleTape()
  day: DayStats = { open: undefined, high: undefined, low: undefined, volume: 0, volumeUsd: 0 }
  tradeSeq = 0
  lastPrice: number | undefined
  lastTickDirection = 0
  openInterest = 0
  settlementPrice: number | undefined
  deliveryPrice: number | undefined

  constructor(
    readonly instrument: Instrument,
    readonly shape: BookShape,
    /** How often something happens here, against others. */
    readonly weight: number,
  ) {
    this.book = new OrderBook(instrument.createdMs)
  }

  get name(): string {
    return this.instrument.name
  }

  priceOf(ticks: number): number {
    return this.instrument.grid.toPrice(ticks)
  }

  amountOf(units: number): number {
    return stepsToValue(units, this.instrument.minAmount)
  }

  /** What an amount is in base coin, and what it cost in quote. */
  turnover(amount: number, price: number): { volume: number; cost: number } {
    const inCoin = isOptional(this.instrument) || this.instrument.linear
    return inCoin ? { volume: amount, cost: amount * price } : { volume: amount / price, cost: amount }
  }

  /** Books a trade into history, candles and the day. `usd` is the price of a coin of its index. */
  record(trade: Trade, usd: number): void {
    const { kind, linear } = this.instrument
    const { volume, cost } = this.turnover(trade.amount, trade.price)
    this.trades.push(trade)
    this.candles.add(trade, volume, cost)
    const day = this.day
    day.open ??= trade.price
    day.high = Math.max(day.high ?? trade.price, trade.price)
    day.low = Math.min(day.low ?? trade.price, trade.price)
    day.volume += volume
    day.volumeUsd += kind === 'option' && !linear ? cost * usd : cost
    this.lastPrice = trade.price
    this.lastTickDirection = trade.tickDirection
  }

  tickDirection(price: number): number {
    return tickDirection(price, this.lastPrice, this.lastTickDirection)
  }
}

/** How lively an instrument is, by what it is: a few perpetuals make most of the noise. */
export function temperament(
  instrument: Instrument,
  fairTicks: number,
  levels: number,
  random: Random,
): { shape: BookShape; weight: number } {
  if (isPerpetual(instrument)) {
    const inverse = !instrument.linear
    const units = inverse ? 1500 : 400
    return { shape: { bids: levels, asks: levels, spread: 1, gap: 4, units }, weight: inverse ? 60 : 20 }
  }
  if (isCombo(instrument)) return { shape: { bids: 2, asks: 2, spread: 6, gap: 4, units: 20 }, weight: 0.5 }
  if (instrument.kind === 'spot') {
    return { shape: { bids: levels, asks: levels, spread: 2, gap: 5, units: 300 }, weight: 8 }
  }
  if (instrument.kind === 'future') {
    return { shape: { bids: 25, asks: 25, spread: 2, gap: 4, units: 1200 }, weight: 8 }
  }
  const style = random.float()
  if (style < 0.04) return { shape: { bids: 0, asks: 0, spread: 4, gap: 3, units: 20 }, weight: 0.02 }
  const worthless = fairTicks < 2 || style < 0.08
  const spread = Math.max(2, Math.round(fairTicks * 0.03))
  const shape = { bids: worthless ? 0 : random.int(2, 8), asks: random.int(2, 12), spread, gap: 3, units: 60 }
  return { shape, weight: worthless ? 0.4 : random.between(0.8, 3) }
}
