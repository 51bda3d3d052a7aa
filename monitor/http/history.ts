import type { Observation } from '../observe/observation.js'

/** Rates over the last quarter of an hour, by family: what the page draws. */
interface RateHistory {
  /** Time between two values, ms. */
  stepMs: number
  /** Time of the last value, ms since the epoch. */
  atMs: number
  /** Frames a second, oldest first, the last at `atMs`; null: not known. */
  families: { family: string; framesPerSecond: (number | null)[] }[]
}

const STEP_MS = 5000
const STEPS = 180
/** A generic feed may have many families; the page shows those that were seen first. */
const FAMILIES_MAX = 64

/** Keeps a bounded past of rates. */
export class History {
  readonly #rates = new Map<string, (number | null)[]>()
  #steps = 0
  #atMs = -Infinity

  /** Takes an observation when a step is over. */
  note({ atMs, families }: Observation): void {
    if (atMs - this.#atMs < STEP_MS && atMs >= this.#atMs) return
    this.#atMs = atMs
    this.#steps = Math.min(STEPS, this.#steps + 1)
    const now = new Map(families.filter(({ isStreamed }) => isStreamed).map(seen => [seen.family, seen]))
    for (const family of now.keys()) {
      if (!this.#rates.has(family) && this.#rates.size < FAMILIES_MAX)
        this.#rates.set(
          family,
          Array.from({ length: this.#steps - 1 }, () => null),
        )
    }
    for (const [family, rates] of this.#rates) {
      rates.push(now.get(family)?.framesPerSecond ?? null)
      if (rates.length > STEPS) rates.shift()
    }
  }

  all(): RateHistory {
    const families = [...this.#rates].map(([family, framesPerSecond]) => ({ family, framesPerSecond }))
    return { stepMs: STEP_MS, atMs: this.#atMs, families }
  }
}
