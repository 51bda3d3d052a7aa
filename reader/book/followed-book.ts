import { BookBuilder, type BookFrameHead, type BookLink } from './book-builder.js'

/** A level that a frame set; an amount of 0 took it away. `isNew`: there was none at the price before. */
export type LevelChange = readonly [side: 'bids' | 'asks', price: number, amount: number, isNew: boolean]

/** A frame of a book that counts. */
export interface BookEvent {
  kind: 'snapshot' | 'change'
  recvUs: number
  exchangeMs: number
  changeId: number
  levels: readonly LevelChange[]
}

export interface BookEar {
  /** A frame was applied to the book. */
  event: (event: BookEvent) => void
  /** From then on the book is not known, until a snapshot, or until a change proves that nothing was missed. */
  lost: (sinceUs: number, because: string) => void
  /** It is known again, by a change that proves it. */
  proved: () => void
}

/** A book that reports what is done to it: each frame when all of its levels are set, and when it is lost. */
export class FollowedBook extends BookBuilder {
  readonly #ear: BookEar
  #pending: (BookEvent & { levels: LevelChange[] }) | undefined

  constructor(ear: BookEar) {
    super()
    this.#ear = ear
  }

  /** Reports the frame at hand; whoever looks at the book from outside calls it first. */
  finish(): void {
    const pending = this.#pending
    if (!pending) return
    this.#pending = undefined
    this.#ear.event(pending)
  }

  override begin(head: BookFrameHead): BookLink {
    this.finish()
    return super.begin(head)
  }

  protected override counted(head: BookFrameHead, link: 'snapshot' | 'next', wasKnown: boolean): void {
    if (!wasKnown && link === 'next') this.#ear.proved()
    const { exchangeMs, changeId } = this
    const kind = link === 'next' ? 'change' : 'snapshot'
    this.#pending = { kind, recvUs: head.recvUs, exchangeMs, changeId, levels: [] }
  }

  protected override put(side: 'bids' | 'asks', price: number, amount: number): void {
    const isNew = this[side].amountOf(price) === 0
    super.put(side, price, amount)
    this.#pending?.levels.push([side, price, amount, isNew])
  }

  override doubt(sinceUs: number, because: string): void {
    this.finish()
    const wasKnown = this.isKnown
    super.doubt(sinceUs, because)
    if (wasKnown) this.#ear.lost(sinceUs, because)
  }

  override lose(sinceUs: number, because: string): void {
    // A frame of which a level is not understood does not count.
    this.#pending = undefined
    const wasKnown = this.isKnown
    super.lose(sinceUs, because)
    if (wasKnown) this.#ear.lost(sinceUs, because)
  }
}
