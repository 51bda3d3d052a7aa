import type { Level, OrderBook, Side } from './order-book.js'
import type { PriceGrid } from './price-grid.js'
import type { Random } from './random.js'

/** How a book likes to look. */
export interface BookShape {
  /** Levels per side it tends to; 0 where a side stays empty. */
  bids: number
  asks: number
  /** Between best bid and best ask, base ticks. */
  spread: number
  /** Largest step between neighbouring levels, base ticks. */
  gap: number
  /** Typical amount of a level, in units of the smallest amount. */
  units: number
}

const SIDES = ['bids', 'asks'] as const
/** Levels of one side that a single event may pull because the price ran over them. */
const MAX_PULLED = 200

/** Lays out a book around `fair` (in ticks, need not be on the grid). */
export function fillBook(book: OrderBook, fair: number, shape: BookShape, grid: PriceGrid, random: Random): void {
  for (const side of SIDES) {
    const outward = side === 'bids' ? -1 : 1
    let at = fair + (outward * shape.spread) / 2
    for (let count = 0; count < shape[side]; count++) {
      at = snapOutward(at, side, grid)
      if (!isPrice(at, grid, fair)) break
      book.set(side, at, amount(shape, random, count))
      at += outward * random.int(1, shape.gap) * grid.stepAt(at)
    }
  }
}

/** One moment of market making: follow the fair price, then touch one to four levels. */
export function moveBook(book: OrderBook, fair: number, shape: BookShape, grid: PriceGrid, random: Random): void {
  for (const side of SIDES) follow(book, side, fair, shape, grid, random)
  const touches = random.int(1, 4)
  for (let touch = 0; touch < touches; touch++) {
    const side = random.chance(0.5) ? 'bids' : 'asks'
    if (shape[side] > 0) touchLevel(book, side, fair, shape, grid, random)
  }
}

/** Pulls what the price ran over and quotes anew where the best level was left behind. */
function follow(book: OrderBook, side: Side, fair: number, shape: BookShape, grid: PriceGrid, random: Random): void {
  if (shape[side] === 0) return
  const levels = book[side]
  const outward = side === 'bids' ? -1 : 1
  for (let pulled = 0; pulled < MAX_PULLED; pulled++) {
    const best = levels[0]
    if (!best || outward * (best.ticks - fair) > 0) break
    book.set(side, best.ticks, 0)
  }
  const best = levels[0]
  const distance = best ? outward * (best.ticks - fair) : Infinity
  if (distance > shape.spread * 1.5 + grid.stepAt(fair)) {
    const at = snapOutward(fair + outward * shape.spread * random.between(0.3, 0.7), side, grid)
    if (isPrice(at, grid, fair) && !crosses(book, side, at)) book.set(side, at, amount(shape, random, 0))
  }
  if (levels.length < shape[side] * 0.7) extend(book, side, shape, grid, random)
  if (levels.length > shape[side] * 1.5 + 2) book.set(side, levels.at(-1)?.ticks ?? 0, 0)
}

/** A thinned-out side grows again at its far end. */
function extend(book: OrderBook, side: Side, shape: BookShape, grid: PriceGrid, random: Random): void {
  const last = book[side].at(-1)
  if (!last) return
  const outward = side === 'bids' ? -1 : 1
  const at = snapOutward(last.ticks + outward * random.int(1, shape.gap) * grid.stepAt(last.ticks), side, grid)
  if (isPrice(at, grid, last.ticks)) book.set(side, at, amount(shape, random, book[side].length))
}

function touchLevel(
  book: OrderBook,
  side: Side,
  fair: number,
  shape: BookShape,
  grid: PriceGrid,
  random: Random,
): void {
  const levels = book[side]
  // Most of what happens in a book happens near its top.
  const index = Math.floor(levels.length * random.float() ** 2.5)
  const level: Level | undefined = levels[index]
  const what = random.float()
  if (level && what < 0.55) {
    book.set(side, level.ticks, amount(shape, random, index))
  } else if (level && what < 0.75 && levels.length > shape[side] * 0.6) {
    book.set(side, level.ticks, 0)
  } else {
    const outward = side === 'bids' ? -1 : 1
    const from = level?.ticks ?? fair + (outward * shape.spread) / 2
    const at = snapOutward(from + outward * random.int(0, shape.gap) * grid.stepAt(from), side, grid)
    if (isPrice(at, grid, fair) && !crosses(book, side, at)) book.set(side, at, amount(shape, random, index))
  }
}

function snapOutward(ticks: number, side: Side, grid: PriceGrid): number {
  return grid.snap(ticks, side === 'bids' ? 'floor' : 'ceil')
}

function crosses(book: OrderBook, side: Side, ticks: number): boolean {
  const other = side === 'bids' ? book.bestAsk : book.bestBid
  if (!other) return false
  return side === 'bids' ? ticks >= other.ticks : ticks <= other.ticks
}

/** Prices are positive, but a combo around a fair price near or below zero may be negative. */
function isPrice(ticks: number, grid: PriceGrid, fair: number): boolean {
  return ticks >= grid.stepAt(ticks) || fair <= 0
}

function amount(shape: BookShape, random: Random, depth: number): number {
  const round = random.chance(0.15) ? 100 : 1
  const raw = Math.ceil((shape.units * (1 + depth / 8) * -Math.log(1 - random.float())) / round) * round
  return Math.max(raw, 1)
}
