const FIRST_CAPACITY = 256

/**
 * One side of a book: amounts by price, the best level first. Levels lie in order in two flat arrays with the best at the
 * end, where nearly all changes happen, so that little is moved when one comes or goes.
 */
export class PriceLevels {
  /** Rises from the worst level to the best: the price, or for asks its negative. */
  #keys = new Float64Array(FIRST_CAPACITY)
  #amounts = new Float64Array(FIRST_CAPACITY)
  #size = 0
  readonly #sign: 1 | -1

  constructor(side: 'bids' | 'asks') {
    this.#sign = side === 'bids' ? 1 : -1
  }

  get size(): number {
    return this.#size
  }

  /** Price of the n-th best level, from 0; NaN beyond the last. */
  priceAt(place: number): number {
    return place < this.#size ? this.#sign * (this.#keys[this.#size - 1 - place] ?? NaN) : NaN
  }

  /** Amount at the n-th best level, from 0; NaN beyond the last. */
  amountAt(place: number): number {
    return place < this.#size ? (this.#amounts[this.#size - 1 - place] ?? NaN) : NaN
  }

  /** The amount at a price; 0 where there is no such level. */
  amountOf(price: number): number {
    const at = this.#find(this.#sign * price)
    return this.#holds(at, this.#sign * price) ? (this.#amounts[at] ?? 0) : 0
  }

  /** Sets the amount at a price, whether or not there was one; 0 takes the level away. */
  set(price: number, amount: number): void {
    const key = this.#sign * price
    const at = this.#find(key)
    if (this.#holds(at, key)) {
      if (amount === 0) this.#remove(at)
      else this.#amounts[at] = amount
    } else if (amount !== 0) this.#insert(at, key, amount)
  }

  clear(): void {
    this.#size = 0
  }

  /** All levels, or the best `count`, as `[price, amount]`, the best first. */
  list(count = this.#size): [price: number, amount: number][] {
    return Array.from({ length: Math.min(count, this.#size) }, (_, place) => [
      this.priceAt(place),
      this.amountAt(place),
    ])
  }

  /** The first place whose key is not below `key`. */
  #find(key: number): number {
    const keys = this.#keys
    let low = 0
    let high = this.#size
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((keys[middle] as number) < key) low = middle + 1
      else high = middle
    }
    return low
  }

  #holds(at: number, key: number): boolean {
    return at < this.#size && this.#keys[at] === key
  }

  #insert(at: number, key: number, amount: number): void {
    if (this.#size === this.#keys.length) this.#grow()
    this.#keys.copyWithin(at + 1, at, this.#size)
    this.#amounts.copyWithin(at + 1, at, this.#size)
    this.#keys[at] = key
    this.#amounts[at] = amount
    this.#size++
  }

  #remove(at: number): void {
    this.#keys.copyWithin(at, at + 1, this.#size)
    this.#amounts.copyWithin(at, at + 1, this.#size)
    this.#size--
  }

  #grow(): void {
    const keys = new Float64Array(2 * this.#keys.length)
    const amounts = new Float64Array(2 * this.#amounts.length)
    keys.set(this.#keys)
    amounts.set(this.#amounts)
    this.#keys = keys
    this.#amounts = amounts
  }
}
