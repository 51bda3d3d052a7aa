import type { Json } from '../../../../simulator/json.js'
import type { Listing } from '../../../../simulator/market/listing.js'
import type { Fields } from './client.js'

/** A book put together from frames, as a client does it. */
export class RebuiltBook {
  readonly bids = new Map<number, number>()
  readonly asks = new Map<number, number>()
  changeId = NaN
  /** Frames that did not chain. */
  breaks = 0
  /** Levels that were said to be new, changed or deleted, and were not. */
  wrongActions = 0
  /** Frames that were older than the snapshot. */
  late = 0

  apply(frame: Fields): void {
    const id = Number(frame['change_id'])
    if (frame['type'] === 'snapshot') {
      this.bids.clear()
      this.asks.clear()
    } else if (id <= this.changeId) {
      this.late++
      return
    } else if (frame['prev_change_id'] !== this.changeId) this.breaks++
    this.changeId = id
    for (const side of ['bids', 'asks'] as const) this.change(this[side], frame[side] as [string, number, number][])
  }

  private change(levels: Map<number, number>, changes: readonly [string, number, number][]): void {
    for (const [action, price, amount] of changes) {
      if (levels.has(price) === (action === 'new')) this.wrongActions++
      if (action === 'delete') levels.delete(price)
      else levels.set(price, amount)
    }
  }

  /** Comparable text of the whole state. */
  toString(): string {
    return stateText([...this.bids], [...this.asks])
  }
}

/** The same text of a book as the market has it. */
export function marketState(listing: Listing): string {
  const levels = (side: 'bids' | 'asks') =>
    listing.book[side].map(({ ticks, units }): [number, number] => [listing.priceOf(ticks), listing.amountOf(units)])
  return stateText(levels('bids'), levels('asks'))
}

function stateText(bids: [number, number][], asks: [number, number][]): string {
  bids.sort(([a], [b]) => b - a)
  asks.sort(([a], [b]) => a - b)
  return JSON.stringify({ bids, asks } satisfies Json)
}
