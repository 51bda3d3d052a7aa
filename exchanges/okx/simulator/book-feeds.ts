import { Feed } from '../../../simulator/feed.js'
import type { Json } from '../../../simulator/json.js'
import type { MarketEvent } from '../../../simulator/market/events.js'
import type { Listing } from '../../../simulator/market/listing.js'
import type { Market } from '../../../simulator/market/market.js'
import { Touches, type Level, type Side, type Touch } from '../../../simulator/market/order-book.js'
import { level, rpiLevel } from './rows.js'

/** A book of which nothing changes says so after this. */
const ALIVE_EVERY_MS = 60_000

/** `books`: a snapshot, then changes that name the one before them, within this channel only. */
export class BookFeed extends Feed {
  readonly subjects: readonly string[]
  readonly #listing: Listing
  readonly #touches = new Touches()
  readonly #hasRpi: boolean
  /** Number of the state that subscribers have. */
  #publishedId: number
  #publishedMs: number

  /** @param hasRpi levels say what is not RPI, and frames have no checksum */
  constructor(market: Market, listing: Listing, hasRpi = false) {
    super(market, 100)
    this.#hasRpi = hasRpi
    this.#listing = listing
    this.subjects = [listing.name]
    this.#publishedId = listing.book.changeId
    this.#publishedMs = market.nowMs
  }

  override get repeatAfterMs(): number {
    return ALIVE_EVERY_MS
  }

  override first(): Json[] {
    const { book } = this.#listing
    const side = (name: Side) => book[name].slice(0, 400).map(each => this.#level(each))
    return [this.#frame('snapshot', side('asks'), side('bids'), -1)]
  }

  override take(event: MarketEvent): boolean {
    if (event.type !== 'book') return false
    for (const { side, ticks, before, after } of event.touches) this.#touches.add(side, ticks, before, after)
    return true
  }

  override drain(ms: number): Json | undefined {
    const touched = this.#touches.take()
    const isQuiet = touched.length === 0
    // What changed and changed back is not sent; but a sign of life is, when it is time for one.
    if (isQuiet && ms - this.#publishedMs < ALIVE_EVERY_MS) return undefined
    const previous = this.#publishedId
    if (!isQuiet) this.#publishedId = this.#listing.book.changeId
    this.#publishedMs = ms
    return this.#frame('update', this.#changes(touched, 'asks'), this.#changes(touched, 'bids'), previous)
  }

  #changes(touched: readonly Touch[], side: Side): Json[] {
    const own = touched.filter(touch => touch.side === side)
    own.sort((a, b) => (side === 'asks' ? a.ticks - b.ticks : b.ticks - a.ticks))
    return own.map(({ ticks, after }) => this.#level({ ticks, units: after }))
  }

  #level(each: Level): Json {
    return (this.#hasRpi ? rpiLevel : level)(this.#listing, each)
  }

  #frame(action: string, asks: Json[], bids: Json[], prevSeqId: number): Json {
    const ts = String(Math.ceil(this.#listing.book.changedMs / 100) * 100)
    const checksum = this.#hasRpi ? {} : { checksum: 0 }
    return { action, data: [{ asks, bids, ts, ...checksum, seqId: this.#publishedId, prevSeqId }] }
  }
}

/** `bbo-tbt` and `books5`: the best levels, whole each time. */
export class TopFeed extends Feed {
  readonly subjects: readonly string[]
  readonly #listing: Listing
  readonly #depth: number

  constructor(market: Market, listing: Listing, depth: number, paceMs: number) {
    super(market, paceMs)
    this.#listing = listing
    this.#depth = depth
    this.subjects = [listing.name]
  }

  override first(): Json[] {
    return [this.drain()]
  }

  override take(event: MarketEvent): boolean {
    return event.type === 'book' && (this.#depth > 1 || event.bestChanged)
  }

  override drain(): Json {
    const { book, name } = this.#listing
    const side = (of: Side) => book[of].slice(0, this.#depth).map(each => level(this.#listing, each))
    const own = this.#depth > 1 ? { instId: name } : {}
    return {
      data: [{ asks: side('asks'), bids: side('bids'), ...own, ts: String(book.changedMs), seqId: book.changeId }],
    }
  }
}
