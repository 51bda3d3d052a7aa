/** One price level, in steps of price and amount. */
export interface Level {
  ticks: number
  units: number
}

export type Side = 'bids' | 'asks'

/** What happened to a level between two published states; 0 units means it is not there. */
export interface Touch {
  side: Side
  ticks: number
  before: number
  after: number
}

/** Several touches of a level become one; levels that end as they began are gone. */
export class Touches {
  private readonly bySide = { bids: new Map<number, Touch>(), asks: new Map<number, Touch>() }

  add(side: Side, ticks: number, before: number, after: number): void {
    const touched = this.bySide[side].get(ticks)
    if (touched) touched.after = after
    else this.bySide[side].set(ticks, { side, ticks, before, after })
  }

  /** The real changes, and a clean slate. */
  take(): Touch[] {
    const changed: Touch[] = []
    for (const side of ['bids', 'asks'] as const) {
      for (const touch of this.bySide[side].values()) if (touch.before !== touch.after) changed.push(touch)
      this.bySide[side].clear()
    }
    return changed
  }
}

/** The levels of one instrument, best first. Whoever changes them calls `commit` with the new change id. */
export class OrderBook {
  readonly bids: Level[] = []
  readonly asks: Level[] = []
  /** 0 for a book that was never quoted. */
  changeId = 0
  /** Of the last change, ms; the exchange shows old ones on quiet books. */
  changedMs: number
  private readonly touches = new Touches()

  constructor(createdMs: number) {
    this.changedMs = createdMs
  }

  /** Sets the amount at a price; 0 takes the level away. */
  set(side: Side, ticks: number, units: number): void {
    const levels = this[side]
    const sign = side === 'bids' ? -1 : 1
    let index = 0
    while (index < levels.length && sign * ((levels[index]?.ticks ?? 0) - ticks) < 0) index++
    const found = levels[index]
    const there = found?.ticks === ticks
    this.touches.add(side, ticks, there ? found.units : 0, units)
    if (there && units > 0) found.units = units
    else if (there) levels.splice(index, 1)
    else if (units > 0) levels.splice(index, 0, { ticks, units })
  }

  /** What changed since the last call. */
  takeTouches(): Touch[] {
    return this.touches.take()
  }

  commit(changeId: number, ms: number): void {
    this.changeId = changeId
    this.changedMs = ms
  }

  get bestBid(): Level | undefined {
    return this.bids[0]
  }

  get bestAsk(): Level | undefined {
    return this.asks[0]
  }
}
