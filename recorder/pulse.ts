import type { Span } from '../platform/spans.js'

const BEAT_MS = 250
/** A pause of the loop that is longer than this is a standstill: nothing was read meanwhile, whatever came. */
const STANDSTILL_MS = 2000
/** A connection that ends so soon behind a standstill may have been dead for the exchange since its begin, µs. */
const AFTERMATH_US = 60_000_000

export interface PulseDeps {
  /** Receive clock, µs since the epoch. */
  nowUs: () => number
  /** Monotonic, ms. */
  nowMs?: () => number
  stoodStill: (span: Span) => void
}

/** The loop's own pulse: a machine that was suspended, a process that was stopped, or a loop that hung shows in it. */
export class Pulse {
  readonly #deps: Required<PulseDeps>
  #beatMs: number
  #beatUs: number
  #last: Span | undefined

  constructor({ nowMs = () => performance.now(), ...deps }: PulseDeps) {
    this.#deps = { ...deps, nowMs }
    this.#beatMs = nowMs()
    this.#beatUs = deps.nowUs()
  }

  /** Beats until the returned timer is cleared. */
  start(): NodeJS.Timeout {
    return setInterval(() => this.beat(), BEAT_MS)
  }

  /** To be called often, and before anything is believed of when something came. */
  beat(): void {
    const { nowMs, nowUs, stoodStill } = this.#deps
    const [ms, us] = [nowMs(), nowUs()]
    // The wall clock goes on while a machine sleeps, the monotonic one may not.
    const stoodMs = Math.max(ms - this.#beatMs, (us - this.#beatUs) / 1000)
    if (stoodMs > STANDSTILL_MS) {
      this.#last = { fromUs: Math.min(this.#beatUs, us), toUs: us }
      stoodStill(this.#last)
    }
    this.#beatMs = ms
    this.#beatUs = us
  }

  /**
   * When a connection that ends now was surely heard: what it was heard of right behind a standstill may have waited in
   * the socket since before it.
   */
  heardBefore(heardUs: number): number {
    this.beat()
    const { fromUs, toUs } = this.#last ?? { fromUs: Infinity, toUs: -Infinity }
    return heardUs > fromUs && this.#deps.nowUs() - toUs < AFTERMATH_US ? fromUs : heardUs
  }
}
