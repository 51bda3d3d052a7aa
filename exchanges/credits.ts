/** A pool of the exchange's credits: calls wait until there are enough. Sizes: api documentation, "rate limits". */
export class Credits {
  readonly #capacity: number
  readonly #refillPerMs: number
  readonly #nowMs: () => number
  #available: number
  #atMs: number

  constructor(capacity: number, refillPerSecond: number, nowMs: () => number = () => performance.now()) {
    this.#capacity = capacity
    this.#refillPerMs = refillPerSecond / 1000
    this.#nowMs = nowMs
    this.#available = capacity
    this.#atMs = nowMs()
  }

  /** Takes credits, also before they are there: returns how long the caller must wait before its call, ms. */
  take(cost: number): number {
    const now = this.#nowMs()
    this.#available = Math.min(this.#capacity, this.#available + (now - this.#atMs) * this.#refillPerMs) - cost
    this.#atMs = now
    return this.#available >= 0 ? 0 : -this.#available / this.#refillPerMs
  }
}
