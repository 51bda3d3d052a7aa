import type { Observation } from '../observe/observation.js'

/** Rates over the last quarter of an hour, by family: what the page draws. */
interface RateHistory {
  /** Time between two values, ms. */
  stepMs: number
  /** Time of the last value, ms since the epoch. */
  atMs: number
  /** Frames a second, oldest first, the last at `atMs`; null: not known. */
  families: { exchange: string; family: string; framesPerSecond: (number | null)[] }[]
}

const STEP_MS = 5000
const STEPS = 180
/** A generic feed may have many families; the page shows those that were seen first. */
const FAMILIES_MAX = 64

/** Keeps a bounded past of rates. */
export class History {
  /** By exchange and family. */
  readonly #rates = new Map<string, (number | null)[]>()
  #steps = 0
  #atMs = -Infinity

  /** Takes an observation when a step is over. */
  note({ atMs, families }: Observation): void {
    if (atMs - this.#atMs < STEP_MS && atMs >= this.#atMs) return
    this.#atMs = atMs
    this.#steps = Math.min(STEPS, this.#steps + 1)
    const now = new Map(families.filter(({ isStreamed }) => isStreamed).map(seen => [keyOf(seen), seen]))
    for (const key of now.keys()) {
      if (!this.#rates.has(key) && this.#rates.size < FAMILIES_MAX)
        this.#rates.set(
          key,
          Array.from({ length: this.#steps - 1 }, () => null),
        )
    }
    for (const [key, rates] of this.#rates) {
      rates.push(now.get(key)?.framesPerSecond ?? null)
      if (rates.length > STEPS) rates.shift()
    }
  }

  all(): RateHistory {
    const families = [...this.#rates].map(([key, framesPerSecond]) => {
      const [exchange = '', family = ''] = key.split('/')
      return { exchange, family, framesPerSecond }
    })
    return { stepMs: STEP_MS, atMs: this.#atMs, families }
  }
}

const keyOf = ({ exchange, family }: Observation['families'][number]) => `${exchange}/${family}`
