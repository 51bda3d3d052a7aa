import type { IndexSource } from './listing-plan.js'
import type { Random } from './random.js'

const YEAR_S = 365 * 86_400
/** One move is never larger than this fraction, however much time it covers. */
const MAX_MOVE = 0.05

interface IndexState {
  source: IndexSource
  exact: number
  price: number
  low: number
  high: number
  open: number
}

/** The price indices: random walks, and those that follow another one. */
export class IndexPrices {
  private readonly states = new Map<string, IndexState>()

  constructor(sources: readonly IndexSource[], random: Random) {
    for (const source of sources) {
      const exact = source.startPrice * (1 + random.between(-0.02, 0.02))
      const price = round(exact, source.decimals)
      this.states.set(source.name, { source, exact, price, low: price, high: price, open: price })
    }
    this.settle()
    for (const state of this.states.values()) state.low = state.high = state.open = state.price
  }

  get names(): string[] {
    return [...this.states.keys()]
  }

  has(name: string): boolean {
    return this.states.has(name)
  }

  /** @throws nothing; an unknown index is a programming error and reads as NaN. */
  price(name: string): number {
    return this.states.get(name)?.price ?? NaN
  }

  range(name: string): { low: number; high: number; open: number } {
    return this.states.get(name) ?? { low: NaN, high: NaN, open: NaN }
  }

  /** Moves every index by what `seconds` would do to it. */
  advance(seconds: number, random: Random): void {
    for (const state of this.states.values()) {
      const deviation = state.source.volatility * Math.sqrt(seconds / YEAR_S)
      const move = Math.max(-MAX_MOVE, Math.min(MAX_MOVE, deviation * random.normal()))
      state.exact *= 1 + move
    }
    this.settle()
  }

  private settle(): void {
    for (const state of this.states.values()) {
      const { follows, factor = 1, decimals } = state.source
      const leader = follows === undefined ? undefined : this.states.get(follows)
      if (leader) state.exact = leader.exact * factor
      state.price = round(state.exact, decimals)
      state.low = Math.min(state.low, state.price)
      state.high = Math.max(state.high, state.price)
    }
  }
}

export function round(value: number, decimals: number): number {
  const scale = 10 ** decimals
  return Math.round(value * scale) / scale
}
