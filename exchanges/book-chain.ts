/** Where a frame of a full book stands in its sequence. Ids may be 0. */
export interface BookIds {
  isSnapshot: boolean
  changeId: number
  /** Snapshots have none, though some did. */
  prevChangeId: number | undefined
  /** Numbers begin anew, and the frame does not hold the book. */
  beginsAnew?: boolean
}

/** What a frame of a book means for its chain. `old`: nothing is missing, the book already has it. */
export type ChainLink = 'snapshot' | 'next' | 'old' | 'break' | 'broken' | 'early'

/**
 * The chain of one full book on one connection: each change names the change before it. Ids jump by any amount and may
 * be 0; only the names of predecessors say that nothing is missing (api documentation, traps 5 to 8).
 */
export class BookChain {
  #state: 'new' | 'whole' | 'broken' = 'new'
  /** Until the first change that follows, changes older than the snapshot may still arrive. */
  #justSnapshot = false
  /** The last id that is part of the chain; undefined before the first snapshot. */
  lastChangeId: number | undefined
  /** Receive stamp of the frame that brought it; of the first frame where there is none. */
  lastUs = 0

  see(ids: BookIds, recvUs: number): ChainLink {
    if (this.lastUs === 0) this.lastUs = recvUs
    // While broken, only the answer to a new subscription counts: `restart` opens the chain for it.
    if (this.#state === 'broken') return 'broken'
    if (ids.isSnapshot) {
      this.#state = 'whole'
      this.#justSnapshot = true
      this.#extend(ids.changeId, recvUs)
      return 'snapshot'
    }
    if (this.#state === 'new') return 'early'
    if (ids.beginsAnew) {
      this.#state = 'broken'
      return 'break'
    }
    if (ids.prevChangeId === this.lastChangeId) {
      this.#justSnapshot = false
      this.#extend(ids.changeId, recvUs)
      return 'next'
    }
    const last = this.lastChangeId ?? 0
    if (ids.changeId === last || (this.#justSnapshot && ids.changeId < last)) return 'old'
    this.#state = 'broken'
    return 'break'
  }

  /** Declares the chain broken although no frame said so: its first snapshot never came. */
  breakOff(): void {
    this.#state = 'broken'
  }

  /** The channel was unsubscribed and will be subscribed again: the next snapshot starts the chain anew. */
  restart(): void {
    this.#state = 'new'
  }

  #extend(changeId: number, recvUs: number): void {
    this.lastChangeId = changeId
    this.lastUs = recvUs
  }
}
