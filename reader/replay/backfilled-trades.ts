import type { PlayedTrade } from '../../simulator/replay.js'

/** Rows that take their place in a stream of trades. */
export interface PlacedTrades {
  instrument: string
  rows: string[]
}

/**
 * Trades that were fetched for holes, waiting for their place in the stream. Where they are numbered: behind the trade
 * before them, as soon as they had happened; before the first later one. Else by their time. At the latest where they
 * were recorded.
 */
export class BackfilledTrades {
  /** By instrument and id, in order. */
  readonly #waiting = new Map<string, Map<PlayedTrade['id'], PlayedTrade>>()
  /** The last number that went by, of instruments that have something waiting. */
  readonly #lastNumber = new Map<string, number>()

  constructor(fetched: readonly PlayedTrade[]) {
    for (const trade of [...fetched].sort(inOrder)) {
      const { instrument, id } = trade
      const waiting = this.#waiting.get(instrument) ?? new Map<PlayedTrade['id'], PlayedTrade>()
      this.#waiting.set(instrument, waiting)
      if (!waiting.has(id)) waiting.set(id, trade)
    }
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0
  }

  /** Forgets what a frame brought by itself: it was no hole, or it came late. */
  notMissing(trades: readonly PlayedTrade[]): void {
    for (const { instrument, id, first = id } of trades) {
      if (first === id) this.#waiting.get(instrument)?.delete(id)
      else this.#take(instrument, waiting => waiting.id >= first && waiting.id <= id)
      if (this.#waiting.get(instrument)?.size === 0) this.#waiting.delete(instrument)
    }
  }

  /** What has its place before the trades of a recorded frame. */
  before(trades: readonly PlayedTrade[]): PlacedTrades[] {
    const spans = new Map<string, { first: number; last: number; executedUs: number }>()
    for (const { instrument, id, first = id, executedUs } of trades) {
      if (!this.#waiting.has(instrument)) continue
      const span = spans.get(instrument) ?? { first: Infinity, last: -Infinity, executedUs: Infinity }
      spans.set(instrument, span)
      span.executedUs = Math.min(span.executedUs, executedUs)
      if (typeof id !== 'number' || typeof first !== 'number') continue
      span.first = Math.min(span.first, first)
      span.last = Math.max(span.last, id)
    }
    return [...spans].flatMap(([instrument, span]) => {
      if (span.last > -Infinity) this.#lastNumber.set(instrument, span.last)
      return this.#take(instrument, ({ id, executedUs }) =>
        typeof id === 'number' ? id < span.first : executedUs < span.executedUs,
      )
    })
  }

  /** What has its place at a moment: it had happened by then, and follows the trade that went by last. */
  due(nowUs: number): PlacedTrades[] {
    return [...this.#waiting.keys()].flatMap(instrument => {
      let last = this.#lastNumber.get(instrument)
      const placed = this.#take(instrument, ({ id, executedUs }) => {
        if (executedUs > nowUs) return false
        if (typeof id !== 'number') return true
        if (last !== undefined && id !== last + 1) return false
        last = id
        return true
      })
      if (last !== undefined) this.#lastNumber.set(instrument, last)
      return placed
    })
  }

  /** What is left of the trades of an answer where the answer itself stands. */
  atTheLatest(trades: readonly PlayedTrade[]): PlacedTrades[] {
    const ids = new Map<string, Set<PlayedTrade['id']>>()
    for (const { instrument, id } of trades) ids.set(instrument, (ids.get(instrument) ?? new Set()).add(id))
    return [...ids].flatMap(([instrument, own]) => this.#take(instrument, ({ id }) => own.has(id)))
  }

  #take(instrument: string, isWanted: (trade: PlayedTrade) => boolean): PlacedTrades[] {
    const waiting = this.#waiting.get(instrument)
    if (!waiting) return []
    const taken = [...waiting.values()].filter(isWanted)
    for (const { id } of taken) waiting.delete(id)
    if (waiting.size === 0) this.#waiting.delete(instrument)
    return taken.length > 0 ? [{ instrument, rows: taken.map(({ row }) => row) }] : []
  }
}

const inOrder = (one: PlayedTrade, other: PlayedTrade) =>
  typeof one.id === 'number' && typeof other.id === 'number' ? one.id - other.id : one.executedUs - other.executedUs
