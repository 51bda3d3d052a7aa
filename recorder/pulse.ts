import { uptime } from 'node:os'
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
  /** The same, and it goes on while the machine sleeps. */
  bootMs?: () => number
  stoodStill: (span: Span) => void
}

/** The loop's own pulse: a machine that was suspended, a process that was stopped, or a loop that hung shows in it. */
export class Pulse {
  readonly #deps: Required<PulseDeps>
  #beatMs: number
  #beatUs: number
  #beatBootMs: number
  #last: Span | undefined

  constructor({ nowMs = () => performance.now(), bootMs = () => 1000 * uptime(), ...deps }: PulseDeps) {
    this.#deps = { ...deps, nowMs, bootMs }
    this.#beatMs = nowMs()
    this.#beatBootMs = bootMs()
    this.#beatUs = deps.nowUs()
  }

  /** Beats until the returned timer is cleared. */
  start(): NodeJS.Timeout {
    return setInterval(() => this.beat(), BEAT_MS)
  }

  /** To be called often, and before anything is believed of when something came. */
  beat(): void {
    const { nowMs, bootMs, nowUs, stoodStill } = this.#deps
    const [ms, atBootMs, us] = [nowMs(), bootMs(), nowUs()]
    // The clock of the machine's boot goes on while it sleeps, and unlike the wall clock nobody sets it.
    const stoodMs = Math.max(ms - this.#beatMs, atBootMs - this.#beatBootMs)
    if (stoodMs > STANDSTILL_MS) {
      this.#last = { fromUs: this.#beatUs, toUs: Math.max(us, this.#beatUs + Math.round(stoodMs * 1000)) }
      stoodStill(this.#last)
    }
    this.#beatMs = ms
    this.#beatBootMs = atBootMs
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
