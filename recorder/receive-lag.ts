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
 * the last frame is looked at once a second: the hot path pays nothing for it.
 */
export class ReceiveLag {
  readonly #madeMs: MadeMs
  readonly #families = new Map<string, { lastUs: number; lagMs?: number; sum: number; counts: number[] }>()

  /** @param madeMs when the exchange says it made a frame */
  constructor(madeMs: MadeMs) {
    this.#madeMs = madeMs
  }

  /** Takes what came since the last look. */
  look(counts: ReadonlyMap<string, FamilyCount>): void {
    for (const [family, { lastUs, lastFrame }] of counts) {
      const seen = this.#families.get(family)
      if (seen?.lastUs === lastUs) continue
      const madeMs = this.#madeMs?.(lastFrame)
      if (madeMs === undefined) continue
      const lagMs = Math.max(0, lastUs / 1000 - madeMs)
      const own = seen ?? { lastUs, sum: 0, counts: [...BOUNDS, Infinity].map(() => 0) }
      this.#families.set(family, own)
      own.lastUs = lastUs
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
