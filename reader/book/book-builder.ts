import { PriceLevels } from './price-levels.js'

/** What a frame of a full book says besides its levels. */
export interface BookFrameHead {
  /** Receive time, µs since the epoch. */
  recvUs: number
  /** The exchange's time of the change, ms since the epoch. */
  exchangeMs: number
  /** Who received it: host and connection. Frames of one source are in the exchange's order. */
  source: string
  isSnapshot: boolean
  changeId: number
  /** The change before this one; snapshots have none. May be 0. */
  prevChangeId: number | undefined
}

/**
 * What became of a frame. `old`: the book has it already. `early`: a change before any snapshot. `break`: a change is
 * missing before this one, and with it the book is lost. Only the levels of `snapshot` and `next` count.
 */
export type BookLink = 'snapshot' | 'next' | 'old' | 'early' | 'break'

/**
 * The book of one channel, put together from its frames in the order of receive time; frames may come from several
 * connections that took the same channel. Where something is missing the book is unknown until the next snapshot: it is
 * never shown with levels of before. Pure.
 *
 * Each change names the change before it; ids jump by any amount and may be 0 (documentation of the exchange).
 */
export class BookBuilder {
  /** Levels, to be looked at only while the book is known. */
  readonly bids = new PriceLevels('bids')
  readonly asks = new PriceLevels('asks')
  /** Receive time of the frame that was applied last, µs; 0 before any. */
  recvUs = 0
  /** The exchange's time of it, ms. */
  exchangeMs = 0
  /** Source of it. */
  source = ''
  changeId = NaN
  #state: 'known' | 'doubtful' | 'unknown' = 'unknown'
  /** Until the first change that follows, changes older than the snapshot may still arrive. */
  #justSnapshot = false
  #lostSinceUs = 0
  #lostBecause = 'no snapshot yet'

  /** False where a reader must not be shown any level. */
  get isKnown(): boolean {
    return this.#state === 'known'
  }

  /** Why and since when the book is unknown; undefined while it is known. */
  get unknown(): { because: string; sinceUs: number } | undefined {
    return this.isKnown ? undefined : { because: this.#lostBecause, sinceUs: this.#lostSinceUs }
  }

  /** True where the best bid is not below the best ask. */
  get isCrossed(): boolean {
    return this.bids.priceAt(0) >= this.asks.priceAt(0)
  }

  /** Takes the head of a frame; where the answer is `snapshot` or `next`, its levels are to be set now. */
  begin(head: BookFrameHead): BookLink {
    if (head.isSnapshot) return this.#beginSnapshot(head)
    if (this.#state === 'unknown') return 'early'
    if (head.prevChangeId === this.changeId) {
      // Where it was in doubt, this proves that nothing was missed.
      this.#state = 'known'
      this.#justSnapshot = false
      this.#accept(head)
      return 'next'
    }
    const isCopy = head.source !== this.source || this.#justSnapshot
    if (head.changeId === this.changeId || (isCopy && head.changeId < this.changeId)) return 'old'
    this.lose(head.recvUs, `change ${head.prevChangeId ?? 'without predecessor'} is missing`)
    return 'break'
  }

  /** Sets the amount at a price of the frame that was begun; 0 where the level is gone. */
  set(side: 'bids' | 'asks', price: number, amount: number): void {
    this[side].set(price, amount)
  }

  /**
   * Declares the book unknown since nobody listened for a while, or may have not: until the next snapshot, or until a
   * change follows that names the last one as its predecessor and so proves that nothing was missed.
   */
  doubt(sinceUs: number, because: string): void {
    if (this.#state !== 'known') return
    this.#state = 'doubtful'
    this.#lostSinceUs = sinceUs
    this.#lostBecause = because
  }

  /** Declares the book unknown until the next snapshot. */
  lose(sinceUs: number, because: string): void {
    if (this.#state === 'known') {
      this.#lostSinceUs = sinceUs
      this.#lostBecause = because
    }
    this.#state = 'unknown'
    this.bids.clear()
    this.asks.clear()
  }

  #beginSnapshot(head: BookFrameHead): BookLink {
    // Another connection's snapshot may be older than what the changes of this one made of its own.
    if (this.isKnown && head.source !== this.source && head.changeId <= this.changeId) return 'old'
    this.bids.clear()
    this.asks.clear()
    this.#state = 'known'
    this.#justSnapshot = true
    this.#accept(head)
    return 'snapshot'
  }

  #accept(head: BookFrameHead): void {
    this.recvUs = head.recvUs
    this.exchangeMs = head.exchangeMs
    this.source = head.source
    this.changeId = head.changeId
  }
}
