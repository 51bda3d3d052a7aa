import type { Json } from '../../../../simulator/json.js'
import type { MarketEvent } from '../../../../simulator/market/events.js'
import type { Listing } from '../../../../simulator/market/listing.js'
import type { Market } from '../../../../simulator/market/market.js'
import { Touches, type Level, type Touch } from '../../../../simulator/market/order-book.js'
import { Feed } from '../../../../simulator/feed.js'

/** `book.{instrument}.{interval}`: a snapshot, then changes that chain by change id, within this channel only. */
export class BookFeed extends Feed {
  readonly subjects: readonly string[]
  override readonly lateAfterSnapshot = true
  private readonly touches = new Touches()
  /** Change id of the state that subscribers have. */
  private publishedId: number
  /** Since its numbers began anew they are less by so much. */
  private begunAt = 0

  constructor(
    market: Market,
    private readonly listing: Listing,
    paceMs: number,
    /** Whether its numbers are ordered to begin anew now. */
    private readonly beginsAnew: () => boolean = () => false,
  ) {
    super(market, paceMs)
    this.subjects = [listing.name]
    this.publishedId = listing.book.changeId
  }

  override first(): Json[] {
    const { book } = this.listing
    const level = ({ ticks, units }: Level) => ['new', this.listing.priceOf(ticks), this.listing.amountOf(units)]
    return [
      {
        timestamp: book.changedMs,
        type: 'snapshot',
        change_id: this.publishedId - this.begunAt,
        instrument_name: this.listing.name,
        bids: book.bids.map(level),
        asks: book.asks.map(level),
      },
    ]
  }

  override take(event: MarketEvent): boolean {
    if (event.type !== 'book') return false
    for (const { side, ticks, before, after } of event.touches) this.touches.add(side, ticks, before, after)
    return true
  }

  override drain(): Json | undefined {
    const touched = this.touches.take()
    if (touched.length === 0) return undefined
    const { book } = this.listing
    const previous = this.publishedId
    this.publishedId = book.changeId
    if (this.beginsAnew()) {
      this.begunAt = book.changeId - 1
      return this.first()[0]
    }
    return {
      timestamp: book.changedMs,
      type: 'change',
      change_id: book.changeId - this.begunAt,
      instrument_name: this.listing.name,
      bids: this.changes(touched, 'bids'),
      asks: this.changes(touched, 'asks'),
      prev_change_id: previous - this.begunAt,
    }
  }

  private changes(touched: readonly Touch[], side: 'bids' | 'asks'): Json[] {
    const changes: Json[] = []
    for (const touch of touched) {
      if (touch.side !== side) continue
      const action = touch.after === 0 ? 'delete' : touch.before === 0 ? 'new' : 'change'
      changes.push([action, this.listing.priceOf(touch.ticks), this.listing.amountOf(touch.after)])
    }
    return changes
  }
}

/** `book.{instrument}.{group}.{depth}.{interval}`: always the whole window. */
export class GroupedBookFeed extends Feed {
  readonly subjects: readonly string[]

  /** `groupTicks`: width of a price group in base ticks, 1 for `none`. */
  constructor(
    market: Market,
    private readonly listing: Listing,
    private readonly groupTicks: number,
    private readonly depth: number,
    paceMs: number,
  ) {
    super(market, paceMs)
    this.subjects = [listing.name]
  }

  override first(): Json[] {
    return [this.drain()]
  }

  override take(event: MarketEvent): boolean {
    return event.type === 'book'
  }

  override drain(): Json {
    const { book, name } = this.listing
    return {
      timestamp: book.changedMs,
      change_id: book.changeId,
      instrument_name: name,
      bids: this.window(book.bids, 'floor'),
      asks: this.window(book.asks, 'ceil'),
    }
  }

  private window(levels: readonly Level[], direction: 'floor' | 'ceil'): Json[] {
    const groups = new Map<number, number>()
    for (const { ticks, units } of levels) {
      const group = Math[direction](ticks / this.groupTicks) * this.groupTicks
      const sum = groups.get(group)
      if (sum === undefined && groups.size === this.depth) break
      groups.set(group, (sum ?? 0) + units)
    }
    return [...groups].map(([ticks, units]) => [this.listing.priceOf(ticks), this.listing.amountOf(units)])
  }
}
