import { PriceLevels } from './price-levels.js'

/** Changes that are kept until their snapshot comes, at most: ten minutes of five a second. */
const EARLY_MAX = 3000

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

interface EarlyChange extends BookFrameHead {
  levels: [side: 'bids' | 'asks', price: number, amount: number][]
}

/**
 * The book of one channel, put together from its frames in the order of receive time; frames may come from several
 * connections that took the same channel. Where something is missing the book is unknown until the next snapshot: it is
 * never shown with levels of before. Pure.
 *
 * Each change names the change before it; ids jump by any amount and may be 0 (documentation of the exchange).
 */
export class BookBuilder {
  /**
   * Snapshots of its channel are answers to a question: changes that follow one may have been received before it, and are
   * kept as long as the book is unknown. Their numbers begin anew behind 0, and the book with them.
   */
  isAnswered = false
  /** Whether the levels of the frame that was begun are to be set. */
  takesLevels = false
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
  /** Changes that follow each other, received while the book was unknown. */
  #early: EarlyChange[] = []
  /** That of them whose levels are being set. */
  #keeping: EarlyChange | undefined
  /** Prices of which something newer is known than the snapshot that is being set. */
  #newer: Record<'bids' | 'asks', Map<number, number>> | undefined
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

  /** Takes the head of a frame; where it `takesLevels` then, they are to be set now. */
  begin(head: BookFrameHead): BookLink {
    const wasKnown = this.isKnown
    this.#keeping = undefined
    this.#newer = undefined
    this.takesLevels = false
    const link = this.#place(head)
    if (link === 'snapshot' || link === 'next') {
      this.takesLevels = true
      this.counted?.(head, link, wasKnown)
    }
    if (link === 'snapshot' && this.#early.length > 0) this.#setNewer()
    return link
  }

  /** A frame counts, and its levels follow. */
  protected counted?(head: BookFrameHead, link: 'snapshot' | 'next', wasKnown: boolean): void

  #place(head: BookFrameHead): BookLink {
    if (head.isSnapshot) return this.isAnswered ? this.#beginAnswer(head) : this.#beginSnapshot(head)
    if (this.#state === 'unknown') {
      if (this.isAnswered) this.#keep(head)
      return 'early'
    }
    if (this.isAnswered && head.prevChangeId === 0) {
      this.lose(head.recvUs, 'the exchange restarted the book')
      this.#keep(head)
      return 'break'
    }
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
    if (this.isAnswered) this.#keep(head)
    return 'break'
  }

  /** Sets the amount at a price of the frame that was begun; 0 where the level is gone. */
  set(side: 'bids' | 'asks', price: number, amount: number): void {
    if (this.#keeping) this.#keeping.levels.push([side, price, amount])
    else if (!this.#newer?.[side].has(price)) this.put(side, price, amount)
  }

  /** The same of a level that counts. */
  protected put(side: 'bids' | 'asks', price: number, amount: number): void {
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
    this.#early = []
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

  /** A snapshot that was asked for: what was kept of later changes goes on top of it. */
  #beginAnswer(head: BookFrameHead): BookLink {
    if (this.isKnown && head.changeId <= this.changeId) return 'old'
    const later = this.#early.filter(({ changeId }) => changeId > head.changeId)
    const [first] = later
    if (first && first.prevChangeId !== head.changeId) return 'early'
    const { recvUs } = head
    const last = later.at(-1) ?? head
    this.bids.clear()
    this.asks.clear()
    this.#state = 'known'
    this.#justSnapshot = true
    this.#early = later
    this.#accept({ ...last, recvUs })
    return 'snapshot'
  }

  #keep(head: BookFrameHead): void {
    const last = this.#early.at(-1)
    if (last && head.source !== last.source && head.changeId <= last.changeId) return
    if (last && head.prevChangeId !== last.changeId) this.#early = []
    if (this.#early.length === EARLY_MAX) this.#early.shift()
    this.#keeping = { ...head, levels: [] }
    this.#early.push(this.#keeping)
    this.takesLevels = true
  }

  /** Amounts count as they were set last: what the snapshot says of the same prices is older. */
  #setNewer(): void {
    const newer = { bids: new Map<number, number>(), asks: new Map<number, number>() }
    for (const { levels } of this.#early) for (const [side, price, amount] of levels) newer[side].set(price, amount)
    this.#early = []
    for (const side of ['bids', 'asks'] as const)
      for (const [price, amount] of newer[side]) if (amount !== 0) this.put(side, price, amount)
    this.#newer = newer
  }

  #accept(head: Omit<BookFrameHead, 'isSnapshot' | 'prevChangeId'>): void {
    this.recvUs = head.recvUs
    this.exchangeMs = head.exchangeMs
    this.source = head.source
    this.changeId = head.changeId
  }
}
