import type { Append } from './messages.js'

/** Which segment lines go to: one for each group and slot, where none goes on beyond its slot. */
export const segmentKey = (batch: Append) => `${batch.group}/${batch.slotToUs}`

/**
 * Batches to be written, in the order in which they came. Where one cannot be written, those behind it of the same group
 * wait, too, since they may go to the same segment, and all others go on.
 */
export class BatchQueue {
  #batches: Append[] = []
  /** Groups whose last write failed, and when it is tried again, ms of `performance.now`. */
  readonly #blocked = new Map<string, number>()

  push(batch: Append): void {
    this.#batches.push(batch)
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0
  }

  /** When what failed is due again. */
  get retries(): Iterable<number> {
    return this.#blocked.values()
  }

  /** What failed a moment ago is tried again at once. */
  retryNow(): void {
    this.#blocked.clear()
  }

  /**
   * Tries all that may be written now.
   * @param write returns when to try again; undefined: it is written
   */
  drain(nowMs: number, mayWrite: (batch: Append) => boolean, write: (batch: Append) => number | undefined): void {
    const stuck = new Set<string>()
    this.#batches = this.#batches.filter(batch => {
      const key = batch.group
      if (!stuck.has(key) && mayWrite(batch) && (this.#blocked.get(key) ?? 0) <= nowMs) {
        const againMs = write(batch)
        if (againMs === undefined) {
          this.#blocked.delete(key)
          return false
        }
        this.#blocked.set(key, againMs)
      }
      stuck.add(key)
      return true
    })
    if (this.#batches.length === 0) this.#blocked.clear()
  }

  /** Takes out what is not to be written any more. */
  takeOut(which: (batch: Append) => boolean): Append[] {
    const taken = this.#batches.filter(which)
    this.#batches = this.#batches.filter(batch => !which(batch))
    return taken
  }
}
