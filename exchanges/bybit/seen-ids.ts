const FIRST_SIZE = 64

/** The newest so many ids, each a number and there once, and the order in which they came. Grows as they come. */
export class SeenIds {
  readonly #most: number
  #ids = new Float64Array(FIRST_SIZE)
  /** How many ever came, without those that were known. */
  total = 0

  constructor(most: number) {
    this.#most = most
  }

  add(id: number): void {
    // The copy of another connection would take the place of one that is still to be known.
    if (this.has(id)) return
    if (this.total === this.#ids.length && this.total < this.#most) this.#grow()
    this.#ids[this.total % this.#ids.length] = id
    this.total++
  }

  has(id: number): boolean {
    return this.placeOf(id) >= 0
  }

  /** The how-manieth it was, from 0; -1 for one that is not known. */
  placeOf(id: number): number {
    const size = this.#ids.length
    const count = Math.min(this.total, size)
    const index = this.#ids.subarray(0, count).indexOf(id)
    if (index < 0) return -1
    const newest = this.total - 1
    return newest - ((((newest - index) % size) + size) % size)
  }

  #grow(): void {
    const larger = new Float64Array(Math.min(this.#most, this.#ids.length * 2))
    larger.set(this.#ids)
    this.#ids = larger
  }
}
