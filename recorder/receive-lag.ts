import type { FamilyCount } from './frame-router.js'

/** Bounds of the histogram, seconds: from one exchange's own rack to a link that is choked. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]

interface Histogram {
  sum: number
  /** By upper bound, each with all below it. */
  buckets: Record<string, number>
}

type MadeMs = ((frame: Buffer) => number | undefined) | undefined

/**
 * How old frames are when they come, by both clocks as they are; one that is behind makes no negative age. Of each family
 * one frame is looked at each second.
 */
export class ReceiveLag {
  readonly #madeMs: MadeMs
  readonly #families = new Map<string, { lagMs?: number; sum: number; counts: number[] }>()

  /** @param madeMs when the exchange says it made a frame */
  constructor(madeMs: MadeMs) {
    this.#madeMs = madeMs
  }

  /** Takes a frame of each family that came since the last look, and asks for the next one. */
  look(counts: ReadonlyMap<string, Pick<FamilyCount, 'sample'>>): void {
    for (const [family, count] of counts) {
      const { sample } = count
      count.sample = undefined
      const madeMs = sample && this.#madeMs?.(sample.frame)
      if (!sample || madeMs === undefined) continue
      const lagMs = Math.max(0, sample.recvUs / 1000 - madeMs)
      const own = this.#families.get(family) ?? { sum: 0, counts: [...BOUNDS, Infinity].map(() => 0) }
      this.#families.set(family, own)
      own.lagMs = Math.round(lagMs)
      own.sum += lagMs / 1000
      const place = BOUNDS.findIndex(bound => lagMs / 1000 <= bound)
      const bucket = place < 0 ? BOUNDS.length : place
      own.counts[bucket] = (own.counts[bucket] ?? 0) + 1
    }
  }

  /** For the status of a family; nothing where its frames say no time. */
  of(family: string): { lag_ms?: number; lag?: Histogram } {
    const own = this.#families.get(family)
    if (own?.lagMs === undefined) return {}
    let below = 0
    const buckets = own.counts.map((count, place) => [String(BOUNDS[place] ?? '+Inf'), (below += count)] as const)
    return { lag_ms: own.lagMs, lag: { sum: Math.round(1e6 * own.sum) / 1e6, buckets: Object.fromEntries(buckets) } }
  }
}
