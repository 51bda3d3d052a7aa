/** Rate limits: every call costs credits from a pool that fills again. Times are real, not simulated. */

export type Pool = 'ordinary' | 'subscribe' | 'instruments'

interface PoolTerms {
  cost: number
  size: number
  refillPerSecond: number
}

/** As the documentation gives them for one sub-account. */
const TERMS: Record<Pool, PoolTerms> = {
  ordinary: { cost: 500, size: 50_000, refillPerSecond: 10_000 },
  subscribe: { cost: 3_000, size: 30_000, refillPerSecond: 10_000 },
  instruments: { cost: 10_000, size: 500_000, refillPerSecond: 10_000 },
}

/** Callers whose pools are remembered; the pools of others have long been full again. */
const MAX_CALLERS = 1_000

interface PoolState {
  left: number
  atMs: number
}

export class Credits {
  private readonly callers = new Map<string, Map<Pool, PoolState>>()

  /** `scale` multiplies size and refill; `nowMs` is a real clock that never goes back. */
  constructor(
    private readonly scale: number,
    private readonly nowMs: () => number,
  ) {}

  /** Takes the price of one call from the caller's pool; false where the pool does not hold it. */
  spend(caller: string, pool: Pool): boolean {
    const { cost, size, refillPerSecond } = TERMS[pool]
    const state = this.stateOf(caller, pool)
    const now = this.nowMs()
    const refilled = state.left + ((now - state.atMs) / 1000) * refillPerSecond * this.scale
    state.left = Math.min(refilled, size * this.scale)
    state.atMs = now
    if (state.left < cost) return false
    state.left -= cost
    return true
  }

  private stateOf(caller: string, pool: Pool): PoolState {
    let pools = this.callers.get(caller)
    if (!pools) {
      const [oldest] = this.callers.keys()
      if (this.callers.size >= MAX_CALLERS && oldest !== undefined) this.callers.delete(oldest)
      this.callers.set(caller, (pools = new Map<Pool, PoolState>()))
    }
    let state = pools.get(pool)
    if (!state) pools.set(pool, (state = { left: TERMS[pool].size * this.scale, atMs: this.nowMs() }))
    return state
  }
}
