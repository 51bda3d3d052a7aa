import { heldBytes, type Append } from './messages.js'

/**
 * All that is in memory and not on disk yet, counted in one place: batches that are still here, by family, and bytes that the
 * storage thread holds. It decides what the thread may get and what is dropped.
 */
export class Backlog {
  readonly #rank: (family: string) => number
  readonly #inFlightMax: number
  readonly #here = new Map<string, Append[]>()
  readonly #inFlight = new Map<string, number>()
  #bytes = 0

  /**
   * @param first families given up first, in this order
   * @param last families given up after all others, in this order
   * @param inFlightMax bytes of one family that the storage thread may hold, at most
   */
  constructor(first: readonly string[], last: readonly string[], inFlightMax: number) {
    this.#rank = family => rankOf(family, first, last)
    this.#inFlightMax = inFlightMax
  }

  /** Of all that waits, wherever it is. */
  get bytes(): number {
    return this.#bytes
  }

  /** Whether anything waits for the storage thread to hold less. */
  get isWaiting(): boolean {
    return this.#here.size > 0
  }

  push(batch: Append): void {
    this.#bytes += heldBytes(batch)
    const list = this.#here.get(batch.channel)
    if (list) list.push(batch)
    else this.#here.set(batch.channel, [batch])
  }

  /** Whether the storage thread may get so much of a family past those that wait here; from here on it holds that. */
  passes(family: string, bytes: number): boolean {
    if (!this.mayPass(family)) return false
    this.pass(family, bytes)
    return true
  }

  /** Whether the storage thread may get more of a family past those that wait here. */
  mayPass(family: string): boolean {
    return (this.#inFlight.get(family) ?? 0) < this.#inFlightMax && !this.#here.has(family)
  }

  /** From here on it holds so much more. */
  pass(family: string, bytes: number): void {
    this.#inFlight.set(family, (this.#inFlight.get(family) ?? 0) + bytes)
    this.#bytes += bytes
  }

  /** Takes out what the storage thread may get of a family now; from here on it holds that. */
  *takeToSend(family: string): Generator<Append> {
    for (let held = this.#inFlight.get(family) ?? 0; held < this.#inFlightMax;) {
      const batch = this.#shift(family)
      if (!batch) return
      held += heldBytes(batch)
      this.#inFlight.set(family, held)
      yield batch
    }
  }

  /** The thread holds this memory no more. */
  release(family: string, bytes: number): void {
    this.#bytes -= bytes
    this.#inFlight.set(family, (this.#inFlight.get(family) ?? 0) - bytes)
  }

  /** True while some of a family's batches are not yet on disk. */
  has(family: string): boolean {
    return this.#here.has(family) || (this.#inFlight.get(family) ?? 0) > 0
  }

  /** Takes out what is dropped first, of each family the oldest batches that are still here, until `bytes` of memory are free. */
  dropOldest(bytes: number): Append[] {
    const gone: Append[] = []
    let freed = 0
    const families = [...this.#here.keys()].sort((one, other) => this.#rank(one) - this.#rank(other))
    for (const family of families) {
      while (freed < bytes) {
        const batch = this.#shift(family)
        if (!batch) break
        gone.push(batch)
        freed += heldBytes(batch)
      }
    }
    this.#bytes -= freed
    return gone
  }

  /** Takes the oldest batch of a family. */
  #shift(family: string): Append | undefined {
    const list = this.#here.get(family)
    const first = list?.shift()
    if (list?.length === 0) this.#here.delete(family)
    return first
  }
}

/** The lowest is dropped first: the first ones, in their order; those not named; the last ones, in theirs. */
function rankOf(family: string, first: readonly string[], last: readonly string[]): number {
  const placeAtEnd = last.indexOf(family)
  if (placeAtEnd >= 0) return first.length + 1 + placeAtEnd
  const place = first.indexOf(family)
  return place < 0 ? first.length : place
}
