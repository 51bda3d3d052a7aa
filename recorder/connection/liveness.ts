import type { LivenessLimits } from '../../exchanges/adapter.js'

/** A frame on its way counts as life while so many bytes of it come between two looks; a trickle does not. */
const PROGRESS_BYTES = 4096
/** Between two looks more time than this did not pass for us: the process stood still, and could not listen. */
const LOOK_MS_MAX = 3000

/**
 * Decides whether a connection lives. Counts only time in which we listened: neither our own standstill nor a pause in
 * reading is silence of the far end.
 */
export class Liveness {
  readonly #limits: LivenessLimits
  #lookedMs: number
  #listenedMs = 0
  #heardMs = 0
  #bytesRead = 0
  #probed = false

  constructor(limits: LivenessLimits, nowMs: number) {
    this.#limits = limits
    this.#lookedMs = nowMs
  }

  /** Time spent listening, ms; moves at each look. */
  get listenedMs(): number {
    return this.#listenedMs
  }

  get silentMs(): number {
    return this.#listenedMs - this.#heardMs
  }

  /** A frame came, or the pong to a ping of ours. */
  heard(): void {
    this.#heardMs = this.#listenedMs
  }

  /**
   * To be asked about once a second.
   * @param paused reading is paused
   * @param bytesRead of the socket since its start
   */
  look(nowMs: number, paused: boolean, bytesRead: number): 'alive' | 'probe' | 'dead' {
    const passedMs = nowMs - this.#lookedMs
    this.#lookedMs = nowMs
    const progress = bytesRead - this.#bytesRead
    this.#bytesRead = bytesRead
    if (paused || passedMs > LOOK_MS_MAX) return 'alive'
    this.#listenedMs += passedMs
    if (progress >= PROGRESS_BYTES) this.heard()
    const { probeAfterMs, deadAfterMs } = this.#limits
    if (this.silentMs >= deadAfterMs) return 'dead'
    if (probeAfterMs === undefined || this.silentMs < probeAfterMs) {
      this.#probed = false
      return 'alive'
    }
    if (this.#probed) return 'alive'
    this.#probed = true
    return 'probe'
  }
}
