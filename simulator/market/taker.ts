import { ivAt } from './implied-volatility.js'
import { round } from './index-price.js'
import { isPerpetual } from './instruments.js'
import type { Listing } from './listing.js'
import type { Numbers } from './numbers.js'
import type { Mark, Pricing } from './pricing.js'
import type { Random } from './random.js'
import type { Direction, Trade } from './trades.js'

/** Levels that one taker order eats at most. */
const MAX_LEVELS_TAKEN = 4

/** Everything needed to write a trade down. */
export interface TradeDesk {
  pricing: Pricing
  numbers: Numbers
  random: Random
}

/** A taker order against the book: one row per level, one time stamp. Empty where that side has nobody. */
export function takeFromBook(listing: Listing, direction: Direction, desk: TradeDesk, ms: number): Trade[] {
  const side = direction === 'buy' ? 'asks' : 'bids'
  const mark = desk.pricing.mark(listing.instrument, ms)
  const levels = desk.random.chance(0.65) ? 1 : desk.random.int(2, MAX_LEVELS_TAKEN)
  const rows: Trade[] = []
  for (let taken = 0; taken < levels; taken++) {
    const level = listing.book[side][0]
    if (!level) break
    const whole = taken < levels - 1 || desk.random.chance(0.3)
    const units = whole ? level.units : desk.random.int(1, level.units)
    rows.push(writeTrade(listing, { ticks: level.ticks, units, direction }, mark, desk, ms))
    listing.book.set(side, level.ticks, level.units - units)
  }
  return rows
}

/** What of a trade is decided by whoever makes it. */
export interface Deal {
  ticks: number
  units: number
  direction: Direction
}

/** Numbers a deal and books it with its listing. */
export function writeTrade(listing: Listing, deal: Deal, mark: Mark, desk: TradeDesk, ms: number): Trade {
  const { instrument } = listing
  const price = listing.priceOf(deal.ticks)
  const amount = listing.amountOf(deal.units)
  listing.tradeSeq += 1
  const trade: Trade = {
    tradeSeq: listing.tradeSeq,
    timestampMs: ms,
    instrumentName: listing.name,
    price,
    amount,
    direction: deal.direction,
    tickDirection: listing.tickDirection(price),
    indexPrice: mark.index,
    markPrice: mark.price,
    ...desk.numbers.trade(instrument, ms),
  }
  if (instrument.kind === 'option') trade.iv = ivAt(listing, mark, price)
  if (instrument.kind !== 'spot') trade.contracts = round(amount / instrument.contractSize, 6)
  listing.record(trade, mark.index)
  if (instrument.kind !== 'spot') growInterest(listing, amount, desk.random)
  return trade
}

/** A block: agreed outside the book, near the mark, so the book stays as it is. */
export function writeBlock(listing: Listing, desk: TradeDesk, ms: number): Trade {
  const mark = desk.pricing.mark(listing.instrument, ms)
  const { grid } = listing.instrument
  const ticks = Math.max(grid.snap(grid.toTicks(mark.exact), 'floor'), grid.stepAt(0))
  const direction = desk.random.chance(0.5) ? 'buy' : 'sell'
  const trade = writeTrade(listing, { ticks, units: desk.random.int(250, 5_000), direction }, mark, desk, ms)
  trade.blockId = desk.random.int(200_000, 999_999)
  if (desk.random.chance(0.5)) trade.rfqId = desk.random.int(40_000, 90_000)
  return trade
}

/** A combo trade with its legs; the legs are trades of their own instruments, too, perhaps 1 ms later. */
export function writeCombo(
  listing: Listing,
  direction: Direction,
  find: (name: string) => Listing | undefined,
  desk: TradeDesk,
  ms: number,
): { combo: Trade; legs: [Listing, Trade][] } | undefined {
  const side = direction === 'buy' ? 'asks' : 'bids'
  const level = listing.book[side][0]
  const legs = (listing.instrument.legs ?? []).map(({ instrumentName, amount }) => ({
    leg: find(instrumentName),
    amount,
  }))
  if (!level || legs.some(({ leg }) => leg?.state !== 'open')) return undefined
  const units = desk.random.int(1, level.units)
  const mark = desk.pricing.mark(listing.instrument, ms)
  const combo = writeTrade(listing, { ticks: level.ticks, units, direction }, mark, desk, ms)
  listing.book.set(side, level.ticks, level.units - units)
  const legMs = ms + desk.random.int(0, 1)
  const rows: [Listing, Trade][] = []
  for (const { leg, amount } of legs) {
    if (!leg) continue
    const bought = amount > 0 === (direction === 'buy')
    const legMark = desk.pricing.mark(leg.instrument, ms)
    const best = bought ? leg.book.bestAsk : leg.book.bestBid
    const { grid } = leg.instrument
    const ticks = best?.ticks ?? Math.max(grid.snap(grid.toTicks(legMark.exact), 'floor'), 1)
    const deal: Deal = { ticks, units: units * Math.abs(amount), direction: bought ? 'buy' : 'sell' }
    const row = writeTrade(leg, deal, legMark, desk, legMs)
    row.comboId = listing.name
    row.comboTradeId = combo.tradeId
    rows.push([leg, row])
  }
  combo.legs = rows.map(([, row]) => row)
  return { combo, legs: rows }
}

/** Some trades open positions, some close them. */
function growInterest(listing: Listing, amount: number, random: Random): void {
  const sign = random.chance(0.52) ? 1 : -1
  const digits = isPerpetual(listing.instrument) && !listing.instrument.linear ? 0 : 4
  listing.openInterest = Math.max(0, round(listing.openInterest + sign * amount, digits))
}
